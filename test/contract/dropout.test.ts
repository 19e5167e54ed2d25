// Layers that leave out a part of their input at random: which part, how often, and what stays.

import * as k from "@stepwell/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

beforeEach(() => k.seed(7));
afterEach(() => k.free());

const numbers = (x: k.TensorHandle) => [...k.data(x).data].map(Number);
const mean = (x: readonly number[]) => x.reduce((sum, x) => sum + x, 0) / x.length;

/** Elements in runs of a length. */
const runs = (x: readonly number[], length: number) =>
  Array.from({ length: x.length / length }, (_, i) => x.slice(i * length, (i + 1) * length));

/** Kinds with an input of ones, and how many elements are left out together. */
const kinds = [
  ["dropout", [40, 50], 1],
  ["drop", [40, 50], 1],
  ["drop2d", [20, 100, 3, 2], 6],
  ["drop2d", [20, 100, 5], 5],
  ["drop3d", [20, 100, 2, 2, 2], 8],
  ["drop3d", [2000, 2, 2, 2], 8],
  ["droppath", [2000, 3], 3],
] as const;

describe.each([0.25, 0.5, 0.8])("with probability %d", (p) => {
  it.each(kinds)("%s of %j leaves out runs of %d, and keeps the mean", (kind, shape, length) => {
    const m = k.module([kind, p]);
    const x = k.full(shape, 1, "grad");
    const y = k.forward(m, x);
    const values = numbers(y);
    for (const run of runs(values, length)) expect(new Set(run).size).toBe(1);
    const kept = Math.fround(1 / (1 - p));
    expect([...new Set(values)].sort()).toEqual([0, kept]);
    // Five standard deviations of the share of 2000 draws.
    const share = mean(values.map((value) => (value === 0 ? 1 : 0)));
    expect(Math.abs(share - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / 2000));
    k.backward(k.sum(y));
    expect([k.grad(x)].flat(9)).toEqual(values);
    expect(numbers(k.evaluate(m, x))).toEqual(numbers(x));
  });

  it.each([
    ["adrop", [200, 200], 1],
    ["fadrop", [100, 400, 4], 4],
  ] as const)("%s of %j keeps mean 0 and variance 1", (kind, shape, length) => {
    const m = k.module([kind, p]);
    const x = k.randn(shape);
    const [given, values] = [numbers(x), numbers(k.forward(m, x))];
    const limit = 1.0507009873554805 * 1.6732632423543772;
    const factor = 1 / Math.sqrt((limit ** 2 * p + 1) * (1 - p));
    const isLeftOut = runs(values, length).map((run, i) => {
      const out = run.every((value) => Math.abs(value - limit * factor * (p - 1)) < 1e-5);
      const own = given.slice(i * length, (i + 1) * length);
      const kept = run.every((value, j) => Math.abs(value - (factor * (own[j] as number) + limit * factor * p)) < 1e-5);
      expect(out !== kept).toBe(true);
      return out ? 1 : 0;
    });
    expect(Math.abs(mean(isLeftOut) - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / isLeftOut.length));
    expect(Math.abs(mean(values))).toBeLessThan(0.05);
    expect(Math.abs(mean(values.map((value) => value ** 2)) - 1)).toBeLessThan(0.1);
    expect(numbers(k.evaluate(m, x))).toEqual(given);
  });
});

it("rrelu draws a slope for each element while training, and takes the mean in use", () => {
  const m = k.module(["rrelu", 0.25, 0.75]);
  const x = k.full([4000], -2, "grad");
  const y = k.forward(m, x);
  const slopes = numbers(y).map((value) => value / -2);
  expect(Math.min(...slopes)).toBeGreaterThanOrEqual(0.25);
  expect(Math.max(...slopes)).toBeLessThan(0.75);
  // The standard deviation of a uniform number in a range of 1/2 is 1/2 / sqrt(12).
  expect(Math.abs(mean(slopes) - 0.5)).toBeLessThan((5 * 0.5) / Math.sqrt(12 * 4000));
  k.backward(k.sum(y));
  expect([k.grad(x)].flat(9)).toEqual(slopes);
  expect(new Set(numbers(k.evaluate(m, x)))).toEqual(new Set([-1]));
  expect(numbers(k.forward(m, [1, 2]))).toEqual([1, 2]);
  expect(numbers(k.rrelu([-8, 8], { lower: 0.25, upper: 0.75 }))).toEqual([-4, 8]);
  const drawn = numbers(k.rrelu(x, 0.5, 0.75, true));
  expect(new Set(drawn).size).toBeGreaterThan(1000);
});

it("a seed decides what is left out", () => {
  for (const kind of ["dropout", "drop2d", "adrop", "fadrop", "droppath", "rrelu"] as const) {
    const m = k.module([kind]);
    const draw = () => {
      k.seed(3);
      return numbers(k.forward(m, k.full([8, 8, 4], -1)));
    };
    expect(draw()).toEqual(draw());
  }
});
