// A term whose factor is 0 is not computed, so that an infinity or a NaN in it has no effect. PyTorch branches, too.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { differences } from "../engine-differences.js";
import { optimizers } from "./optimizers.js";

afterEach(() => k.free());

const infinity = Number.POSITIVE_INFINITY;
const firstOrder = optimizers.filter((name) => name !== "lbfgs");
const special = [infinity, -infinity, Number.NaN, 1e-42, -1e-42, 3e38];
const gradient = [0.5, -0.25, 3, 0, -0.0, 1e-40];

/** Every option with which a formula has fewer terms, at the value that takes them away. */
const off: Readonly<Record<string, readonly { readonly [option: string]: unknown }[]>> = {
  sgd: [{}, { momentum: 0.9 }, { momentum: 0.9, nesterov: true }, { maximize: true, momentum: 0.9 }],
  adagrad: [{}, { lrdecay: 0.5 }, { maximize: true }],
  rmsprop: [{}, { momentum: 0.9 }, { centered: true }, { momentum: 0.9, centered: true }],
  adam: [{}, { amsgrad: true }, { maximize: true }],
  adamw: [{}, { amsgrad: true }],
  lamb: [{ globalnorm: false }, { globalnorm: false, l2: true }, { globalnorm: false, unbiased: false }],
};

const implementations = (name: string, options: object) =>
  name === "lamb" || "maximize" in options ? [true] : differences.implementations;
const cases = firstOrder.flatMap((name) =>
  (off[name] ?? []).flatMap((options) => implementations(name, options).map((fused) => ({ name, options, fused }))),
);

/** Three steps with one gradient from these weights. */
function trained(name: string, options: object, fused: boolean, weights: readonly number[], g: readonly number[]) {
  const x = k.tensor(weights, "grad");
  const o = k.opt(name as "adam", x, { lr: 0.125, decay: 0, fused, ...options } as never);
  for (let i = 0; i < 3; i++) {
    k.grad(x, g);
    k.step(o);
  }
  const buffers = Object.entries(k.state(o).parms[0]?.buffers ?? {});
  return { x: [...k.data(x).data].map(Number), buffers };
}

it("has a row for every optimizer", () => expect(Object.keys(off).sort()).toEqual([...firstOrder].sort()));

describe.each(cases)("$name $options, fused $fused, with decay 0", ({ name, options, fused }) => {
  it("keeps a state that has not seen the parameter", () => {
    const plain = trained(name, options, fused, [1, 1, 1, 1, 1, 1], gradient);
    expect(trained(name, options, fused, special, gradient).buffers).toEqual(plain.buffers);
  });

  it("leaves an infinite parameter what it is", () => {
    // The trust ratio of a tensor with a NaN is NaN.
    const weights = name === "lamb" ? special.map((x) => (Number.isNaN(x) ? infinity : x)) : special;
    const { x } = trained(name, options, fused, weights, gradient);
    expect(x.slice(0, 3)).toEqual(weights.slice(0, 3));
    expect(x.slice(3).every(Number.isFinite)).toBe(true);
  });
});

it.each([false, true].flatMap((nesterov) => differences.implementations.map((fused) => ({ nesterov, fused }))))(
  "sgd with an infinite gradient and momentum, %o, goes the other way",
  ({ nesterov, fused }) => {
    const { x, buffers } = trained("sgd", { momentum: 0.5, nesterov }, fused, [1, 1, 1], [infinity, -infinity, 1]);
    expect(x.slice(0, 2)).toEqual([-infinity, infinity]);
    expect(Number.isFinite(x[2])).toBe(true);
    expect(buffers).toEqual([["momentum_buffer", { data: Float32Array.of(infinity, -infinity, 1.75), shape: [3] }]]);
  },
);

describe("rmsprop centered", () => {
  it("is finite with gradients that stay the same, whose variance is 0", () => {
    // A fixed sequence: no test may depend on chance.
    const gradients = Array.from({ length: 1000 }, (_, i) => Math.sin(i * 12.9898) * 10 ** ((i % 9) - 4));
    for (const momentum of [0, 0.5]) {
      const x = k.tensor(new Float32Array(1000), "grad");
      const o = k.opt("rmsprop", x, { centered: true, momentum });
      k.grad(x, Float32Array.from(gradients));
      for (let i = 0; i < 4000; i++) k.step(o);
      expect([...k.data(x).data].filter((value) => !Number.isFinite(Number(value)))).toEqual([]);
    }
  });

  it("passes on a gradient that is no number", () => {
    const { x } = trained("rmsprop", { centered: true }, true, [1, 1], [Number.NaN, 1]);
    expect([x[0], Number.isFinite(x[1])]).toEqual([Number.NaN, true]);
  });
});

describe("lamb, where one gradient is no number", () => {
  const moved = (options: object, bad: number) => {
    const [a, b] = [k.tensor([1, 2], "grad"), k.tensor([3, 4], "grad")];
    const o = k.opt("lamb", k.vector(a, b), { lr: 0.1, ...options } as never);
    k.grad(a, [bad, 1000]);
    k.grad(b, [1000, 1000]);
    k.step(o);
    const state = k.state(o).parms[1]?.buffers as { exp_avg_sq: k.TypedTensor };
    return { a: k.tensor(a), b: k.tensor(b), v: [...state.exp_avg_sq.data] };
  };
  const lost = [Number.NaN, Number.NaN];

  it("loses every parameter with globalnorm, as with clip_grad_norm_, and not only the norm", () => {
    for (const options of [{}, { max_grad_norm: 1 }]) {
      expect(moved(options, Number.NaN)).toEqual({ a: lost, b: lost, v: lost });
    }
  });

  it("divides by a norm that is infinite, as clip_grad_norm_ does", () => {
    for (const options of [{}, { max_grad_norm: 1 }]) {
      expect(moved(options, infinity)).toEqual({ a: lost, b: [3, 4], v: [0, 0] });
    }
  });

  it("loses that parameter without globalnorm, and no other: its trust ratio is no number", () => {
    const { a, b } = moved({ globalnorm: false }, Number.NaN);
    expect(a).toEqual(lost);
    expect(b).toEqual(moved({ globalnorm: false }, 1000).b);
  });
});
