// Values that JavaScript can pass as data: hostile ones through every function, with equal results on both engines. A refusal
// is a `StepwellError` that says what was given, and changes nothing.

import * as k from "@stepwell/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";
import { call, foreign } from "./untyped.js";

afterEach(() => k.free());

class Foo {
  lr = 0.5;
}

/** Values that are not plain data, with their names in messages. */
const strangers: readonly (readonly [what: string, make: () => unknown])[] = [
  ["a Map", () => new Map([["lr", 0.5]])],
  ["a Set", () => new Set(["lr"])],
  ["a WeakMap", () => new WeakMap()],
  ["a Date", () => new Date()],
  ["a RegExp", () => /lr/],
  ["a Promise", () => Promise.resolve({ lr: 0.5 })],
  ["an Error", () => new Error("x")],
  ["an ArrayBuffer", () => new ArrayBuffer(8)],
  ["a SharedArrayBuffer", () => new SharedArrayBuffer(8)],
  ["a DataView", () => new DataView(new ArrayBuffer(8))],
  ["a BigUint64Array", () => new BigUint64Array(2)],
  ["a Number object", () => Object(1)],
  ["a String object", () => Object("grad")],
  ["an instance of Foo", () => new Foo()],
  ["an instance of a class", () => new (class {})()],
  ["an instance of Object", () => Object.create({ lr: 0.5 })],
  ["a Math", () => Math],
  ["a function", () => () => ({ lr: 0.5 })],
  ["a symbol", () => Symbol("lr")],
  ["a Map", () => foreign("new Map([['lr', 0.5]])")],
  ["an instance of Bar", () => foreign("new (class Bar { lr = 0.5 })()")],
  ["an URLSearchParams", () => new URLSearchParams("lr=0.5")],
];

/** Arguments that can be a dictionary of options, parameters or numbers. */
const places: Readonly<Record<string, (x: k.TensorHandle, o: k.OptimizerHandle, given: unknown) => unknown>> = {
  "opt: options": (x, _, given) => call("opt", "adam", x, given),
  "opt: parameters": (_x, _o, given) => call("opt", "adam", given),
  "opt: parameters before options": (_x, _o, given) => call("opt", "adam", given, { lr: 0.5 }),
  "opt: an option": (x, _, given) => call("opt", "adam", x, { lr: given }),
  "opt: edit": (_, o, given) => call("opt", o, given),
  step: (_, o, given) => call("step", o, given),
  "step with a closure": (_, o, given) => call("step", o, () => 1, given),
  zerograd: (_x, _o, given) => call("zerograd", given),
  tensor: (_x, _o, given) => call("tensor", given),
  "tensor: nested": (_x, _o, given) => call("tensor", [[given]]),
  "tensor: options": (_x, _o, given) => call("tensor", [1], given),
  dict: (_x, _o, given) => call("dict", given),
  "dict: numbers": (_x, _o, given) => call("dict", { a: given }),
  module: (_x, _o, given) => call("module", ["linear", 2, 2, given]),
  ce: (x, _o, given) => call("mse", x, [1, 2], given),
  schedule: (_, o, given) => call("schedule", o, given),
  lossscale: (_, o, given) => call("lossscale", o, given),
  lr: (_, o, given) => call("lr", o, given),
  load: (_x, _o, given) => call("load", k.module("relu"), given),
  free: (_x, _o, given) => call("free", given),
};

describe.each(Object.entries(places))("%s", (name, place) => {
  let x: k.TensorHandle;
  let o: k.OptimizerHandle;
  let before: unknown;
  const facts = () => [k.handlecount(), k.tensor(x), k.state(o), k.schedule(o), k.lossscale(o)];
  beforeEach(() => {
    x = k.tensor([1, 2], "grad");
    k.grad(x, [1, 1]);
    o = k.opt("adam", x, 0.125);
  });

  it.each(strangers)("refuses %s", (what, make) => {
    // A step with a closure for its options is a step with a closure.
    if (name === "step" && what === "a function") return;
    before = facts();
    const message = expectError("ERR_ARGUMENT", () => place(x, o, make()));
    expect(message).toContain(`given ${what}`);
    if (name !== "load") expect(facts()).toEqual(before);
  });

  it("passes on what a getter or a proxy throws, and nothing is changed", () => {
    before = facts();
    const thrown = new Error("mine");
    const bag = {
      get lr(): number {
        throw thrown;
      },
    };
    const keys = new Proxy({}, { ownKeys: () => expect.fail("mine") });
    const { proxy, revoke } = Proxy.revocable([1, 2], {});
    revoke();
    const list = [bag];
    for (const given of [bag, list, keys, proxy]) {
      const error = (() => {
        try {
          return place(x, o, given);
        } catch (caught) {
          return caught;
        }
      })();
      expect(error, name).toBeInstanceOf(Error);
      if (given === bag || given === list) expect(error, name).toBe(thrown);
    }
    if (name !== "load") expect(facts()).toEqual(before);
  });
});

it.each([undefined, null])("%s is no parameters", (nothing) => {
  const m = k.module(["linear", 2, 2]);
  const o = k.opt("adam", m);
  const before = [k.handlecount(), k.state(o)];
  for (const args of [[nothing], [nothing, 0.5], [nothing, { lr: 0.5 }], [0, nothing], [0, nothing, 0.5]]) {
    expectError("ERR_ARGUMENT", () => call("opt", "adam", ...args));
    expectError("ERR_ARGUMENT", () => call("opt", o, ...args));
  }
  for (const command of ["zerograd", "nograd", "step", "gradflag", "clip", "free", "size", "state"]) {
    expectError("ERR_ARGUMENT", () => call(command, nothing));
  }
  expect([k.handlecount(), k.state(o)]).toEqual(before);
  // Documented: an empty list.
  expect(k.size(k.opt("adam", []))).toBe(0);
  expect(k.size(k.opt("adam"))).toBe(0);
});

it("undefined where an argument turns reading into setting is an error", () => {
  const x = k.tensor([1, 2], "grad");
  const o = k.opt("sgd", x);
  k.lossscale(o, { init: 4 });
  k.grad(x, [3, 4]);
  k.schedule(o, { schedule: "step", every: 2 } as never);
  const before = [k.state(o), k.grad(x), k.gradflag(x)];
  for (const [command, ...args] of [
    ["lr", o],
    ["lossscale", o],
    ["schedule", o],
    ["gradflag", x],
    ["grad", x],
    ["setting", "alloptions"],
  ] as const) {
    expectError("ERR_ARGUMENT", () => call(command, ...args, undefined));
  }
  expectError("ERR_ARGUMENT", () => call("grad", x, null));
  expect([k.state(o), k.grad(x), k.gradflag(x)]).toEqual(before);
});

it("takes objects of the fluent layer wherever their handles are taken", () => {
  const m = k.Module.of(["linear", 2, 2]) as never;
  const x = k.Tensor.of([[1, 2]]) as never;
  const o = k.opt("sgd", m, 0.5);
  expect(k.size(o)).toBe(2);
  expect(k.parmnames(m)).toEqual(["weight", "bias"]);
  expect(k.size(k.opt("sgd", [m, ["weight"]]))).toBe(1);
  const loss = k.mse(k.forward(m, x), [[0, 0]]);
  k.backward(loss);
  const before = k.tensor(k.parm(m, "bias"));
  k.step(new k.Optimizer(o) as never);
  expect(k.tensor(k.parm(m, "bias"))).not.toEqual(before);
  k.step(o, () => new k.Tensor(k.mse(k.forward(m, x), [[0, 0]])) as never);
  k.zerograd(m);
  expect(k.size(k.vector(x, x))).toBe(2);
  expect(k.size(k.dict({ handle: x }))).toBe(1);
  k.free(x);
  expectError("ERR_HANDLE_FREED", () => k.size(x));

  const module = k.Module.of(["linear", 2, 2]);
  const before2 = k.handlecount();
  const model = new k.Model(module, "mse", k.optimizer("sgd").lr(0.05).build(module));
  k.train(model as never, [[1, 2]], [[0, 0]]);
  const loss2 = k.run(model as never) as number;
  expect(k.run(model as never)).toBeLessThan(loss2);
  expect(k.size(k.opt("adam", model as never))).toBe(2);
  expect(k.classof(model as never)).toBe("model");
  k.step(model as never);
  model[Symbol.dispose]();
  // The module is gone, and the optimizer of two parameters that was made during the call is there.
  expect(k.handlecount()).toBe(before2 - 1 + 1);
});
