import * as k from "@stepwell/sdk";
import { beforeEach, expect, test } from "vitest";
import { differences } from "../engine-differences.js";
import { runInProcess, sdk } from "./child.js";
import { expectError } from "./expect-error.js";
import { expectSameBytes } from "./same-bytes.js";

beforeEach(() => k.free());

test("a step gives the same bits whatever the number of threads is", () => {
  const before = k.setting("threads");
  expect(before).toBeGreaterThan(0);
  try {
    const numbers = differences.threads.map((threads) => {
      k.setting("threads", threads);
      expect(k.setting("threads")).toBe(threads);
      // More elements than a step wakes threads for.
      const values = Float32Array.from({ length: 300_000 }, (_, i) => Math.sin(i));
      const p = k.tensor(values, { grad: true });
      k.grad(p, values);
      const o = k.opt("lamb", p, 0.01);
      for (let i = 0; i < 3; i++) k.step(o);
      return k.data(p).data;
    });
    for (const other of numbers) expectSameBytes(other, numbers[0] as Float32Array);
  } finally {
    k.setting("threads", before);
  }
});

test("a number of threads that is none is refused", () => {
  for (const count of [0, -1, 1.5, Number.NaN, 1e9]) {
    const message = expectError("ERR_ARGUMENT", () => k.setting("threads", count));
    expect(message).toContain("expected a whole number of threads from 1 to 1024");
  }
});

test.runIf(k.engine !== "wasm")(
  "the number of threads is one for the whole process, and each worker's too",
  async () => {
    const result = await runInProcess(`
    const { Worker } = await import("node:worker_threads");
    const worker = new Worker(\`
      const { parentPort } = require("node:worker_threads");
      import(${JSON.stringify(sdk)}).then((k) => {
        parentPort.on("message", (count) => {
          if (count > 0) k.setting("threads", count);
          parentPort.postMessage(k.setting("threads"));
        });
        parentPort.postMessage("ready");
      });\`, { eval: true, execArgv: [] });
    const next = () => new Promise((resolve) => worker.once("message", resolve));
    const ask = (count) => { const answer = next(); worker.postMessage(count); return answer; };
    await next();
    const seen = [];
    for (const [who, count] of [["main", 3], ["worker", 2], ["main", 1], ["worker", 4]]) {
      if (who === "main") k.setting("threads", count);
      else await ask(count);
      seen.push([k.setting("threads"), await ask(0)]);
    }
    worker.terminate();
    post(seen);
  `);
    expect(result).toEqual([3, 2, 1, 4].map((count) => [count, count]));
  },
);

test.runIf(k.engine !== "wasm" && process.platform === "linux")(
  "a limit makes no threads that have no core",
  async () => {
    const result = (await runInProcess(`
    const { readFileSync } = await import("node:fs");
    const threads = () => Number(/^Threads:\\s*(\\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))[1]);
    const before = threads();
    k.setting("threads", 1024);
    const p = k.full([300_000], 1, "grad"), x = k.full([300, 300], 1);
    k.grad(p, k.full([300_000], 1));
    k.step(k.opt("adam", p));
    k.forward(k.module(["linear", 300, 300]), x);
    post({ setting: k.setting("threads"), made: threads() - before, cores: (await import("node:os")).availableParallelism() });
  `)) as { setting: number; made: number; cores: number };
    expect(result.setting).toBe(1024);
    // libtorch and the steps have threads of their own, and libtorch has several pools.
    expect(result.made).toBeLessThanOrEqual(4 * result.cores);
  },
);

test.runIf(k.engine === "native" && process.platform !== "win32")(
  "the number of threads is one for all copies of the addon in a process",
  async () => {
    const result = await runInProcess(`
    const { cpSync, mkdtempSync, rmSync } = await import("node:fs");
    const { createRequire } = await import("node:module");
    const { tmpdir } = await import("node:os");
    const { dirname, join } = await import("node:path");
    const require = createRequire(${JSON.stringify(sdk)});
    const folder = mkdtempSync(join(tmpdir(), "stepwell-copy-"));
    try {
      cpSync(dirname(require.resolve("@stepwell/native")), folder, { recursive: true });
      const copy = require(join(folder, "index.js")).open();
      const seen = [];
      for (const [name, count] of [["sdk", 3], ["copy", 2], ["sdk", 1]]) {
        if (name === "sdk") k.setting("threads", count);
        else copy.call("setting", ["threads", count]);
        seen.push([k.setting("threads"), copy.call("setting", ["threads"])]);
      }
      post(seen);
    } finally {
      rmSync(folder, { recursive: true });
    }
  `);
    expect(result).toEqual([3, 2, 1].map((count) => [count, count]));
  },
);
