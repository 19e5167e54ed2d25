// The memory that a source takes: the bound of docs/guides/data.md, however long the source is.

import { platform } from "node:os";
import { expect, it } from "vitest";
import { runInProcess } from "./child.js";

/** In bytes: one sample. */
const SAMPLE = 2 ** 20;
const [BUFFER, BATCH, PREFETCH] = [16, 8, 2];
/** In bytes: the buffer, and the samples of `prefetch` + 2 steps. */
const BOUND = (BUFFER + BATCH * (PREFETCH + 2)) * SAMPLE;
/** In bytes: the copies of a batch in the engine, and arrays that are not yet freed, of which V8 lets 64 MiB accumulate. */
const GARBAGE = 112 * 2 ** 20;

// Linux alone tells the peak of a part of a program.
it.runIf(platform() === "linux")("a source of thirty times the bound takes no more than one of ten times", async () => {
  const measured = (await runInProcess(`
    const { readFileSync, writeFileSync } = await import("node:fs");
    const kilobytes = (key) => Number(new RegExp(key + ":\\\\s+(\\\\d+)").exec(readFileSync("/proc/self/status", "utf8"))[1]);
    const size = ${SAMPLE / 4};
    const m = k.Module.of(["linear", size, 1]);
    const model = new k.Model(m, "mse", k.optimizer("sgd").lr(0).build(m));
    const peak = async (count) => {
      const row = new Float32Array(size);
      const samples = async function* () {
        for (let i = 0; i < count; i++) {
          row.fill(i % 7);
          yield [row, [i]];
        }
      };
      gc();
      writeFileSync("/proc/self/clear_refs", "5");
      const before = kilobytes("VmRSS");
      const options = { batchSize: ${BATCH}, shuffle: { buffer: ${BUFFER} }, prefetch: ${PREFETCH} };
      const { steps } = await model.fit({ samples, count }, options);
      return [steps, (kilobytes("VmHWM") - before) * 1024];
    };
    // Code, and pools of memory that stay.
    await peak(${(BOUND / SAMPLE) * 2});
    post([await peak(${(BOUND / SAMPLE) * 10}), await peak(${(BOUND / SAMPLE) * 30})]);
  `)) as readonly (readonly [steps: number, bytes: number])[];
  console.log(
    `in MiB: ${JSON.stringify(measured.map(([, bytes]) => Math.round(bytes / 2 ** 20)))}, of ${BOUND / 2 ** 20}`,
  );
  expect(measured.map(([steps]) => steps)).toEqual([60, 180]);
  for (const [, bytes] of measured) expect(bytes).toBeLessThan(BOUND + GARBAGE);
});
