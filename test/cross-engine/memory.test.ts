// The addons in a process that has used up its addresses, as under `ulimit -v`: an error, and never the end of the
// process.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { trainingProgram } from "../training-program.js";

const sdk = JSON.stringify(import.meta.resolve("@stepwell/sdk"));
const folder = mkdtempSync(join(tmpdir(), "stepwell-memory-"));
afterAll(() => rmSync(folder, { recursive: true }));

const head = `
  import { readFileSync } from "node:fs";
  import * as k from ${sdk};
  const file = ${JSON.stringify(join(folder, "m.safetensors"))};
  const code = (call) => { try { call(); return "ok"; } catch (error) { return error.code ?? error.message; } };
  ${trainingProgram}
  train();
`;

/** Runs a program under a limit of kilobytes, and returns what it prints. */
function run(engine: string, program: string, limit?: number): unknown {
  const ulimit = limit === undefined ? "" : `ulimit -v ${limit}; `;
  const node = spawnSync("sh", ["-c", `${ulimit}exec "$0" --input-type=module`, process.execPath], {
    input: head + program,
    encoding: "utf8",
    env: { ...process.env, STEPWELL_ENGINE: engine },
  });
  expect({ status: node.status, signal: node.signal, stderr: node.stderr }).toEqual({
    status: 0,
    signal: null,
    stderr: "",
  });
  return JSON.parse(node.stdout);
}

/** Allocates until memory runs out; `kept` is freed afterwards. */
const calls = {
  "one tensor": "k.full([2 ** 33], 1)",
  "a permutation": "for (;;) permutations.push(k.randperm(2 ** 23))",
  "a typed array": "k.tensor(new Float32Array(90 * 2 ** 20))",
  "a typed array of whole numbers": "k.tensor(new Int8Array(90 * 2 ** 20))",
  "a nested array": "k.tensor(Array(2 ** 11).fill(Array(2 ** 16).fill(0.5)))",
  "nested arrays": `
    const table = Array(32).fill(Array(2 ** 16).fill(0.5));
    for (;;) kept.push(k.tensor(table), k.tensor(table, "double"))`,
  "tensors of 16 MB": "for (;;) kept.push(k.full([2 ** 22], 1))",
  "tensors of typed arrays": "for (;;) kept.push(k.tensor(new Float64Array(2 ** 20)))",
  "results of a module": `
    const x = k.full([2 ** 16, 4], 1);
    kept.push(x);
    for (;;) kept.push(k.forward(m, x))`,
  gradients: `for (;;) {
      const x = k.full([2 ** 21], 1, "grad");
      kept.push(x);
      const zero = k.full([2 ** 21], 0);
      kept.push(zero);
      const l = k.mse(x, zero);
      kept.push(l);
      k.backward(l);
    }`,
  steps: `for (;;) {
      const x = k.full([2 ** 21], 1, "grad");
      kept.push(x);
      const g = k.full([2 ** 21], 1);
      kept.push(g);
      k.grad(x, g);
      const o = k.opt("adamw", x);
      kept.push(o);
      k.step(o, { clipnorm: 1 });
    }`,
  "libtorch's own steps": `for (;;) {
      const x = k.full([2 ** 21], 1, "grad");
      kept.push(x);
      const g = k.full([2 ** 21], 1);
      kept.push(g);
      k.grad(x, g);
      const o = k.opt("adam", x, { fused: false });
      kept.push(o);
      k.step(o);
    }`,
  "what is read": `
    const x = k.full([2 ** 22], 1);
    kept.push(x);
    for (;;) read.push(k.data(x))`,
  states: `
    const x = k.full([2 ** 22], 1, "grad");
    kept.push(x);
    const g = k.full([2 ** 22], 1);
    kept.push(g);
    k.grad(x, g);
    const o = k.opt("adam", x);
    kept.push(o);
    k.step(o);
    for (;;) read.push(k.state(o))`,
  modules: `for (;;) kept.push(k.module(["linear", 2048, 2048]))`,
  "modules saved and loaded": `for (;;) {
      const large = k.module(["linear", 2048, 2048]);
      kept.push(large);
      k.save(large, file);
      k.load(large, file);
    }`,
  lbfgs: `
    const x = k.full([2 ** 21], 1, "grad");
    const zero = k.full([2 ** 21], 0);
    const o = k.opt("lbfgs", x, { iter: 1000, gradtol: 0, changetol: 0, lr: 1e-3 });
    kept.push(x, zero, o);
    k.step(o, () => {
      k.zerograd(x);
      const l = k.mse(x, zero, { reduce: "sum" });
      k.backward(l);
      const loss = k.tensor(l);
      k.free(l);
      return loss;
    })`,
  // Last, since they leave memory fragmented.
  "tensors of 16 kB": "for (;;) kept.push(k.full([2 ** 12], 1))",
  "tensors of 1 MB": "for (;;) kept.push(k.full([2 ** 18], 1))",
} as const;

describe.runIf(process.platform === "linux")("a process that may take no more addresses", () => {
  it.each(["native", "rust"])("gets errors and goes on, with the engine %s", (engine) => {
    const used = run(
      engine,
      `console.log(readFileSync("/proc/self/status", "utf8").match(/VmSize:\\s+(\\d+)/)[1])`,
    ) as number;
    // The engine in Rust has no steps of libtorch.
    const cases = Object.entries(calls).filter(([name]) => engine === "native" || !name.includes("libtorch"));
    const bodies = cases.map(
      ([name, call]) => `
        {
          const kept = [], read = [], permutations = [];
          const first = code(() => { ${call} });
          const full = code(train);
          // Half of it is enough to go on.
          for (const handle of kept.splice(kept.length >> 1)) k.free(handle);
          read.length = permutations.length = 0;
          let half;
          // What JavaScript has collected is freed by another thread.
          for (let i = 0; i < 500 && half !== "ok"; i++) {
            gc();
            await new Promise((resolve) => setTimeout(resolve, 5));
            half = code(train);
          }
          for (const handle of kept) k.free(handle);
          results.push([${JSON.stringify(name)}, first, full === "ok" || full === "ERR_MEMORY", half]);
        }`,
    );
    const program = `
      import { setFlagsFromString } from "node:v8";
      import { runInNewContext } from "node:vm";
      setFlagsFromString("--expose-gc");
      const gc = runInNewContext("gc");
      const results = [];
      ${bodies.join("\n")}
      console.log(JSON.stringify(results));`;
    const results = run(engine, program, used + 700 * 1024);
    expect(results).toEqual(cases.map(([name]) => [name, "ERR_MEMORY", true, "ok"]));
  });
});
