// The memory that a file takes in addition to the tensors, from which it is written and into which it is read.

import { mkdtempSync, rmSync } from "node:fs";
import { platform, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { differences } from "../engine-differences.js";
import { runInProcess } from "./child.js";

const folder = mkdtempSync(join(tmpdir(), "stepwell-memory-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** In bytes, 64 MiB: the most that a file may take in addition to the tensors. */
const LIMIT = 64 * 2 ** 20;

// Linux alone tells the peak of a part of a program.
it.runIf(differences.streamsFiles && platform() === "linux")(
  "a file of 200 MB takes no memory of its size",
  async () => {
    const measured = (await runInProcess(`
    const { readFileSync, writeFileSync, statSync } = await import("node:fs");
    const path = ${JSON.stringify(join(folder, "run.safetensors"))};
    const kilobytes = (key) => Number(new RegExp(key + ":\\\\s+(\\\\d+)").exec(readFileSync("/proc/self/status", "utf8"))[1]);
    const peak = (call) => {
      gc();
      writeFileSync("/proc/self/clear_refs", "5");
      const before = kilobytes("VmRSS");
      call();
      return (kilobytes("VmHWM") - before) * 1024;
    };
    const start = () => {
      const net = k.module(["linear", "fc", 4096, 4096, false]);
      const optimizer = k.opt("adam", net);
      return { net, optimizer };
    };
    const run = start();
    k.backward(k.mse(k.forward(run.net, k.full([1, 4096], 0.1)), k.full([1, 4096], 1)));
    k.step(run.optimizer, { zerograd: true });
    const elements = () => [k.data(k.parm(run.net, "weight")).data, ...["exp_avg", "exp_avg_sq"].map((key) => k.state(run.optimizer).parms[0].buffers[key].data)];
    const digest = () => elements().map((list) => { let sum = 0; for (let i = 0; i < list.length; i += 997) sum = (sum * 31 + list[i]) % 1e9; return sum; });
    const expected = digest();
    const saved = peak(() => k.save(path, run));
    k.step(run.optimizer);
    k.fill(k.parm(run.net, "weight"), 1);
    const given = peak(() => k.load(path, run));
    const isEqual = JSON.stringify(digest()) === JSON.stringify(expected);
    k.free();
    gc();
    const made = peak(() => k.load(path));
    k.free();
    const net = k.module(["linear", "fc", 4096, 4096, false]);
    const module1 = peak(() => k.save(net, path + ".module"));
    const module2 = peak(() => k.load(net, path + ".module"));
    post({ bytes: statSync(path).size, saved, given, made, module: [module1, module2], isEqual });
  `)) as { bytes: number; saved: number; given: number; made: number; module: number[]; isEqual: boolean };
    expect(measured.bytes).toBeGreaterThan(200e6);
    expect(measured.isEqual).toBe(true);
    expect(measured.saved).toBeLessThanOrEqual(LIMIT);
    expect(measured.given).toBeLessThanOrEqual(LIMIT);
    expect(measured.made).toBeLessThanOrEqual(measured.bytes + LIMIT);
    for (const peak of measured.module) expect(peak).toBeLessThanOrEqual(LIMIT);
    console.log(
      `in MiB: ${JSON.stringify(measured, (_, value) => (typeof value === "number" ? Math.round(value / 2 ** 20) : value))}`,
    );
  },
);
