// `fit` with several processes: equal to one process, with one end for all, and with one checkpoint.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as k from "@stepwell/sdk";
import { afterAll, expect, test } from "vitest";
import { allFitted, type Fitted } from "./fits.js";
import { resultsOf } from "./launch.js";
import { differing, failing } from "./uneven-fits.js";

const folder = mkdtempSync(join(tmpdir(), "distributed-fit-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Fails unless all numbers in plain data agree, and everything else is equal. */
function expectClose(given: unknown, expected: unknown, where: string): void {
  const numbers: [number, number][] = [];
  const shape = (value: unknown, collect: (x: number) => void) =>
    JSON.stringify(value, (_, part) => {
      if (typeof part !== "number") return part;
      collect(part);
      return "number";
    });
  const [a, b]: [number[], number[]] = [[], []];
  expect(
    shape(given, (x) => a.push(x)),
    where,
  ).toBe(shape(expected, (x) => b.push(x)));
  for (const [i, x] of a.entries()) numbers.push([x, b[i] as number]);
  const difference = Math.max(...numbers.map(([x, y]) => Math.abs(x - y) / Math.max(1, Math.abs(y))));
  expect(difference, where).toBeLessThan(1e-12);
}

interface Results {
  readonly fitted: readonly Fitted[];
  readonly ends: Readonly<Record<string, string>>;
}

test.each([1, 3])("%i processes fit as one process", async (size) => {
  k.setting("threads", 1);
  const expected = await allFitted(0);
  const ranks = await resultsOf<Results>("fit", size, {});
  for (const [rank, { fitted }] of ranks.entries()) {
    for (const [i, { name, history, parameters, events }] of fitted.entries()) {
      const one = expected[i] as Fitted;
      expectClose({ name, history, parameters }, { name, history: one.history, parameters: one.parameters }, name);
      expect(events, name).toEqual(rank === 0 ? one.events : ["done"]);
      // All processes have the same bits.
      expect({ history, parameters }).toEqual({
        history: ranks[0]?.fitted[i]?.history,
        parameters: ranks[0]?.fitted[i]?.parameters,
      });
    }
  }
  if (size === 1) return;
  for (const [rank, { ends }] of ranks.entries()) {
    const failed = "ERR_DISTRIBUTED fit: rank 1 has failed in this training, and says why";
    const differences = Object.entries(differing).map(([name, [, first, other]]) => [
      name,
      `ERR_PARAMETER fit: expected the same options on each process, given ${first} on rank 0 and ${other} on rank 1: call fit with the same options`,
    ]);
    const failures = Object.entries(failing).map(([name, [, error]]) => [name, rank === 1 ? error : failed]);
    const second =
      "ERR_ARGUMENT fit: a training of this module, optimizer or parameters is running: end it before another begins";
    expect(ends).toEqual({
      "a signal of rank 1": "aborted",
      steps: ranks[0]?.ends.steps,
      "a loop that rank 0 leaves": rank === 0 ? "step,step,step,epoch,step after 4" : "aborted after 4",
      "a source that fails on rank 1": rank === 1 ? "RangeError no more" : failed,
      "a batch of rank 1 with fewer targets":
        rank === 1 ? "ERR_SHAPE fit: expected as many targets as inputs, given 8 inputs and 7 targets" : failed,
      "a source that ends on rank 1":
        "ERR_SHAPE fit: expected the same items on each process, given 8 more on rank 0 and 4 on rank 1",
      "a loss that is not finite": "nonfinite after 2",
      "a checkpoint that fails":
        rank === 0
          ? expect.stringMatching(/^ERR_FILE fit: /)
          : "ERR_DISTRIBUTED fit: rank 0 has failed in this training, and says why",
      "fewer samples on rank 1": expect.stringMatching(
        /^ERR_SHAPE fit: expected as many samples on each process, since each takes its part of a batch, given 21 on rank 0 and 20 on rank 1$/,
      ),
      ...Object.fromEntries([...differences, ...failures]),
      "a metric of classes":
        rank === 1 ? "ERR_OPTION_RANGE fit: accuracy needs a loss of classes, ce or nll, given mse" : failed,
      "a training that has begun since": rank === 1 ? second : failed,
      "a second training of rank 1": `finished after 3, ${rank === 1 ? second : ""}`,
      "a busy model of rank 1": rank === 1 ? expect.stringMatching(/^ERR_BUSY fit: /) : "",
      "two trainings at once":
        "finished after 3, ERR_BUSY fit: another training with these processes is running, whose exchanges would be mixed up: await it",
      "one after the other": "finished after 3",
      "a loss scale of rank 1": expect.stringMatching(
        /^ERR_PARAMETER fit: expected the same options on each process, given no lossscale on rank 0 and lossscale \(.*init 8.*\) on rank 1/,
      ),
      ...Object.fromEntries(
        [0, 3, 10].map((milliseconds) => [
          `an optimizer that rank 1 frees after ${milliseconds} ms`,
          rank === 1
            ? "ERR_HANDLE_FREED fit: this optimizer was freed"
            : expect.stringMatching(/^ERR_DISTRIBUTED fit: /),
        ]),
      ),
      afterwards: "finished after 3",
    });
  }
});

interface Resumed {
  readonly begin?: number;
  readonly numbers: unknown;
  readonly position?: { readonly epoch: number; readonly step: number; readonly taken: number };
}

test.each(["memory", "batches"] as const)("%s go on from one checkpoint", async (source) => {
  const path = join(folder, `${source}.safetensors`);
  // Four steps are in the middle of the second epoch.
  const saved = await resultsOf<Resumed>("resume", 3, { path, source, steps: 4, epochs: 3 });
  for (const { numbers, position } of saved) {
    expect(numbers).toEqual(saved[0]?.numbers);
    expect(position).toMatchObject({ epoch: 2, step: 4 });
  }
  // Two processes load what three have saved, to the bit: they stop before a step, and save the same again.
  const copy = await resultsOf<Resumed>("resume", 2, { path, source, steps: 0, epochs: 1 });
  for (const { begin, numbers, position } of copy) {
    expect(begin).toBeUndefined();
    expect(numbers).toEqual(saved[0]?.numbers);
    expect(position).toEqual(saved[0]?.position);
  }
});

test("as many processes go on to the bit, dropout included", async () => {
  const [path, end] = [join(folder, "part.safetensors"), { epochs: 3, steps: 1000, source: "memory" }];
  const whole = await resultsOf<Resumed>("resume", 2, end);
  await resultsOf("resume", 2, { ...end, path, steps: 4 });
  const resumed = await resultsOf<Resumed>("resume", 2, { ...end, path });
  expect(resumed[0]?.begin).toBe(5);
  for (const [rank, { numbers }] of resumed.entries()) expect(numbers).toEqual(whole[rank]?.numbers);
  // And another number of processes goes on from there, with dropout of its own.
  const others = await resultsOf<Resumed>("resume", 3, { ...end, path, epochs: 4 });
  expect(others[0]?.begin).toBe(10);
  for (const { numbers } of others) expect(numbers).toEqual(others[0]?.numbers);
});
