// Initialisers: variances, bounds and exact properties of what they draw, and what they refuse.

import * as k from "@stepwell/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { supported } from "../engine-differences.js";
import { expectError } from "./expect-error.js";

beforeEach(() => k.seed(11));
afterEach(() => k.free());

const numbers = (x: k.TensorHandle) => [...k.data(x).data].map(Number);
const mean = (x: readonly number[]) => x.reduce((sum, x) => sum + x, 0) / x.length;

/** Fails unless numbers have mean 0 and a variance, within five standard deviations of the estimates. */
function expectSpread(x: readonly number[], variance: number, kurtosis: number) {
  expect(Math.abs(mean(x))).toBeLessThan(5 * Math.sqrt(variance / x.length));
  const found = mean(x.map((x) => x * x));
  expect(Math.abs(found / variance - 1)).toBeLessThan(5 * Math.sqrt((kurtosis - 1) / x.length));
}

const [normal, uniform] = [3, 1.8];
/** Weights of 100 outputs, 50 inputs and windows of 3 x 2: fans 300 and 600. */
const shape = [100, 50, 3, 2];
const drawn = (fill: (x: k.TensorHandle) => void) => {
  const x = k.full(shape, 7, "double");
  fill(x);
  return numbers(x);
};

describe("variances are PyTorch's", () => {
  it("knormal", () => {
    expectSpread(
      drawn((x) => k.knormal(x)),
      2 / 300,
      normal,
    );
    expectSpread(
      drawn((x) => k.knormal(x, "relu", "fanout")),
      2 / 600,
      normal,
    );
    expectSpread(
      drawn((x) => k.knormal(x, { nonlinearity: "tanh" })),
      25 / 9 / 300,
      normal,
    );
    expectSpread(
      drawn((x) => k.knormal(x, { fanmode: "fanout", slope: 1 })),
      1 / 600,
      normal,
    );
  });

  it("kuniform, within its bounds", () => {
    for (const [fill, variance] of [
      [(x: k.TensorHandle) => k.kuniform(x), 2 / 300],
      [(x: k.TensorHandle) => k.kuniform(x, "linear", "fanout"), 1 / 600],
    ] as const) {
      const values = drawn(fill);
      expectSpread(values, variance, uniform);
      const bound = Math.sqrt(3 * variance);
      expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(bound);
      expect(Math.max(...values.map(Math.abs))).toBeGreaterThan(0.99 * bound);
    }
  });

  it("words come in any order, and PyTorch's names are accepted", () => {
    const draw = (...options: readonly unknown[]) => {
      k.seed(5);
      return drawn((x) => Reflect.apply(k.knormal, undefined, [x, ...options]));
    };
    const wanted = draw("leakyrelu", "fanout", 0.25);
    expect(draw("fanout", "leakyrelu", 0.25)).toEqual(wanted);
    expect(draw(0.25, "fanout")).toEqual(wanted);
    expect(draw({ mode: "fanout", a: 0.25 })).toEqual(wanted);
    expect(draw()).not.toEqual(wanted);
  });

  it("xnormal and xuniform", () => {
    expectSpread(
      drawn((x) => k.xnormal(x)),
      2 / 900,
      normal,
    );
    expectSpread(
      drawn((x) => k.xnormal(x, 3)),
      18 / 900,
      normal,
    );
    const values = drawn((x) => k.xuniform(x, { gain: 0.5 }));
    expectSpread(values, 0.5 / 900, uniform);
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(0.5 * Math.sqrt(6 / 900));
  });

  it("tnormal, within its bounds", () => {
    const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
    // Of a standard normal number within 2: 1 - 2 * 2 density(2) / P, with P = 0.9544997361036416.
    const values = drawn((x) => k.tnormal(x));
    expectSpread(values, 1 - (4 * density(2)) / 0.9544997361036416, normal);
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(2);
    // Far from the mean: numbers above 3 have mean 3.2831 and those above 3.5 a share of 0.00023263 / 0.00134990.
    const far = drawn((x) => k.tnormal(x, 10, 2, 16, 40)).map((x) => (x - 10) / 2);
    expect(Math.min(...far)).toBeGreaterThanOrEqual(3);
    expect(Math.abs(mean(far) - 3.2831)).toBeLessThan(0.01);
    const share = mean(far.map((x) => (x > 3.5 ? 1 : 0)));
    expect(Math.abs(share - 0.00023263 / 0.0013499)).toBeLessThan(0.012);
    // Numbers above 20 have mean 20.04975. Bounds may be any number of deviations away.
    for (const sign of [1, -1]) {
      const [a, b] = [20, 1e3].map((bound) => sign * bound).sort((x, y) => x - y) as [number, number];
      const tail = drawn((x) => k.tnormal(x, 0, 1, a, b)).map((x) => sign * x);
      expect(Math.min(...tail)).toBeGreaterThanOrEqual(20);
      expect(Math.abs(mean(tail) - 20.04975)).toBeLessThan(0.003);
    }
    for (const [mu, std, a, b, nearest] of [
      [0, 1, 1e10, 2e10, 1e10],
      [0, 1, -2e300, -1e300, -1e300],
      [0, 5e-324, 5, 6, 5],
      [7, 1e-300, -1e300, 6, 6],
    ] as const)
      expect(new Set(drawn((x) => k.tnormal(x, mu, std, a, b)))).toEqual(new Set([nearest]));
    // A narrow range is nearly uniform.
    const narrow = drawn((x) => k.tnormal(x, { mean: 1, std: 5, a: 0.5, b: 1.5 } as never));
    expectSpread(
      narrow.map((x) => x - 1),
      1 / 12,
      uniform,
    );
  });

  it("snormal leaves a share of each column 0", () => {
    const x = k.full([401, 60], 7, "double");
    k.snormal(x, 0.3, 0.5);
    const rows = k.tensor(x, { dimensions: 2 });
    for (let column = 0; column < 60; column++) {
      expect(rows.filter((row) => row[column] === 0).length).toBe(Math.ceil(0.3 * 401));
    }
    expectSpread(
      numbers(x).filter((x) => x !== 0),
      0.25,
      normal,
    );
    const places = rows.map((row) => row.map((x) => (x === 0 ? 1 : 0)).join("")).join();
    k.snormal(x, 0.3);
    expectSpread(
      numbers(x).filter((x) => x !== 0),
      1e-4,
      normal,
    );
    expect(
      k
        .tensor(x, { dimensions: 2 })
        .map((row) => row.map((x) => (x === 0 ? 1 : 0)).join(""))
        .join(),
    ).not.toBe(places);
  });
});

describe("orthogonal", () => {
  it.each([
    [[30, 30], 1],
    [[5, 40], 2],
    [[40, 5], 0.5],
    [[6, 2, 3, 2], 1],
    [[20, 2, 3], 3],
    [[1, 7], 1],
  ] as const)("%j with gain %d has rows or columns at right angles", (size, gain) => {
    const x = k.full(size, 0, "double");
    k.orthogonal(x, gain);
    const rows = size[0];
    const matrix = k.reshape(x, [rows, -1]);
    const columns = numbers(x).length / rows;
    const product = rows <= columns ? k.mmt(matrix, matrix) : k.mtm(matrix, matrix);
    const wanted = k.mul(k.eye(Math.min(rows, columns), undefined, "double"), gain * gain);
    expect(Math.max(...numbers(k.abs(k.sub(product, wanted))))).toBeLessThan(1e-12 * gain * gain);
  });

  it("is uniform among orthogonal matrices: elements have mean 0 and variance 1 / n, and both signs of the determinant", () => {
    const elements: number[] = [];
    let positive = 0;
    for (let i = 0; i < 2000; i++) {
      const x = k.full([3, 3], 0, "double");
      k.orthogonal(x);
      const [[a, b], [c, d]] = k.tensor(x, { dimensions: 2 }) as unknown as [[number, number], [number, number]];
      elements.push(a);
      // The minor of the last element is that element times the determinant.
      const last = numbers(x)[8] as number;
      if ((a * d - b * c) * last > 0) positive++;
      k.free(x);
    }
    expectSpread(elements, 1 / 3, 1.8);
    expect(Math.abs(positive / 2000 - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / 2000));
  });
});

it("dirac makes a convolution that gives its input", () => {
  const m = k.module(["conv2d", 3, 3, 3, { pad: 1, bias: false }]);
  k.dirac(m);
  const x = k.randn([2, 3, 4, 5]);
  expect(numbers(k.forward(m, x))).toEqual(numbers(x));
  const grouped = k.full([4, 3, 2, 5, 1], 7);
  k.dirac(grouped, 2);
  const places = numbers(grouped).flatMap((x, i) => (x === 1 ? [i] : []));
  expect(numbers(grouped).every((x) => x === 0 || x === 1)).toBe(true);
  // Outputs 0 and 1 of each group give channels 0 and 1, at the center [1, 2, 0] of the window.
  const center = 1 * 5 + 2;
  expect(places).toEqual([0, 13, 60, 73].map((_, i) => (i * 3 + (i % 2)) * 10 + center));
});

it("gain is PyTorch's", () => {
  const words = [
    "linear",
    "conv1d",
    "conv2d",
    "conv3d",
    "convtranspose1d",
    "convtranspose2d",
    "convtranspose3d",
  ] as const;
  for (const word of [...words, "sigmoid"] as const) expect(k.gain(word)).toBe(1);
  expect([k.gain("tanh"), k.gain("relu"), k.gain("selu")]).toEqual([5 / 3, Math.SQRT2, 0.75]);
  expect(k.gain("leakyrelu")).toBeCloseTo(Math.sqrt(2 / 1.0001), 14);
  expect(k.gain("leakyrelu", 0.5)).toBeCloseTo(Math.sqrt(1.6), 14);
  expect(expectError("ERR_UNKNOWN_NAME", () => k.gain("relu6" as "relu"))).toContain(
    "unknown nonlinearity `relu6`, expected one of leakyrelu, linear, conv1d",
  );
  expectError("ERR_ARGUMENT", () => k.gain("relu", "x" as never));
});

describe("objects", () => {
  const make = () =>
    k.module(k.seq("sequential", ["linear", "body", 4, 3], ["layernorm", "norm", 3], ["linear", "head", 3, 2]));
  const parms = (m: k.ModuleHandle) =>
    Object.fromEntries(k.parmnames(m).map((name) => [name, numbers(k.parm(m, name))]));

  it("a module stands for its weights, and a name for a part or a parameter", () => {
    const m = make();
    const changed = (fill: () => void) => {
      const before = parms(m);
      fill();
      const after = parms(m);
      return Object.keys(before).filter((name) => String(before[name]) !== String(after[name]));
    };
    expect(changed(() => k.xnormal(m))).toEqual(["body.weight", "head.weight"]);
    expect(changed(() => k.xnormal([m, "head"]))).toEqual(["head.weight"]);
    expect(changed(() => k.xnormal([m, ["body.weight"]]))).toEqual(["body.weight"]);
    expect(changed(() => k.tnormal([m, ["body.bias", "head"]]))).toEqual(["body.bias", "head.weight"]);
    expect(changed(() => k.orthogonal(k.dict({ own: k.parm(m, "head.weight") })))).toEqual(["head.weight"]);
    const none = expectError("ERR_PARAMETER", () => k.xnormal([m, "norm"]));
    expect(none).toBe("xnormal: expected at least one parameter of two dimensions or more, given none");
    const vector = k.vector(k.full([2, 2], 1), k.full([2, 2], 1));
    k.xnormal([vector, 1]);
    expect(k.gradflag(k.parm(m, "head.weight"))).toBe(true);
  });
  it("all are set, or none, and random numbers stay after an error", () => {
    const m = make();
    const before = parms(m);
    k.seed(1);
    const message = expectError("ERR_SHAPE", () => k.xnormal([m, ["body.weight", "norm.weight"]]));
    expect(message).toBe("xnormal: `norm.weight`: expected a parameter of two dimensions or more, given shape [3]");
    expect(parms(m)).toEqual(before);
    const drawn = numbers(k.rand([3]));
    k.seed(1);
    expect(numbers(k.rand([3]))).toEqual(drawn);
  });

  it("follow the rules of writes: a frozen parameter is set, and none along which lbfgs is stepping", () => {
    const m = k.module(["linear", 3, 2]);
    k.freeze(m);
    k.xnormal(m);
    expect(k.gradflag(k.parm(m, "weight"))).toBe(false);
    k.unfreeze(m);
    const x = k.full([2, 2], 1, "grad");
    const o = k.opt("lbfgs", x);
    k.step(o, () => {
      expectError("ERR_PARAMETER", () => k.xnormal(x));
      k.grad(x, [
        [1, 1],
        [1, 1],
      ]);
      return 1;
    });
  });

  it("values keep their dtype", () => {
    for (const dtype of supported("float", "double", "half", "bfloat16")) {
      const x = k.full([4, 4], 0, dtype);
      k.orthogonal(x);
      expect(k.dtype(x)).toBe(dtype);
      expect(Math.abs(numbers(k.sum(k.square(x)))[0] as number) - 4).toBeLessThan(0.1);
    }
    expectError("ERR_DTYPE", () => k.xnormal(k.full([2, 2], 1, "long")));
  });
});

const calls: readonly (readonly [string, readonly unknown[], k.ErrorCode, string])[] = [
  ["knormal", [], "ERR_ARGUMENT", "expected a tensor, vector, dictionary, module or model as argument 1"],
  [
    "knormal",
    [null],
    "ERR_ARGUMENT",
    "expected a tensor, vector, dictionary, module or model as argument 1, given null",
  ],
  ["knormal", [[2, 2], "rellu"], "ERR_OPTION_RANGE", "knormal nonlinearity: expected one of"],
  ["knormal", [[2, 2], "relu", "tanh"], "ERR_ARGUMENT", "knormal nonlinearity: given twice"],
  ["kuniform", [[2, 2], { fan: "fanin" }], "ERR_OPTION_UNKNOWN", "kuniform: unknown option `fan`"],
  ["xnormal", [[2, 2], "2"], "ERR_OPTION_TYPE", 'xnormal gain: expected a finite number, given string "2"'],
  ["xnormal", [[2, 2], 1, 2], "ERR_ARGUMENT", "xnormal: expected up to 1 positional options (gain), given 2"],
  ["xuniform", [[3]], "ERR_SHAPE", "expected a parameter of two dimensions or more, given shape [3]"],
  ["snormal", [[2, 2]], "ERR_ARGUMENT", "snormal sparsity: expected a finite number in [0, 1], given nothing"],
  ["snormal", [[2, 2], 1.5], "ERR_OPTION_RANGE", "snormal sparsity: expected a finite number in [0, 1], given 1.5"],
  ["snormal", [[2, 2, 2], 0.5], "ERR_SHAPE", "expected a parameter of two dimensions, given shape [2, 2, 2]"],
  ["tnormal", [[2], 0, 0], "ERR_OPTION_RANGE", "tnormal std: expected a finite number > 0, given 0"],
  ["tnormal", [[2], 0, 1, 2, 1], "ERR_OPTION_RANGE", "expected a min below max, given min 2 and max 1"],
  ["orthogonal", [[2, 2], 1e300], "ERR_ARGUMENT", "expected numbers within ±34028234663852886"],
  ["xnormal", [[2, 2], 1e300], "ERR_ARGUMENT", "expected numbers within ±34028234663852886"],
  ["xuniform", [[2, 2], 1e300], "ERR_ARGUMENT", "expected numbers within ±34028234663852886"],
  ["snormal", [[2, 2], 0, 1e300], "ERR_ARGUMENT", "expected numbers within ±34028234663852886"],
  ["tnormal", [[2], 0, 1, 1e300, 2e300], "ERR_ARGUMENT", "expected numbers within ±34028234663852886"],
  ["orthogonal", [[4]], "ERR_SHAPE", "expected a parameter of two dimensions or more, given shape [4]"],
  ["dirac", [[4, 4]], "ERR_SHAPE", "expected a parameter of 3, 4 or 5 dimensions, given shape [4, 4]"],
  ["dirac", [[4, 4, 3], 3], "ERR_SHAPE", "expected a number of groups that divides 4, given 3 for shape [4, 4, 3]"],
];

it.each(calls)("%s(%j) fails with %s, and changes nothing", (name, args, code, message) => {
  const [first, ...rest] = args;
  const x = Array.isArray(first) ? k.full(first as number[], 7) : undefined;
  const call = (k as unknown as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>)[
    name
  ] as () => unknown;
  const given = x === undefined ? args : [x, ...rest];
  expect(expectError(code, () => Reflect.apply(call, undefined, given))).toContain(message);
  if (x !== undefined) expect(new Set(numbers(x))).toEqual(new Set([7]));
});
