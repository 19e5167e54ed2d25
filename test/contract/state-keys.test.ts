// Keys that no state has are refused by name: a misspelled or a foreign one would be lost without a word.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";
import { optimizers } from "./optimizers.js";

afterEach(() => k.free());

const untyped = k as unknown as Readonly<Record<"opt" | "module", (...args: readonly unknown[]) => never>>;

/** An optimizer with everything that a state can tell of, after a step. */
function trained(name: k.OptimizerName) {
  const m = k.module(k.seq("sequential", ["linear", 2, 3], ["batchnorm", 3], ["linear", 3, 1]));
  const closed = name === "lbfgs";
  const o = k.opt(name, m, (closed ? {} : { average: 0.5 }) as never);
  const loss = () => {
    k.zerograd(o);
    const output = k.forward(m, [
      [1, 2],
      [3, 5],
    ]);
    const loss = k.mse(output, [[1], [2]]);
    k.free(output);
    k.backward(loss);
    return loss;
  };
  k.step(o, loss);
  if (!closed) {
    k.average(o);
    k.lossscale(o, { init: 1 });
    k.schedule(o, k.schedules.step({ every: 2 }));
  }
  return { m, o };
}

describe.each(optimizers)("the state of %s", (name) => {
  it("is restored with every key that it has, and with no other", () => {
    const { m, o } = trained(name);
    const state = k.state(o);
    const handles = k.handlecount();
    expect(expectError("ERR_FORMAT", () => untyped.opt({ ...state, epoch: 3 }, m))).toBe(
      "opt: state: unknown key `epoch`, expected some of optimizer, options, parms, schedule, lossscale, averaged, fused, offload",
    );
    const row = (more: object) => ({ ...state, parms: [{ ...state.parms[0], ...more }, ...state.parms.slice(1)] });
    expect(expectError("ERR_FORMAT", () => untyped.opt(row({ buffer: {} }), m))).toContain("unknown key `buffer`");
    const buffers = { ...state.parms[0]?.buffers, exp_average: null };
    expect(expectError("ERR_FORMAT", () => untyped.opt(row({ buffers }), m))).toContain("`exp_average`");
    for (const key of ["fused", "offload", "averaged"]) {
      expectError("ERR_FORMAT", () => untyped.opt({ ...state, [key]: "yes" }, m));
    }
    expect(k.handlecount()).toBe(handles);
    for (const told of [state, JSON.parse(JSON.stringify(state)), structuredClone(state), k.opt(o)]) {
      k.free(k.opt(told, m));
    }
  });
});

it("the state of a module is restored with every key that it has, and with no other", () => {
  const { m } = trained("adam");
  const container = k.module(k.opt("adam", k.dict({ a: k.tensor([1], "grad"), b: k.tensor([2], "grad") })));
  for (const module of [m, container]) {
    const state = k.state(module);
    for (const told of [state, JSON.parse(JSON.stringify(state)), structuredClone(state)]) k.free(k.module(told));
    const handles = k.handlecount();
    for (const place of state.keys()) {
      const changed = state.map((row, i) => (i === place ? { ...row, epoch: 3 } : row));
      expect(expectError("ERR_FORMAT", () => untyped.module(changed))).toBe(
        "module state: unknown key `epoch`, expected some of depth, module, name, options, parms, buffers, names, tied",
      );
    }
    expect(k.handlecount()).toBe(handles);
  }
});
