// `backward` with a gradient: of a tensor with any number of elements, on each engine, against figures of torch 2.11.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { supported } from "../engine-differences.js";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

const X = [
  [0.5, -1.25, 2],
  [3, 0.1, -0.7],
];
const W = [
  [0.3, -0.2],
  [1.5, 0.25],
  [-0.4, 0.9],
];
const G = [
  [0.1, -2],
  [0, 0.75],
];

/** `(tanh(x @ w) * x[:, :2]).backward(g)` in torch 2.11.0: the gradients of `x` and `w`, in float64. */
const recorded = {
  x: [
    -0.2088378961505914, -1.6252268168977966, 0.49670450856203563, -0.0045372817873836156, -0.6207084205739013,
    0.02041776804322627,
  ],
  w: [
    0.0006327957517055003, 0.34428741856819867, -0.0015819893792637506, -0.6883018384999193, 0.002531183006822001,
    1.0890322807739352,
  ],
};

const elements = (x: k.AnyTensor) => (k.grad(x) as number[][]).flat();

function made(dtype: "float" | "double") {
  const [x, w] = [k.tensor(X, dtype, "grad"), k.tensor(W, dtype, "grad")];
  return { x, w, y: k.mul(k.tanh(k.matmul(x, w)), k.narrow(x, 1, 0, 2)) };
}

describe.each(["float", "double"] as const)("of %s", (dtype) => {
  it.each(["numbers", "a tensor"])("accumulates the gradients of torch, from %s", (kind) => {
    const { x, w, y } = made(dtype);
    if (kind === "numbers") k.backward(y, G);
    else k.backward(y, k.tensor(G, dtype));
    for (const [tensor, expected] of [
      [x, recorded.x],
      [w, recorded.w],
    ] as const) {
      for (const [i, value] of elements(tensor).entries()) {
        const reference = expected[i] as number;
        const [relative, absolute] = dtype === "double" ? [1e-12, 0] : [1.3e-6, 1e-5];
        expect(Math.abs(value - reference)).toBeLessThanOrEqual(absolute + relative * Math.abs(reference));
      }
    }
  });

  it("gives a leaf exactly the gradient, whatever its elements are", () => {
    const x = k.tensor([Number.NaN, Number.POSITIVE_INFINITY, 0, 1e30, 7], dtype, "grad");
    const given = [0.1, -3, -0, 1e30, Number.POSITIVE_INFINITY];
    k.backward(x, k.tensor(given, dtype));
    expect(k.grad(x)).toEqual(k.tensor(k.tensor(given, dtype)));
    k.backward(x, [1, 1, 1, 0, 1]);
    expect((k.grad(x) as number[])[1]).toBe(-2);
  });

  it("equals backward of a scalar for a gradient of 1", () => {
    const gradients = [undefined, 1].map((gradient) => {
      const x = k.tensor(X, dtype, "grad");
      k.backward(k.mean(k.exp(x)), gradient);
      return elements(x);
    });
    expect(gradients[1]).toEqual(gradients[0]);
  });
});

it("gives the gradient itself no gradient, even the tensor itself", () => {
  const x = k.tensor([1, 2, 3], "double", "grad");
  const g = k.tensor([1, 0, 2], "double", "grad");
  k.backward(k.mul(x, x), g);
  expect([k.grad(x), k.grad(g)]).toEqual([[2, 0, 12], undefined]);
  const y = k.mul(x, 1);
  k.nograd(x);
  k.backward(y, y);
  expect(k.grad(x)).toEqual([1, 2, 3]);
  k.nograd(x);
  k.backward(x, x);
  expect(k.grad(x)).toEqual([1, 2, 3]);
});

it("takes a tensor without elements, and a gradient of an expanded view", () => {
  const x = k.tensor(new Float32Array(0), { shape: [0, 3] }, "grad");
  k.backward(k.exp(x), k.zeros([0, 3]));
  expect(k.data(x).shape).toEqual([0, 3]);
  const z = k.tensor(
    [
      [1, 2],
      [3, 4],
    ],
    "grad",
  );
  k.backward(k.transpose(z, 0, 1), k.expand(k.tensor([[5, 6]]), [2, 2]));
  expect(k.grad(z)).toEqual([
    [5, 5],
    [6, 6],
  ]);
});

it("is a method of tensors", () => {
  const x = k.Tensor.of([1, 2, 3], "grad");
  x.mul(x).backward([1, 0, 2]);
  expect(x.grad()).toEqual([2, 0, 12]);
  const o = k.optimizer("sgd").lr(1).build(x);
  x.mul(3).backward(k.Tensor.of([1, 0, 0]), o);
  o.step();
  expect(x.values()).toEqual([1 - 5, 2, 3 - 12]);
});

describe("with an optimizer that scales losses", () => {
  it.each(["numbers", "a tensor", "the tensor itself"])(
    "multiplies %s by the scale, which the step divides by",
    (kind) => {
      const x = k.tensor([3, 4], "double", "grad");
      const o = k.opt("sgd", x, { lr: 1 });
      k.lossscale(o, { init: 8 });
      const y = k.mul(x, 2);
      k.backward(y, kind === "numbers" ? [0.5, 1] : kind === "a tensor" ? k.tensor([0.5, 1], "double") : y, o);
      const expected = kind === "the tensor itself" ? [12, 16] : [1, 2];
      expect(k.grad(x)).toEqual(expected);
      // Without the optimizer a gradient counts unscaled, so that all of it was multiplied by 8.
      k.step(o);
      expect(k.tensor(x)).toEqual([3, 4].map((value, i) => value - (expected[i] as number)));
      expect(k.skipped(o)).toBe(0);
    },
  );

  it.each(supported("half"))(
    "multiplies in more digits than those of %s, whose range ends before the scale",
    (dtype) => {
      const x = k.tensor([3, 4], dtype, "grad");
      const o = k.opt("sgd", x, { lr: 1 });
      k.lossscale(o, { init: 2 ** 16 });
      k.backward(x, k.tensor([0.5, 2 ** -24], dtype), o);
      expect(k.grad(x)).toEqual([0.5, 2 ** -24]);
      k.nograd(x);
      // Half has no number that is as small as 2 ** -30: it is scaled before it is rounded.
      k.backward(x, [0, 2 ** -30], o);
      expect(k.grad(x)).toEqual([0, 2 ** -30]);
    },
  );
});

describe("refuses, and changes nothing:", () => {
  const cases: readonly (readonly [string, k.ErrorCode, (y: k.TensorHandle) => unknown, string | RegExp])[] = [
    ["no gradient", "ERR_SHAPE", (y) => k.backward(y), "backward: expected a scalar, given a tensor of shape [2, 2]"],
    [
      "another shape",
      "ERR_SHAPE",
      (y) => k.backward(y, [1, 2]),
      "backward: expected a gradient of shape [2, 2], given [2]",
    ],
    ["a number", "ERR_SHAPE", (y) => k.backward(y, 1), "backward: expected a gradient of shape [2, 2], given []"],
    [
      "a tensor that would broadcast",
      "ERR_SHAPE",
      (y) => k.backward(y, k.zeros([1, 2], "double")),
      "backward: expected a gradient of shape [2, 2], given [1, 2]",
    ],
    [
      "a tensor of another dtype",
      "ERR_DTYPE",
      (y) => k.backward(y, k.zeros([2, 2], "float")),
      "backward: expected a gradient of dtype double, given float",
    ],
    [
      "null",
      "ERR_ARGUMENT",
      (y) => k.backward(y, null as never),
      /gradient.* or an optimizer as argument 2, given null/,
    ],
    [
      "a string",
      "ERR_ARGUMENT",
      (y) => k.backward(y, "sum" as never),
      'backward: expected numbers, given string "sum"',
    ],
    ["a vector", "ERR_HANDLE_KIND", (y) => k.backward(y, k.vector(y) as never), /argument 2/],
    [
      "a module as the optimizer",
      "ERR_HANDLE_KIND",
      (y) => k.backward(y, G, k.module(["linear", 1, 1]) as never),
      /argument 3/,
    ],
    ["a tensor as the optimizer", "ERR_HANDLE_KIND", (y) => k.backward(y, G, y as never), /argument 3/],
    [
      "a fourth argument",
      "ERR_ARGUMENT",
      (y) => (k.backward as (...args: readonly unknown[]) => void)(y, G, undefined, 1),
      /expected 3 arguments, given 4/,
    ],
  ];
  it.each(cases)("%s", (_, code, act, message) => {
    const { x, w, y } = made("double");
    const text = expectError(code, () => act(y));
    if (typeof message === "string") expect(text).toBe(message);
    else expect(text).toMatch(message);
    expect([k.grad(x), k.grad(w)]).toEqual([undefined, undefined]);
    // The graph is whole.
    k.backward(y, G);
    expect(elements(x)[0]).toBeCloseTo(recorded.x[0] as number, 12);
  });

  it("a tensor that needs no gradient", () => {
    expectError("ERR_GRADIENT", () => k.backward(k.tensor([1, 2]), [1, 2]));
    expectError("ERR_GRADIENT", () => k.backward(k.tensor([1, 2], "long"), [1, 2]));
  });

  it("a graph that an earlier backward has released", () => {
    const { x, y } = made("double");
    k.backward(y, G);
    const before = elements(x);
    expectError("ERR_ENGINE", () => k.backward(y, G));
    expect(elements(x)).toEqual(before);
  });
});
