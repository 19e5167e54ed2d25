// Moments in bfloat16 compared with moments in full precision: right to some percent, however long it runs.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { differences } from "../engine-differences.js";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

const count = 64;
/** The largest error of a buffer, relative to its norm. */
const share = 0.05;

/** Averages of gradients are kept in 16 bits; sums and averages of squares, and values derived from them, in full. */
const reduced: readonly string[] = ["exp_avg", "momentum_buffer"];

type Case = readonly [name: k.OptimizerName, options: object];
const cases: readonly Case[] = [
  ["adam", {}],
  ["adam", { amsgrad: true, beta1: 0.99 }],
  ["adamw", { beta1: 0.95 }],
  ["lamb", { beta1: 0.98 }],
  ["lamb", { decay: 0.01, trustclip: false }],
  ["rmsprop", {}],
  ["rmsprop", { momentum: 0.9, centered: true }],
  ["rmsprop", { momentum: 0.99, alpha: 0.999 }],
  ["sgd", { momentum: 0.9 }],
  ["sgd", { momentum: 0.99, dampening: 0.5 }],
  ["sgd", { momentum: 0.95, nesterov: true }],
];

const buffersOf = (o: k.OptimizerHandle) => {
  const told = k.state(o).parms[0]?.buffers as { readonly [key: string]: k.TypedTensor | number | null };
  return Object.entries(told).flatMap(([key, buffer]) =>
    typeof buffer === "object" && buffer !== null ? [{ key, ...buffer, data: Array.from(buffer.data, Number) }] : [],
  );
};

function twins(name: k.OptimizerName, options: object) {
  return (["full", "bfloat16"] as const).map((moments) => {
    const x = k.tensor(new Float32Array(count), "grad");
    return { x, o: k.opt(name as "adam", x, { lr: 1e-3, moments, ...options } as never) };
  }) as [Twin, Twin];
}
interface Twin {
  readonly x: k.TensorHandle;
  readonly o: k.OptimizerHandle;
}

const size = (x: readonly number[]) => Math.sqrt(x.reduce((sum, x) => sum + x * x, 0));

/** Fails unless full buffers equal the twin's to the bit, and 16-bit buffers are near them. */
function expectNear([full, narrow]: readonly [Twin, Twin], what: string) {
  const ours = buffersOf(narrow.o);
  for (const [b, { key, data }] of buffersOf(full.o).entries()) {
    const given = ours[b]?.data as number[];
    expect(ours[b]?.dtype, key).toBe(reduced.includes(key) ? "bfloat16" : undefined);
    if (!reduced.includes(key)) expect(given, key).toEqual(data);
    else expect(size(given.map((x, i) => x - (data[i] as number))) / size(data), `${what}, ${key}`).toBeLessThan(share);
  }
}

describe.each(cases)("%s %o", (name, options) => {
  it("follows gradients that stay, and fall, and vanish", () => {
    const both = twins(name, options);
    // A different constant for each element: some are exact in 16 bits, some are not.
    const row = Array.from({ length: count }, (_, i) => (i % 2 ? -1 : 1) * (1 + i / 37));
    const run = (steps: number, factor: number) => {
      for (const { x, o } of both) {
        k.grad(
          x,
          row.map((g) => g * factor),
        );
        for (let step = 0; step < steps; step++) k.step(o);
      }
    };
    for (const [steps, factor] of [
      [1, 1],
      [9, 1],
      [5000, 1],
      [10_000, 0.01],
    ] as const) {
      run(steps, factor);
      expectNear(both, `after ${steps} steps of ${factor}`);
    }
  });

  it("follows gradients that change", () => {
    const both = twins(name, options);
    for (let step = 0; step < 2000; step++) {
      const g = Array.from({ length: count }, (_, i) => 0.3 + Math.sin(step * (1 + i / 50) + i));
      for (const { x, o } of both) {
        k.grad(x, g);
        k.step(o);
      }
      if (step % 400 === 399) expectNear(both, `step ${step}`);
    }
    const [x, y] = both.map(({ x }) => k.tensor(x) as number[]) as [number[], number[]];
    const far = Math.max(...x.map(Math.abs));
    expect(Math.max(...x.map((x, i) => Math.abs(x - (y[i] as number)))) / far).toBeLessThan(share);
  });
});

it("what rounding leaves has no bias: the mean of many elements is that in full", () => {
  const x = k.tensor(new Float32Array(4096), "grad");
  const o = k.opt("sgd", x, { lr: 1e-3, momentum: 0.99, moments: "bfloat16" });
  k.grad(x, new Float32Array(4096).fill(1.003));
  for (let step = 0; step < 2000; step++) k.step(o);
  const [buffer] = buffersOf(o);
  const mean = (buffer?.data ?? []).reduce((sum, m) => sum + m, 0) / 4096;
  expect(Math.abs(mean / 100.3 - 1)).toBeLessThan(1e-3);
  // Each is one of the two nearest numbers of 16 bits.
  expect(new Set(buffer?.data).size).toBeGreaterThan(1);
});

it("what is not finite stays what it is", () => {
  const x = k.tensor([0, 0, 0, 0], "grad");
  const o = k.opt("sgd", x, { momentum: 0.5, moments: "bfloat16" });
  k.grad(x, [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 3e38]);
  k.step(o);
  const data = buffersOf(o)[0]?.data as number[];
  expect(data.slice(0, 3)).toEqual([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]);
  expect(Math.abs((data[3] as number) / 3e38 - 1)).toBeLessThan(2 ** -7);
});

it("are refused by an optimizer that keeps no average of gradients", () => {
  const message = 'adagrad moments: expected "full", since it keeps no average of gradients, given "bfloat16"';
  const x = k.tensor([1], "grad");
  expect(expectError("ERR_OPTION_RANGE", () => k.opt("adagrad", x, { moments: "bfloat16" }))).toContain(message);
  const o = k.opt("adagrad", x);
  expectError("ERR_OPTION_RANGE", () => k.opt(o, 0, [], { moments: "bfloat16" } as never));
  expect(k.state(o).options[0]).not.toHaveProperty("moments");
});

it.each(differences.implementations.includes(false) ? ["adam"] : [])(
  "a state of %s with all moments in 16 bits restores",
  () => {
    const m = k.module(["linear", 2, 3]);
    const o = k.opt("adam", m, { moments: "bfloat16" });
    const backward = () => {
      k.zerograd(o);
      const loss = k.mse(k.forward(m, [[1, 2]]), [[1, 0, 2]]);
      k.backward(loss);
    };
    backward();
    k.step(o);
    const saved = structuredClone(k.state(o));
    for (const { buffers } of saved.parms as unknown as { buffers: { [key: string]: k.TypedTensor } }[]) {
      const { data, shape } = buffers.exp_avg_sq as k.TypedTensor;
      buffers.exp_avg_sq = k.data(k.to(k.tensor(data as Float32Array, { shape }), "bfloat16"));
    }
    const other = k.opt(saved, m);
    backward();
    k.step(other);
    const told = k.state(other).parms.map(({ buffers }) => buffers as { readonly [key: string]: k.TypedTensor });
    for (const row of told) expect([row.exp_avg?.dtype, row.exp_avg_sq?.dtype]).toEqual(["bfloat16", undefined]);
  },
);
