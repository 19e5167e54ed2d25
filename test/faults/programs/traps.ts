// Stops the WebAssembly engine in one of several ways, resets it, and computes the same as before.

import * as k from "@stepwell/sdk/wasm";
import { stopAtOnce } from "../../wasm/stop-at-once.js";
import { configured, say } from "./lines.js";

export interface TrapsConfig {
  readonly cycles: number;
  /** A planted bug: no reset after a stop. */
  readonly planted: boolean;
}

export interface TrapReport {
  readonly cycle: number;
  readonly problem?: string;
  readonly rss: number;
}

const { cycles, planted } = configured<TrapsConfig>();
// In bytes, 64 MiB: full after some tensors.
await k.ready({ memory: 2 ** 26 });

function train(): string {
  k.seed(4);
  const m = k.module(k.seq("sequential", ["linear", 4, 8], "relu", ["linear", 8, 2]));
  const o = k.opt("adam", m);
  for (let i = 0; i < 5; i++) {
    const loss = k.mse(k.forward(m, [[1, 2, 3, 4]]), [[1, 2]]);
    k.backward(loss);
    k.step(o, { zerograd: true });
    k.free(loss);
  }
  return JSON.stringify([k.state(m), k.state(o).parms.map(({ pointer, ...row }) => row)]);
}

const codeOf = (call: () => unknown): string | undefined => {
  try {
    call();
    return undefined;
  } catch (error) {
    return error instanceof k.StepwellError ? error.code : String(error);
  }
};

/** The memory of the engine is used up, which stops nothing. */
function exhaust(): void {
  const kept: k.TensorHandle[] = [];
  const code = codeOf(() => {
    for (;;) kept.push(k.full([2 ** 20], 1));
  });
  if (code !== "ERR_MEMORY") throw new Error(`a full memory is ${code}`);
  if (kept.length === 0) throw new Error("nothing was allocated");
}

/** Recursion by closures up to the end of the stack. */
function overflow(): void {
  const x = k.tensor([1], "grad");
  const o = k.opt("lbfgs", x);
  const deep = (): number => {
    k.step(o, deep);
    return 0;
  };
  codeOf(deep);
}

const wanted = train();
k.free();
for (let cycle = 0; cycle < cycles; cycle++) {
  let problem: string | undefined;
  const x = k.tensor([1, 2]);
  const way = cycle % 3;
  if (way === 0) stopAtOnce(k);
  if (way === 1) exhaust();
  if (way === 2) overflow();
  if (way === 0 && codeOf(() => k.tensor([1])) !== "ERR_ENGINE_POISONED") problem = "a stopped engine takes a call";
  if (!planted) k.reset();
  const count = codeOf(() => k.handlecount());
  if (count !== undefined) problem = `after the reset: ${count}`;
  else {
    if (k.handlecount() !== 0) problem = "objects have outlived the reset";
    if (codeOf(() => k.tensor(x)) === undefined) problem = "a handle has outlived the reset";
    if (train() !== wanted) problem = "another result after the reset";
    k.free();
  }
  say({ cycle, rss: process.memoryUsage.rss(), ...(problem ? { problem } : {}) } satisfies TrapReport);
  if (cycle % 10 === 9) await new Promise((resolve) => setImmediate(resolve));
}
