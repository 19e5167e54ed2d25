// Options by name: as a dictionary, as pairs, left out, given twice.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { binding } from "../engine-differences.js";
import { expectError } from "./expect-error.js";
import { call, foreign } from "./untyped.js";

afterEach(() => k.free());

describe("options", () => {
  const row = (o: k.OptimizerHandle) => k.opt(o).options[0];
  const make = (...args: readonly unknown[]) => row(call("opt", "adam", ...args) as k.OptimizerHandle);
  const defaults = () => make([]);

  it("that are undefined are left out", () => {
    expect(make([], { lr: undefined, beta1: 0.5 })).toEqual({ ...defaults(), beta1: 0.5 });
    expect(make([], undefined, 0.5)).toEqual({ ...defaults(), beta1: 0.5 });
    expect(make([], 0.25, undefined, 0.5, { eps: 1 })).toEqual({ ...defaults(), lr: 0.25, beta2: 0.5, eps: 1 });
    expect(make([], undefined)).toEqual(defaults());
    expect(make([], ["lr", undefined], { eps: 1 })).toEqual({ ...defaults(), eps: 1 });
    expectError("ERR_ARGUMENT", () => make([], ...Array(20).fill(undefined)));
    expectError("ERR_OPTION_UNKNOWN", () => make([], { nonsense: 1, lr: undefined }));
    const m = k.module(["linear", 2, 3, undefined, { bias: undefined }] as never);
    expect(k.parmnames(m)).toEqual(["weight", "bias"]);
  });

  it("come as pairs, in one argument or several", () => {
    const expected = { ...defaults(), lr: 0.5, decay: 0.25 };
    for (const args of [
      [["lr", 0.5, "decay", 0.25]],
      [
        [
          ["lr", 0.5],
          ["decay", 0.25],
        ],
      ],
      [
        ["lr", 0.5],
        ["decay", 0.25],
      ],
      [0.5, ["decay", 0.25]],
      [["lr", 0.5], { decay: 0.25 }],
      [{ decay: 0.25 }, ["lr", 0.5]],
      [0.5, [["decay", 0.25]], undefined],
    ]) {
      expect(make([], ...args)).toEqual(expected);
    }
    expectError("ERR_ARGUMENT", () => make([], { decay: 0.25 }, 0.5));
    expectError("ERR_ARGUMENT", () => make([], ["lr"]));
    expectError("ERR_ARGUMENT", () => make([], ["lr", 0.5, "decay"]));
  });

  it("are given once", () => {
    const o = k.opt("adam");
    const before = k.state(o);
    for (const args of [
      [0.1, { lr: 0.2 }],
      [0.1, ["lr", 0.1]],
      [{ decay: 0.1, weight_decay: 0.2 }],
      [{ betas: [0.5, 0.6], beta1: 0.7 }],
      [{ beta2: 0.6, betas: [0.5, 0.6] }],
      [["lr", 0.1, "lr", 0.1]],
      [["lr", 0.1], { lr: 0.1 }],
    ]) {
      const message = expectError("ERR_ARGUMENT", () => call("opt", "adam", [], ...args));
      expect(message).toContain("given twice");
      expectError("ERR_ARGUMENT", () => call("opt", o, [], ...args));
    }
    expect(k.state(o)).toEqual(before);
    expectError("ERR_ARGUMENT", () => k.step(k.opt("sgd"), { zerograd: true, zero_grad: false } as never));
    expectError("ERR_ARGUMENT", () => k.tensor([1], "double", "float"));
    expectError("ERR_ARGUMENT", () => k.tensor([1], "grad", { grad: false }));
    expectError("ERR_ARGUMENT", () => k.module(["linear", 2, 3, { inputs: 2 }] as never));
    expectError("ERR_ARGUMENT", () => k.to(k.module(["linear", 2, 3]), "double", "float"));
  });

  it("are plain: of no prototype, of any realm, proxies, with getters", () => {
    const expected = { ...defaults(), lr: 0.5 };
    const bare = Object.assign(Object.create(null), { lr: 0.5 });
    const hidden = Object.defineProperty({ lr: 0.5 }, "beta1", { value: 0.1, enumerable: false });
    const getter = {
      get lr() {
        return 0.5;
      },
    };
    for (const bag of [bare, hidden, getter, new Proxy({ lr: 0.5 }, {}), foreign("({ lr: 0.5 })")]) {
      expect(make([], bag)).toEqual(expected);
    }
    expectError("ERR_ARGUMENT", () => make([], { lr: 0.5, [Symbol("beta1")]: 0.1 }));
  });

  it("are not what Object.prototype has", () => {
    const polluted = Object.prototype as Record<string, unknown>;
    polluted.grad = true;
    polluted.lr = 0.5;
    try {
      const x = k.tensor([1], {});
      expect(k.gradflag(x)).toBe(false);
      expect(make([], {})?.lr).toBe(0.001);
      expect(k.size(k.dict({ a: 1 }))).toBe(1);
      // Without the SDK around it.
      const id = binding.call("opt", ["adam", [], {}]);
      expect((binding.call("opt", [id]) as k.Definition).options[0]?.lr).toBe(0.001);
    } finally {
      delete polluted.grad;
      delete polluted.lr;
    }
  });
});
