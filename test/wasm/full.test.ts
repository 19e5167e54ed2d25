// The WebAssembly engine with less memory than its budget allows: an error, and never a trap.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { trainingProgram } from "../training-program.js";

const page = 2 ** 16;

/** The module with a memory that grows to so many pages and no further, as where a machine has no more. */
function limited(pages: number): Uint8Array {
  const code = new Uint8Array(readFileSync(createRequire(import.meta.url).resolve("@stepwell/wasm/stepwell.wasm")));
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = code[at++] ?? 0;
      value += (byte % 128) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < code.length) {
    const section = code[at++];
    const length = number();
    if (section !== 5) {
      at += length;
      continue;
    }
    // One memory, with a maximum, and its minimum.
    expect([number(), number()]).toEqual([1, 1]);
    number();
    const start = at;
    expect(number()).toBe(65535);
    code.set([(pages % 128) + 128, (Math.floor(pages / 128) % 128) + 128, Math.floor(pages / 16384)], start);
    return code;
  }
  throw new Error("the module has no memory");
}

/** Allocates until memory runs out; `kept` is freed afterwards. */
const calls = {
  "one tensor": "k.full([2 ** 30], 1)",
  "tensors of one number": "for (;;) kept.push(k.full([1], 1))",
  "tensors of 16 kB": "for (;;) kept.push(k.full([2 ** 12], 1))",
  "tensors of 1 MB": "for (;;) kept.push(k.full([2 ** 18], 1))",
  "tensors of several sizes": "for (let i = 0; ; i++) kept.push(k.full([1 + ((i * 7919) % 50_000)], 1))",
  "tensors of typed arrays": "for (;;) kept.push(k.tensor(new Float64Array(2 ** 15)))",
  "tensors of nested lists": 'for (;;) kept.push(k.tensor(Array(64).fill(Array(1000).fill(0.5)), "double"))',
  "tensors of lists": "for (;;) kept.push(k.tensor(Array.from({ length: 5000 }, (_, i) => i)))",
  "a permutation": "k.randperm(2 ** 24)",
  "results of a module": `
    const x = k.full([2 ** 10, 4], 1);
    kept.push(x);
    for (;;) kept.push(k.forward(m, x))`,
  "a long graph": `
    let y = k.full([1, 4], 1, "grad");
    kept.push(y);
    const relu = k.module("relu");
    kept.push(relu);
    for (;;) kept.push((y = k.forward(relu, y)))`,
  gradients: `for (;;) {
      const x = k.full([2 ** 16], 1, "grad");
      const zero = k.full([2 ** 16], 0);
      const l = k.mse(x, zero);
      kept.push(x, zero, l);
      k.backward(l);
    }`,
  steps: `for (;;) {
      const x = k.full([2 ** 16], 1, "grad");
      const g = k.full([2 ** 16], 1);
      k.grad(x, g);
      const o = k.opt("adam", x);
      kept.push(x, g, o);
      k.step(o, { clipnorm: 1 });
    }`,
  states: `
    const x = k.full([2 ** 20], 1, "grad");
    const g = k.full([2 ** 20], 1);
    k.grad(x, g);
    const o = k.opt("adam", x);
    kept.push(x, g, o);
    k.step(o);
    k.state(o);
    for (;;) {
      kept.push(k.full([2 ** 18], 1));
      k.state(o);
      k.data(x);
    }`,
  modules: `for (;;) kept.push(k.module(["linear", 200, 200]))`,
  options: `for (;;) kept.push(k.module(["linear", 2, 2]), k.opt("adam", { lr: 0.1 }))`,
  "a long name": `for (;;) kept.push(k.dict({ ["x".repeat(2 ** 20)]: [1] }))`,
  lbfgs: `
    const x = k.full([2 ** 18], 1, "grad");
    const zero = k.full([2 ** 18], 0);
    const o = k.opt("lbfgs", x, { iter: 1000, gradtol: 0, changetol: 0, lr: 1e-3 });
    kept.push(x, zero, o);
    k.step(o, () => {
      k.zerograd(x);
      const l = k.mse(x, zero, { reduce: "sum" });
      try {
        k.backward(l);
        return k.tensor(l);
      } finally {
        k.free(l);
      }
    })`,
} as const;

/** Runs a program on an engine of its own with 48 MiB and the largest budget, and returns what it posts. */
function run(program: string): Promise<unknown> {
  const head = `
    import { parentPort, workerData } from "node:worker_threads";
    import * as k from ${JSON.stringify(import.meta.resolve("@stepwell/sdk/wasm"))};
    await k.ready({ memory: 2 ** 32 - 2 ** 16, module: new WebAssembly.Module(workerData) });
    const code = (call) => { try { call(); return "ok"; } catch (error) { return error.code + ": " + error.message; } };
    ${trainingProgram}`;
  const workerData = limited((48 * 2 ** 20) / page);
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(head + program)}`), { workerData });
    worker.on("message", resolve);
    worker.on("error", reject);
    worker.on("exit", (status) => reject(new Error(`the worker ended with ${status} and without a word`)));
  });
}

describe("the WebAssembly engine without memory", () => {
  it.each(Object.entries(calls))("goes on after %s", async (_, call) => {
    const result = (await run(`
      const kept = [];
      const results = [code(() => { ${call} })];
      results.push(code(train));
      // What was made alone is not worth a refusal, so each is freed by itself.
      for (const handle of kept.splice(kept.length >> 1)) k.free(handle);
      results.push(code(train));
      for (const handle of kept) k.free(handle);
      results.push(code(train), code(() => k.free(k.full([2 ** 20], 1))), k.handlecount());
      parentPort.postMessage(results);
    `)) as unknown[];
    const codes = result.map((one) => (typeof one === "string" ? one.split(":")[0] : one));
    expect(["ok", "ERR_MEMORY"]).toContain(codes[1]);
    expect([codes[0], ...codes.slice(2)], String(result)).toEqual(["ERR_MEMORY", "ok", "ok", "ok", expect.any(Number)]);
  });

  it("frees forgotten objects while the reserve for small allocations is used up", async () => {
    const result = (await run(`
      let kept = [];
      const fill = (make) => code(() => { for (;;) kept.push(make()); });
      const results = [fill(() => k.full([1], 1)), fill(() => k.tensor(1)), fill(() => k.loss("mse")), fill(() => k.vector())];
      results.push(code(() => k.handlecount()));
      kept = undefined;
      for (let i = 0; i < 200; i++) {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      results.push(code(train), k.handlecount());
      parentPort.postMessage(results);
    `)) as unknown[];
    const codes = result.map((one) => (typeof one === "string" ? one.split(":")[0] : one));
    // The module alone is left.
    expect(codes, String(result)).toEqual([...Array(5).fill("ERR_MEMORY"), "ok", 1]);
  });
});
