// The page: step "may also be called with a module or model". A module stands for the optimizer that updates it.

import * as k from "@stepwell/sdk";
import { afterEach, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

/** A module of two layers, every gradient 1. */
function network() {
  const m = k.module(k.seq("sequential", ["linear", "a", 1, 1], ["linear", "b", 1, 1]));
  for (const name of k.parmnames(m)) {
    const x = k.parm(m, name);
    k.copyto(k.full(k.size(x), 1), x);
    k.grad(x, k.full(k.size(x), 1));
  }
  return m;
}

const flat = (m: k.ModuleHandle) => k.parmnames(m).map((name) => Number(k.data(k.parm(m, name)).data[0]));

it("of a module is the step of its optimizer", () => {
  const m = network();
  const o = k.opt("sgd", m, 0.5);
  expect(k.step(m)).toBeUndefined();
  expect(flat(m)).toEqual([0.5, 0.5, 0.5, 0.5]);
  k.step(m, { zerograd: true });
  expect(flat(m)).toEqual([0, 0, 0, 0]);
  k.step(o);
  expect(flat(m)).toEqual([0, 0, 0, 0]);
  // The optimizer itself counts the steps.
  const adam = k.opt("adam", k.module(["linear", 1, 1]));
  k.grad(k.parm(k.module(adam), "weight"), [[1]]);
  k.step(k.module(adam));
  k.step(k.module(adam));
  expect(k.state(adam).parms[0]?.buffers.step).toBe(2);
});

it("of a part is the step of the whole optimizer", () => {
  const m = network();
  k.opt("sgd", m, 0.5);
  k.step(k.child(m, "a"));
  expect(flat(m)).toEqual([0.5, 0.5, 0.5, 0.5]);
});

it("takes a closure, also for lbfgs", () => {
  const m = network();
  k.opt("lbfgs", m);
  const closure = () => {
    k.zerograd(m);
    const loss = k.mse(k.forward(m, [[1], [2]]), [[1], [2]]);
    k.backward(loss);
    return loss;
  };
  expectError("ERR_CLOSURE_REQUIRED", () => k.step(m));
  const before = k.step(m, closure);
  expect(k.step(m, closure)).toBeLessThan(before);
});

it("finds the optimizer of a model, also where its own handle was freed", () => {
  const m = network();
  const o = k.opt("sgd", m, 0.5);
  const model = k.model(m, k.loss("mse"), o);
  k.step(m);
  k.free(o);
  k.step(m);
  k.step(model);
  expect(flat(m)).toEqual([-0.5, -0.5, -0.5, -0.5]);
  k.free(model);
  expectError("ERR_PARAMETER", () => k.step(m));
});

it("is an error where there is no optimizer, or more than one, and changes nothing", () => {
  const m = network();
  expect(expectError("ERR_PARAMETER", () => k.step(m))).toContain("no optimizer");
  const o = k.opt("sgd", k.child(m, "a"), 0.5);
  const other = k.opt("sgd", k.child(m, "b"), 0.5);
  expect(expectError("ERR_PARAMETER", () => k.step(m))).toContain("several optimizers");
  expect(expectError("ERR_PARAMETER", () => k.step(m, () => 1))).toContain("several optimizers");
  expect(flat(m)).toEqual([1, 1, 1, 1]);
  k.step(k.child(m, "a"));
  expect(flat(m)).toEqual([0.5, 0.5, 1, 1]);
  k.free(o);
  k.step(m);
  expect(flat(m)).toEqual([0.5, 0.5, 0.5, 0.5]);
  k.free(other);
  expectError("ERR_PARAMETER", () => k.step(m));
  k.free(m);
  expectError("ERR_HANDLE_FREED", () => k.step(m));
  expectError("ERR_HANDLE_KIND", () => k.step(k.tensor([1]) as never));
});
