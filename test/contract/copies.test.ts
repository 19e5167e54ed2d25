// Copies of modules, of their parameters, and the freezing of parameters by name.

import * as k from "@stepwell/sdk";
import { beforeEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

beforeEach(() => {
  k.reset();
  k.seed(5);
});

const net = () =>
  k.module(k.seq("sequential", ["linear", "body", 3, 4], ["batchnorm", "norm", 4], "tanh", ["linear", "head", 4, 2]));
const input = [
  [1, 2, 3],
  [-1, 0, 1],
];
const trainOnce = (m: k.ModuleHandle, o: k.OptimizerHandle) => {
  k.backward(
    k.mse(k.forward(m, input), [
      [1, 0],
      [0, 1],
    ]),
  );
  k.step(o, { zerograd: true });
};
const values = (m: k.ModuleHandle) => k.tensor(k.evaluate(m, input));

describe("clone", () => {
  it("has equal values, names and options, and nothing in common", () => {
    const m = net();
    const o = k.opt("adam", m, 0.1);
    for (let i = 0; i < 3; i++) trainOnce(m, o);
    const [copy, state, before] = [k.clone(m), k.state(m), values(m)];
    expect(k.state(copy)).toEqual(state);
    expect(k.parmnames(copy)).toEqual(k.parmnames(m));
    trainOnce(m, o);
    expect(k.state(copy)).toEqual(state);
    expect(values(copy)).toEqual(before);
    expect(values(m)).not.toEqual(before);
    trainOnce(copy, k.opt("adam", copy, 0.1));
    expect(k.state(copy)).not.toEqual(state);
  });

  it("keeps dtypes and frozen parameters, and copies no gradients", () => {
    const m = net();
    k.to(m, "double");
    k.freeze(m, "body");
    k.backward(
      k.mse(k.forward(m, input), [
        [1, 0],
        [0, 1],
      ]),
    );
    const copy = k.clone(m);
    expect(k.gradflag(copy)).toEqual([false, false, true, true, true, true]);
    expect(k.parmnames(copy).map((name) => k.dtype(k.parm(copy, name)))).toEqual(Array(6).fill("double"));
    expect(k.grad(k.parm(m, "head.weight"))).toBeDefined();
    expect(k.grad(k.parm(copy, "head.weight")) ?? undefined).toBe(undefined);
  });

  it("keeps the ties of weights of layers", () => {
    const layer = k.module(["linear", 2, 2, { bias: false }]);
    const w = k.parm(layer, "weight");
    const own = () => k.callback((x) => k.matmul(x, w), { parms: { w } });
    // Before the layer, and after it.
    const m = k.module(k.seq("sequential", own(), layer, own()));
    const copy = k.clone(m);
    expect(k.parmnames(copy)).toEqual(k.parmnames(m));
    expect(k.tensorcount(copy)).toBe(1);
    const [name = ""] = k.parmnames(copy);
    k.copyto(
      [
        [0, 0],
        [0, 0],
      ],
      k.parm(copy, name),
    );
    expect(k.state(copy).flatMap(({ parms }) => Object.keys(parms ?? {}))).toHaveLength(3);
    expect(k.state(k.module(k.state(copy)))).toEqual(k.state(copy));
    expect(k.tensor(k.evaluate(copy, [[1, 1]]))).toEqual([[0, 0]]);
    expect(k.tensor(k.evaluate(m, [[1, 1]]))).not.toEqual([[0, 0]]);
  });

  it("draws no random numbers, and keeps a part that occurs twice one part", () => {
    const m = net();
    k.seed(9);
    const next = k.tensor(k.parm(k.module(["linear", 2, 2]), "weight"));
    k.seed(9);
    k.clone(m);
    expect(k.tensor(k.parm(k.module(["linear", 2, 2]), "weight"))).toEqual(next);

    const x = k.tensor([1], "grad");
    const o = k.opt("sgd", k.dict({ w: x }), 0.5);
    k.opt(o, k.module(["linear", 1, 1]));
    const container = k.module(o);
    const copy = k.clone(container);
    expect(k.state(copy)).toEqual(k.state(container));
    const [name = ""] = k.parmnames(copy);
    k.copyto([7], k.parm(copy, name));
    expect(k.tensor(x)).toEqual([1]);
  });

  it("takes a model for its module, and refuses other objects", () => {
    const m = net();
    const model = k.model(m, k.loss("mse"), k.opt("sgd", m, 0.1));
    expect(k.state(k.clone(model))).toEqual(k.state(m));
    const untyped = k.clone as (...args: readonly unknown[]) => unknown;
    expectError("ERR_HANDLE_KIND", () => untyped(k.tensor([1])));
    expectError("ERR_ARGUMENT", () => untyped(m, 1));
    expectError("ERR_ARGUMENT", () => untyped());
  });
});

describe("copyparms", () => {
  it("publishes new weights: afterwards both modules agree to the bit", () => {
    const m = net();
    const published = k.clone(m);
    const o = k.opt("lamb", m, 0.05);
    for (let i = 0; i < 3; i++) {
      trainOnce(m, o);
      expect(values(published)).not.toEqual(values(m));
      k.copyparms(m, published);
      expect(k.state(published)).toEqual(k.state(m));
    }
    k.copyparms(m, m);
    expect(k.state(published)).toEqual(k.state(m));
  });

  it("converts to the dtype of the target, and keeps what an optimizer knows of it", () => {
    const [from, to] = [net(), net()];
    k.to(from, "double");
    const o = k.opt("adam", to, 0.1);
    trainOnce(to, o);
    const moments = JSON.stringify(k.state(o));
    k.copyparms(from, to);
    expect(k.dtype(k.parm(to, "head.weight"))).toBe("float");
    const rounded = (k.tensor(k.parm(from, "head.bias")) as number[]).map(Math.fround);
    expect(k.tensor(k.parm(to, "head.bias"))).toEqual(rounded);
    expect(JSON.stringify(k.state(o))).toBe(moments);
    trainOnce(to, o);
  });

  it("changes nothing unless names, shapes and kinds of numbers agree", () => {
    const to = net();
    const before = k.state(to);
    const others = [
      ["ERR_PARAMETER", k.module(["linear", 3, 4]), /given `weight` for `body\.weight`/],
      ["ERR_PARAMETER", k.module(k.seq("sequential", ["linear", "body", 3, 4])), /given no more tensors for `norm/],
      [
        "ERR_SHAPE",
        k.module(k.seq("sequential", ["linear", "body", 3, 4], ["batchnorm", "norm", 4], ["linear", "head", 4, 3])),
        /`head\.weight`: expected shape \[2, 4\], given \[3, 4\]/,
      ],
    ] as const;
    for (const [code, from, message] of others) {
      expect(expectError(code, () => k.copyparms(from, to))).toMatch(message);
    }
    expect(k.state(to)).toEqual(before);
  });

  it("is refused for parameters of a running line search", () => {
    const [m, other] = [k.module(["linear", 1, 1]), k.module(["linear", 1, 1])];
    const o = k.opt("lbfgs", m, 1);
    k.step(o, () => {
      expectError("ERR_PARAMETER", () => k.copyparms(other, m));
      k.zerograd(m);
      const error = k.mse(k.forward(m, [[1]]), [[2]]);
      k.backward(error);
      return error;
    });
  });
});

describe("freeze and unfreeze", () => {
  it("set the flags of what is named, and steps leave frozen parameters alone", () => {
    const m = net();
    const o = k.opt("adam", m, 0.1);
    k.freeze(m);
    expect(k.gradflag(m)).toEqual(Array(6).fill(false));
    k.unfreeze(m, ["head.bias", "norm"]);
    expect(k.gradflag(m)).toEqual([false, false, true, true, false, true]);
    const [weight, bias] = [k.tensor(k.parm(m, "head.weight")), k.tensor(k.parm(m, "head.bias"))];
    trainOnce(m, o);
    expect(k.tensor(k.parm(m, "head.weight"))).toEqual(weight);
    expect(k.tensor(k.parm(m, "head.bias"))).not.toEqual(bias);
    k.Module.of(["linear", 1, 1]).freeze("weight").unfreeze();
  });

  it("change nothing if a name is unknown", () => {
    const m = net();
    expectError("ERR_PARAMETER", () => k.freeze(m, ["body", "tail"]));
    expectError("ERR_GRADIENT", () => k.freeze(k.vector(k.forward(m, input))));
    expectError("ERR_DTYPE", () => k.unfreeze(k.tensor([1], "long")));
    expect(k.gradflag(m)).toEqual(Array(6).fill(true));
  });
});
