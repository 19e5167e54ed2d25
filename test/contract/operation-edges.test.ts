// Results of operations at the edges: NaN, infinity, numbers that a dtype does not hold, and no dimensions at all.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { differences, supported } from "../engine-differences.js";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

const functions: Readonly<Record<string, unknown>> = { ...k };
/** A size for which there is no memory. */
const largest = Math.min(2 ** 40, differences.largestSize);
const read = (x: k.TensorHandle) => k.tensor(x);
const elements = (x: k.TensorHandle) => Array.from(k.data(x).data, Number);

describe("medians", () => {
  it("NaN is the median, and its first index; nanmedian leaves it out", () => {
    const x = k.tensor([3, Number.NaN, 1, Number.NaN]);
    expect(k.median(x).map(read)).toEqual([Number.NaN, 1]);
    expect(k.nanmedian(x).map(read)).toEqual([1, 2]);
    expect(k.nanmedian([Number.NaN]).map(read)).toEqual([Number.NaN, 0]);
  });
});

describe("numbers that a dtype does not hold", () => {
  it.each(supported("half", "bfloat16", "float", "double"))("rand of %s stays below 1", (dtype) => {
    k.seed(1);
    const numbers = elements(k.rand([200_000], dtype));
    expect(numbers.filter((x) => !(x >= 0 && x < 1))).toEqual([]);
  });

  it.runIf(supported("half").length > 0)("half refuses numbers beyond 65504", () => {
    const x = k.tensor([1, 2], "half");
    for (const call of [() => k.randint(0, 100_000, [3], "half"), () => k.maskedfill(x, [true, false], 1e6)]) {
      expect(expectError("ERR_ARGUMENT", call)).toMatch(/within ±65504 for dtype half, given/);
    }
    expect(elements(k.maskedfill(x, [true, false], Infinity))).toEqual([Infinity, 2]);
    expect(elements(x)).toEqual([1, 2]);
  });

  it("float refuses numbers beyond its range", () => {
    expectError("ERR_ARGUMENT", () => k.maskedfill([1, 2], [true, false], 1e39));
  });

  it("randint of bool draws false and true alone", () => {
    expect(new Set(elements(k.randint(0, 2, [64], "bool")))).toEqual(new Set([0, 1]));
    for (const [low, high] of [
      [0, 5],
      [-1, 2],
    ] as const) {
      const message = expectError("ERR_ARGUMENT", () => k.randint(low, high, [3], "bool"));
      expect(message).toContain(`given ${low} and ${high}`);
    }
  });

  it.each([Number.NaN, Infinity, -Infinity, 2 ** 63, -(2 ** 64)])("cast refuses %s as long", (number) => {
    for (const dtype of supported("float", "double", "half")) {
      if (dtype === "half" && Number.isFinite(number)) continue;
      const x = k.tensor([1, number], dtype);
      expect(expectError("ERR_DTYPE", () => k.cast(x, "long"))).toContain("from -2^63 to below 2^63");
    }
    expect(elements(k.cast([-(2 ** 63), 2.75, -2.75], "long"))).toEqual([-(2 ** 63), 2, -2]);
  });
});

it("whole numbers have no power of a negative number", () => {
  const x = k.tensor([1, 2], "long");
  expect(expectError("ERR_ARGUMENT", () => k.pow(x, -1))).toMatch(/exponent >= 0 for whole numbers, given -1/);
  expect(elements(k.pow(x, [-1, -1]))).toEqual([1, 0]);
  expect(elements(k.pow(k.tensor([2, 4]), -1))).toEqual([0.5, 0.25]);
  expect(elements(k.pow(2, -1))).toEqual([0.5]);
  expect(elements(k.fpow(x, -1))).toEqual([1, 0.5]);
});

it("no dimensions are all of them, but for all and any", () => {
  const x = k.tensor([
    [1, 2],
    [3, 6],
  ]);
  for (const [name, expected] of Object.entries({
    sum: 12,
    mean: 3,
    prod: 36,
    amax: 6,
    amin: 1,
    nansum: 12,
    nanmean: 3,
  })) {
    const call = functions[name] as typeof k.sum;
    expect([name, read(call(x, []))]).toEqual([name, expected]);
  }
  expect(k.meanvar(x, []).map(elements)).toEqual([[3], [14 / 3]].map((list) => list.map(Math.fround)));
  expect(elements(k.vnorm(x, 1, []))).toEqual([12]);
  expect(k.size(k.logsumexp(x, []))).toEqual([]);
  expect(read(k.all(x, []))).toEqual(read(k.ne(x, 0)));
  expect(read(k.any(x, []))).toEqual(read(k.ne(x, 0)));
});

it("beta 0 reads no element of z", () => {
  const [z, x, y] = [k.tensor([[Number.NaN]], "grad"), k.tensor([[2]]), k.tensor([[3]])];
  const result = k.addmm(z, x, y, 0);
  expect(read(result)).toEqual([[6]]);
  k.backward(k.sum(result));
  expect(k.grad(z)).toEqual([[0]]);
  expect(read(k.addmv([Infinity], [[2]], [3], { beta: 0 }))).toEqual([6]);
  expect(read(k.baddbmm([[[Number.NaN]]], [[[2]]], [[[3]]], 0))).toEqual([[[6]]]);
});

it("the mean comes before the deviation and the variance, as in the k-api", () => {
  expect(k.meanstd([1, 3, 5]).map(read)).toEqual([3, 2]);
  expect(k.meanvar([1, 3, 5]).map(read)).toEqual([3, 4]);
});

it("celu refuses alpha 0, which it would divide by", () => {
  expect(expectError("ERR_ARGUMENT", () => k.celu([1, -1], 0))).toMatch(/other than 0/);
});

it("a list of tensors is no object; the message names vector and dict", () => {
  const [x, y] = [k.tensor([1], "grad"), k.tensor([2], "grad")];
  for (const call of [
    () => k.opt("sgd", [x, y] as never),
    () => k.clip([x, y] as never, 1),
    () => k.zerograd([x, y] as never),
  ]) {
    expect(expectError("ERR_ARGUMENT", call)).toMatch(/join tensors by vector\(x, y\) or dict/);
  }
});

describe("an optimizer of tensors of which none requires a gradient", () => {
  it("is refused, since no step would change them", () => {
    const x = k.tensor([1, 2]);
    for (const call of [() => k.opt("sgd", x), () => k.opt("adam", k.vector(x)), () => k.opt("adam", k.dict({ x }))]) {
      expect(expectError("ERR_PARAMETER", call)).toMatch(/make it with "grad", or call gradflag\(x, true\)/);
    }
    const o = k.opt("sgd");
    expectError("ERR_PARAMETER", () => k.opt(o, 0, x));
    k.gradflag(x, true);
    k.opt(o, 0, x);
    expect(k.opt(o).parms).toHaveLength(1);
  });

  it("is accepted if one of several does, and for a module that is frozen", () => {
    k.opt("sgd", k.vector(k.tensor([1]), k.tensor([2], "grad")));
    const m = k.module(["linear", 1, 1]);
    k.freeze(m);
    k.opt("sgd", m);
  });
});

describe("slopes that are infinite at 0", () => {
  it("give gradients of 0 there, as in PyTorch", () => {
    const gradientOf = (of: (x: k.TensorHandle) => k.TensorHandle, rows: number[][]) => {
      const x = k.tensor(rows, "double", "grad");
      k.backward(k.sum(of(x)));
      return k.grad(x);
    };
    const rows = [
      [1, 1, 1],
      [1, 2, 3],
    ];
    const slope = [-0.5, 0, 0.5];
    expect(gradientOf((x) => k.std(x, 1), rows)).toEqual([[0, 0, 0], slope]);
    expect(gradientOf((x) => k.meanstd(x, 1)[1] as k.TensorHandle, rows)).toEqual([[0, 0, 0], slope]);
    // The square of the sum of roots: 1 + √(4 / x) at x.
    expect(gradientOf((x) => k.vnorm(x, 0.5), [[0, 1, 4]])).toEqual([[0, 3, 1.5]]);
    expect(gradientOf((x) => k.vnorm(x, 0.5), [[0, 0]])).toEqual([[0, 0]]);
  });
});

describe("counting", () => {
  it("refuses what it cannot count", () => {
    expect(expectError("ERR_ARGUMENT", () => k.bincount([1, -2]))).toMatch(/>= 0, given -2/);
    expect(expectError("ERR_SHAPE", () => k.bincount([1, 2], [1, 2, 3]))).toMatch(/\[2\], given \[3\]/);
    expect(expectError("ERR_SHAPE", () => k.bincount([[1]]))).toMatch(/\[n\], given shape \[1, 1\]/);
    expect(expectError("ERR_ARGUMENT", () => k.histc([1, Number.NaN], 3))).toMatch(/both finite/);
    expect(expectError("ERR_ARGUMENT", () => k.histc([1], 0))).toMatch(/at least one bin/);
    // An f32 cannot hold the ends of the range.
    expect(elements(k.histc([1e9, 1e9], 4))).toEqual([0, 0, 2, 0]);
    expect(elements(k.histc([1, 2, 3.4e38, -3.4e38], 4))).toEqual([1, 0, 2, 1]);
    expect(elements(k.histc([1, 2, 3], 4, 1e300, 1e308))).toEqual([0, 0, 0, 0]);
    if (supported("bfloat16").length > 0) {
      const short = k.histc(k.tensor([0, 0.5, 1], "bfloat16"), 1000);
      expect([k.sum(short), k.select(short, 0, -1)].flatMap(elements)).toEqual([3, 1]);
    }
    // An f32 lacks the number of the last bin.
    const many = k.histc([0, 0.5, 1], 2 ** 24 + 4);
    expect([k.sum(many), k.select(many, 0, 0), k.select(many, 0, -1)].flatMap(elements)).toEqual([3, 1, 1]);
    expectError("ERR_SHAPE", () => k.mode(k.tensor(new Float32Array(0), { shape: [2, 0] })));
    expect(expectError("ERR_MEMORY", () => k.bincount([2 ** 52]))).toMatch(/needs/);
  });

  it("gives counts of nothing", () => {
    const none = k.tensor(new Float32Array(0), { shape: [0] });
    expect(k.unique(none).map(elements)).toEqual([[], [], []]);
    expect(elements(k.histc(none, 3))).toEqual([0, 0, 0]);
    expect(elements(k.bincount(k.tensor(new BigInt64Array(0)), null, 2))).toEqual([0, 0]);
  });
});

describe("draws by probabilities", () => {
  it("bernoulli draws ones as often as it should", () => {
    k.seed(2);
    const p = k.tensor([0, 0.25, 1]);
    const rows = k.expand(p, [20_000, 3]);
    const found = elements(k.mean(k.bernoulli(rows), 0));
    expect([found[0], found[2]]).toEqual([0, 1]);
    expect(Math.abs((found[1] as number) - 0.25)).toBeLessThan(0.02);
    for (const wrong of [-0.1, 1.5, Number.NaN]) {
      expect(expectError("ERR_ARGUMENT", () => k.bernoulli([0.5, wrong]))).toMatch(/from 0 to 1, given/);
    }
  });

  it("multinomial draws in proportion to the weights, with and without replacement", () => {
    k.seed(3);
    const drawn = elements(k.multinomial([1, 0, 3], 20_000, true));
    expect(drawn.filter((i) => i === 1)).toEqual([]);
    expect(Math.abs(drawn.filter((i) => i === 2).length / 20_000 - 0.75)).toBeLessThan(0.02);
    const rows = k.tensor(
      k.multinomial(
        [
          [1, 2, 3, 0],
          [5, 1, 1, 1],
        ],
        3,
      ),
    ) as number[][];
    for (const row of rows) expect(new Set(row).size).toBe(3);
    expect([...(rows[0] as number[])].sort()).toEqual([0, 1, 2]);
    // Without replacement the first draw has the same proportions.
    const first = Array.from({ length: 4000 }, () => elements(k.multinomial([1, 1, 2], 2))[0]);
    expect(Math.abs(first.filter((i) => i === 2).length / 4000 - 0.5)).toBeLessThan(0.04);
  });

  it.each([
    ["ERR_ARGUMENT", /at least 2 weights > 0 in each row, given 1/, () => k.multinomial([1, 0], 2)],
    ["ERR_ARGUMENT", /finite weights >= 0, given -1/, () => k.multinomial([1, -1])],
    ["ERR_ARGUMENT", /finite weights >= 0, given NaN/, () => k.multinomial([Number.NaN, 1])],
    ["ERR_ARGUMENT", /at least 1 weights > 0/, () => k.multinomial([0, 0])],
    ["ERR_SHAPE", /\[k\] or \[rows, k\]/, () => k.multinomial(1)],
    ["ERR_SHAPE", /n of at least 1/, () => k.multinomial([1], 0)],
    ["ERR_DTYPE", /floating point/, () => k.multinomial(k.tensor([1], "long"))],
  ] as const)("%s %s", (code, message, call) => {
    k.seed(5);
    const next = k.randperm(10);
    k.seed(5);
    expect(expectError(code, call)).toMatch(message);
    expect(k.randperm(10)).toEqual(next);
  });
});

describe("wrong shapes", () => {
  it.each([
    ["ERR_SHAPE", /size 3 in dimension 0, given \[2\] and \[3\]/, () => k.cross([1, 2], [1, 2, 3])],
    [
      "ERR_SHAPE",
      /equal sizes, given \[1\] and \[1\] of shapes \[2\] and \[3\]/,
      () => k.tensordot([1, 2], [1, 2, 3], 1),
    ],
    ["ERR_SHAPE", /a dimension from -1 to 0, given 3/, () => k.tensordot([1, 2], [1, 2], 3)],
    ["ERR_SHAPE", /equal sizes/, () => k.tensordot([[1, 2]], [[1, 2]], [1, 1], [1, 1])],
    ["ERR_SHAPE", /a list of matrices, given one of shape \[1\]/, () => k.multidot([[[1]], [1], [[1]]])],
    ["ERR_ARGUMENT", /at least two matrices/, () => k.multidot([[[1]]])],
    ["ERR_SHAPE", /\[\*, m, k\] and \[\*, k, n\]/, () => k.multidot([[[1, 2]], [[1, 2]]])],
    ["ERR_SHAPE", /two different dimensions/, () => k.diagonal([[1]], 0, 1, 1)],
    ["ERR_SHAPE", /a dimension from -1 to 0, given 1/, () => k.diagonal([1])],
    ["ERR_SHAPE", /a vector or a matrix, given shape \[\]/, () => k.diag(1)],
    ["ERR_MEMORY", /needs/, () => k.diagflat([1], largest)],
    ["ERR_ARGUMENT", /two dimensions, a finite order/, () => k.renorm([1, 2], 2, 0, 1)],
    ["ERR_ARGUMENT", /order > 0/, () => k.renorm([[1, 2]], 0, 0, 1)],
    ["ERR_SHAPE", /two dimensions of a tensor/, () => k.fnorm([1])],
    ["ERR_SHAPE", /square matrices/, () => k.power([[1, 2]], 2)],
    ["ERR_ARGUMENT", /at least one dimension p/, () => k.mvlgamma([1], 0)],
    ["ERR_MEMORY", /needs/, () => k.mvlgamma([1], largest)],
    ["ERR_ARGUMENT", /at most 1048576 dimensions p, given 1048577/, () => k.mvlgamma([1e30], 2 ** 20 + 1)],
    ["ERR_ARGUMENT", /indices from 0 to 1, given 2/, () => k.index([1, 2], 0, 2)],
    ["ERR_SHAPE", /an index or indices \[n\]/, () => k.index([1, 2], 0, [[1]])],
    ["ERR_MEMORY", /needs/, () => k.hann(largest)],
  ] as const)("%s %s", (code, message, call) => {
    expect(expectError(code, call)).toMatch(message);
  });
});

it("norms of no elements are 0, or refused where PyTorch refuses them", () => {
  const none = k.zeros([0]);
  for (const p of [0, 1, 2, 3]) expect(k.tensor(k.vnorm(none, p))).toBe(0);
  for (const p of [Infinity, -Infinity, -1]) {
    expect(expectError("ERR_SHAPE", () => k.vnorm(none, p))).toContain("at least one element");
    expectError("ERR_SHAPE", () => k.pairwise(k.zeros([3, 0]), k.zeros([3, 0]), p));
    expectError("ERR_SHAPE", () => k.dist(none, none, p));
    expect(k.tensor(k.pdist(k.zeros([3, 0]), p))).toEqual([0, 0, 0]);
  }
  expect(k.size(k.vnorm(k.zeros([0, 2]), Infinity, 1))).toEqual([0]);
});
