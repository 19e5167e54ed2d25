// Functions that fill tensors in place, and their random numbers.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { supported } from "../engine-differences.js";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

const elements = (x: k.TensorHandle): readonly number[] => Array.from(k.data(x).data, Number);
const mean = (numbers: readonly number[]) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
const variance = (numbers: readonly number[]) => mean(numbers.map((x) => (x - mean(numbers)) ** 2));
const median = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] as number;
const count = 40_000;

/** The draws of a function into a new tensor. */
function draws(fill: (x: k.TensorHandle) => void, dtype: k.Dtype = "double"): readonly number[] {
  k.seed(11);
  const x = k.full([count], 0, dtype);
  fill(x);
  return elements(x);
}

const near = (found: number, expected: number, tolerance: number) =>
  expect(Math.abs(found - expected), `${found} near ${expected}`).toBeLessThan(tolerance);

describe("distributions", () => {
  it("normal", () => {
    near(mean(draws((x) => k.normal(x))), 0, 0.02);
    const numbers = draws((x) => k.normal(x, 3, 0.5));
    near(mean(numbers), 3, 0.01);
    near(variance(numbers), 0.25, 0.01);
    expect(draws((x) => k.normal(x, { std: 0.5, mean: 3 }))).toEqual(numbers);
    expect(new Set(draws((x) => k.normal(x, 2, 0)))).toEqual(new Set([2]));
  });

  it("uniform", () => {
    const numbers = draws((x) => k.uniform(x, -1, 3));
    near(mean(numbers), 1, 0.03);
    near(variance(numbers), 16 / 12, 0.03);
    expect(numbers.filter((x) => !(x >= -1 && x < 3))).toEqual([]);
  });

  it("lognormal", () => {
    const logarithms = draws((x) => k.lognormal(x, 0.5, 0.25)).map(Math.log);
    near(mean(logarithms), 0.5, 0.01);
    near(variance(logarithms), 0.0625, 0.003);
    near(mean(draws((x) => k.lognormal(x)).map(Math.log)), 1, 0.04);
  });

  it("exponential", () => {
    const numbers = draws((x) => k.exponential(x, 4));
    near(mean(numbers), 0.25, 0.01);
    near(variance(numbers), 0.0625, 0.005);
    expect(Math.min(...numbers.slice(0, 1000))).toBeGreaterThanOrEqual(0);
  });

  it("geometric", () => {
    const numbers = draws((x) => k.geometric(x, 0.25));
    near(mean(numbers), 4, 0.08);
    near(numbers.filter((x) => x === 1).length / count, 0.25, 0.01);
    near(numbers.filter((x) => x === 2).length / count, 0.1875, 0.01);
    expect(numbers.filter((x) => !(Number.isInteger(x) && x >= 1))).toEqual([]);
  });

  it("cauchy", () => {
    const numbers = draws((x) => k.cauchy(x, 2, 3));
    near(median(numbers), 2, 0.1);
    // Half of all numbers are within the half-width of the median.
    near(numbers.filter((x) => Math.abs(x - 2) < 3).length / count, 0.5, 0.015);
  });

  it("random", () => {
    const numbers = draws((x) => k.random(x, -2, 2), "long");
    expect(new Set(numbers)).toEqual(new Set([-2, -1, 0, 1]));
    near(mean(numbers), -0.5, 0.02);
    expectError("ERR_ARGUMENT", () => k.random(k.tensor([1]), { low: 2 } as never));
    expect(new Set(draws((x) => k.random(x, { low: 4, high: 6 }), "float"))).toEqual(new Set([4, 5]));
    expect(new Set(draws((x) => k.random(x, 3), "float"))).toEqual(new Set([0, 1, 2]));
    const all = draws((x) => k.random(x), "float");
    near(mean(all) / 2 ** 23, 1, 0.02);
    expect(all.filter((x) => !(Number.isInteger(x) && x >= 0 && x <= 2 ** 24))).toEqual([]);
  });
});

describe("fill", () => {
  it("sets all tensors of an object, or selected ones", () => {
    const [a, b] = [k.tensor([1, 2], "grad"), k.tensor([[3]], "long")];
    k.fill(k.vector(a, b), 5);
    expect([a, b].map(elements)).toEqual([[5, 5], [5]]);
    expect(k.gradflag(a)).toBe(true);
    const m = k.module(["linear", 2, 1]);
    k.fill([m, "bias"], 0.25);
    expect(elements(k.parm(m, "bias"))).toEqual([0.25]);
    k.normal(k.dict({ a }), 7, 0);
    expect(elements(a)).toEqual([7, 7]);
  });

  it("an older graph cannot be differentiated after it", () => {
    const x = k.tensor([2], "grad");
    const y = k.sum(k.mul(x, x));
    k.fill(x, 3);
    expect(expectError("ERR_ENGINE", () => k.backward(y))).toMatch(/outdated graph/);
  });

  it("of a diagonal equals PyTorch, also of a tall matrix with wrap", () => {
    const tall = () => k.full([5, 2], 0);
    const x = tall();
    k.filldiagonal(x, 1);
    expect(elements(x)).toEqual([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    const y = tall();
    k.filldiagonal(y, 1, true);
    expect(elements(y)).toEqual([1, 0, 0, 1, 0, 0, 1, 0, 0, 1]);
    const cube = k.full([2, 2, 2], 0);
    k.filldiagonal(cube, 4);
    expect(elements(cube)).toEqual([4, 0, 0, 0, 0, 0, 0, 4]);
    expectError("ERR_SHAPE", () => k.filldiagonal(k.full([2, 3, 2], 0), 1));
    expectError("ERR_SHAPE", () => k.filldiagonal(k.tensor([1]), 1));
  });
});

describe("refusals change nothing and draw nothing", () => {
  it.each([
    ["ERR_ARGUMENT", /a finite std >= 0, given 0 and -1/, (x) => k.normal(x, 0, -1)],
    ["ERR_ARGUMENT", /low up to a finite high, given 2 and 1/, (x) => k.uniform(x, 2, 1)],
    ["ERR_ARGUMENT", /std > 0, given 1 and 0/, (x) => k.lognormal(x, 1, 0)],
    ["ERR_ARGUMENT", /rate > 0, given 0/, (x) => k.exponential(x, 0)],
    ["ERR_ARGUMENT", /p: a number/, (x) => k.geometric(x, undefined as never)],
    ["ERR_ARGUMENT", /p in \(0, 1\), given 1/, (x) => k.geometric(x, 1)],
    ["ERR_ARGUMENT", /sigma > 0, given 0 and NaN/, (x) => k.cauchy(x, 0, Number.NaN)],
    ["ERR_ARGUMENT", /within ±3402\d+ for dtype float, given 10{300}/, (x) => k.normal(x, 0, 1e300)],
    ["ERR_ARGUMENT", /within ±3402\d+ for dtype float, given 10{300}/, (x) => k.uniform(x, 0, 1e300)],
    ["ERR_ARGUMENT", /within ±3402\d+ for dtype float, given -10{300}/, (x) => k.cauchy(x, -1e300)],
    ["ERR_ARGUMENT", /low below high, given 2 and 2/, (x) => k.random(x, 2, 2)],
    ["ERR_ARGUMENT", /low below high, given 0 and 1.5/, (x) => k.random(x, 1.5)],
    ["ERR_OPTION_UNKNOWN", /unknown option `sd`, expected one of mean, std/, (x) => k.normal(x, { sd: 1 } as never)],
    ["ERR_OPTION_TYPE", /option std: expected a number, given/, (x) => k.normal(x, { std: "1" } as never)],
    ["ERR_ARGUMENT", /mean: a number as argument 2/, (x) => k.normal(x, null as never)],
    ["ERR_DTYPE", /floating point, given long/, (x) => k.normal(k.vector(x, k.tensor([1], "long")))],
    ["ERR_ARGUMENT", /given null/, () => k.normal(null as never)],
    ["ERR_DTYPE", /whole numbers/, (x) => k.fill(k.vector(x, k.tensor([1], "long")), 0.5)],
  ] as readonly (readonly [k.ErrorCode, RegExp, (x: k.TensorHandle) => void])[])("%s %s", (code, message, call) => {
    const x = k.tensor([1, 2, 3]);
    k.seed(7);
    const next = k.randperm(9);
    k.seed(7);
    expect(expectError(code, () => call(x))).toMatch(message);
    expect(elements(x)).toEqual([1, 2, 3]);
    expect(k.randperm(9)).toEqual(next);
  });

  it.runIf(supported("half").length > 0)("half holds no number beyond 65504", () => {
    const x = k.tensor([1], "half");
    expectError("ERR_ARGUMENT", () => k.fill(x, 1e5));
    expectError("ERR_ARGUMENT", () => k.random(x, 1e5));
    expect(elements(x)).toEqual([1]);
  });
});
