import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

const elements = (tensor: k.TensorHandle): readonly number[] => Array.from(k.data(tensor).data, Number);
const mean = (numbers: readonly number[]) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
const variance = (numbers: readonly number[]) => mean(numbers.map((x) => x ** 2)) - mean(numbers) ** 2;

/** Every kind of random number, after a seed. */
const draws = {
  weights: (seed: number) => {
    k.seed(seed);
    const m = k.module(k.seq("sequential", ["linear", 3, 4], ["conv2d", 1, 2, 3], ["embedding", 5, 2]));
    return k.parmnames(m).map((name) => k.tensor(k.parm(m, name)));
  },
  masks: (seed: number) => {
    k.seed(seed);
    const m = k.module(["dropout", 0.5]);
    return [k.tensor(k.forward(m, k.full([64], 1))), k.tensor(k.forward(m, k.full([64], 1)))];
  },
  permutations: (seed: number) => {
    k.seed(seed);
    return [k.randperm(50), k.randperm(50)];
  },
};

describe.each(Object.entries<(seed: number) => unknown>(draws))("%s", (_, draw) => {
  it("are the same after the same seed and others after another", () => {
    const seeds = [0, 1, 2, 2 ** 40, Number.MAX_SAFE_INTEGER];
    const all = seeds.map((seed) => draw(seed));
    expect(seeds.map((seed) => draw(seed))).toEqual(all);
    expect(new Set(all.map((one) => JSON.stringify(one))).size).toBe(seeds.length);
  });
});

it("one draw is not the next", () => {
  const [a, b] = draws.masks(1);
  expect(a).not.toEqual(b);
  const [p, q] = draws.permutations(1);
  expect(p).not.toEqual(q);
});

it("evaluation draws nothing", () => {
  const m = k.module("dropout");
  k.seed(4);
  const next = k.randperm(20);
  k.seed(4);
  k.evaluate(m, k.full([100], 1));
  expect(k.randperm(20)).toEqual(next);
});

it("a call that fails draws nothing", () => {
  k.seed(4);
  const next = k.randperm(20);
  k.seed(4);
  expectError("ERR_UNKNOWN_NAME", () => k.module(k.seq("sequential", ["linear", 2, 2], "nonsense" as never)));
  expect(k.randperm(20)).toEqual(next);
});

it("a permutation holds every number once", () => {
  expect(Array.from(k.randperm(0))).toEqual([]);
  expect(Array.from(k.randperm(1))).toEqual([0]);
  const order = k.randperm(1000);
  expect(order).toBeInstanceOf(Float64Array);
  expect(Array.from(order)).not.toEqual(Array.from({ length: 1000 }, (_, i) => i));
  expect(Array.from(order).sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
});

it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, "7", null])(
  "%s is no seed and no count",
  (invalid) => {
    expectError("ERR_ARGUMENT", () => k.seed(invalid as never));
    expectError("ERR_ARGUMENT", () => k.randperm(invalid as never));
  },
);

it("refuses more numbers than memory holds", () => {
  expectError("ERR_MEMORY", () => k.randperm(2 ** 50));
});

describe.each(["float", "double"] as const)("dropout in %s", (dtype) => {
  const count = 40_000;

  it.each([0.1, 0.3, 0.5, 0.9])("with p = %d keeps 1 - p of the elements and scales them", (p) => {
    k.seed(11);
    const y = elements(k.forward(k.module(["dropout", p]), k.full([count], 3, dtype)));
    const kept = y.filter((value) => value !== 0);
    // Five standard deviations of a binomial distribution.
    expect(Math.abs(kept.length - (1 - p) * count)).toBeLessThan(5 * Math.sqrt(count * p * (1 - p)));
    const scaled = dtype === "double" ? 3 * (1 / (1 - p)) : Math.fround(3 * Math.fround(1 / (1 - p)));
    expect(new Set(kept)).toEqual(new Set([scaled]));
  });

  it("with p = 0 keeps all and with p = 1 nothing", () => {
    const x = k.full([100], 3, dtype);
    expect(new Set(elements(k.forward(k.module(["dropout", 0]), x)))).toEqual(new Set([3]));
    expect(new Set(elements(k.forward(k.module(["dropout", 1]), x)))).toEqual(new Set([0]));
  });

  it("passes gradients through the same mask", () => {
    const x = k.full([200], 1, dtype, "grad");
    const y = k.forward(k.module(["dropout", 0.5]), x);
    k.backward(k.l1(y, k.full([200], -1, dtype), { reduce: "sum" }));
    expect(k.grad(x)).toEqual(elements(y));
  });
});

describe("fresh parameters", () => {
  const weights = (specification: k.ModuleSpecification, name: string) =>
    elements(k.parm(k.module(specification), name));

  it.each([
    ["linear", ["linear", 16, 500], 16],
    ["conv2d", ["conv2d", 4, 500, 3], 36],
    ["conv2d of groups", ["conv2d", 4, 500, [1, 2], { groups: 2 }], 4],
  ] as readonly (readonly [string, k.ModuleSpecification, number])[])(
    "of %s are uniform within 1/sqrt(inputs of an output)",
    (_, specification, inputs) => {
      k.seed(1);
      const bound = 1 / Math.sqrt(inputs);
      for (const name of ["weight", "bias"]) {
        const numbers = weights(specification, name);
        expect(Math.max(...numbers.map(Math.abs))).toBeLessThanOrEqual(Math.fround(bound));
        expect(Math.max(...numbers)).toBeGreaterThan(0.9 * bound);
        expect(Math.min(...numbers)).toBeLessThan(-0.9 * bound);
        const deviation = bound / Math.sqrt(3);
        expect(Math.abs(mean(numbers))).toBeLessThan((5 * deviation) / Math.sqrt(numbers.length));
        expect(variance(numbers) / deviation ** 2).toBeCloseTo(1, 0);
      }
    },
  );

  it("of embedding are standard normal", () => {
    k.seed(1);
    const numbers = weights(["embedding", 200, 100], "weight");
    expect(Math.abs(mean(numbers))).toBeLessThan(5 / Math.sqrt(numbers.length));
    expect(variance(numbers)).toBeCloseTo(1, 1);
    const within = (limit: number) => numbers.filter((x) => Math.abs(x) < limit).length / numbers.length;
    expect(within(1)).toBeCloseTo(0.6827, 1);
    expect(within(2)).toBeCloseTo(0.9545, 1);
  });

  it("of batchnorm and layernorm are 1 and 0", () => {
    for (const kind of ["batchnorm", "layernorm"]) {
      expect(weights(k.layers.fromJSON([kind, 3]), "weight")).toEqual([1, 1, 1]);
      expect(weights(k.layers.fromJSON([kind, 3]), "bias")).toEqual([0, 0, 0]);
    }
    expect(weights(["batchnorm", 2], "running_mean")).toEqual([0, 0]);
    expect(weights(["batchnorm", 2], "running_var")).toEqual([1, 1]);
  });
});
