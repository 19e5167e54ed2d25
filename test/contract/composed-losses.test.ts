// Losses that are composed of operations: options, refusals, and models that are trained by them. Values are in test/parity.

import * as k from "@stepwell/sdk";
import { afterEach, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

type Call = (...args: readonly unknown[]) => k.TensorHandle;
const call = (name: string) => Reflect.get(k, name) as Call;

it("kl by samples is the sum divided by their number", () => {
  const [x, y] = [
    k.tensor(
      [
        [-1, -2, -3],
        [-1, -1, -1],
      ],
      "double",
    ),
    [
      [0.5, 0.25, 0.25],
      [1, 0, 0],
    ],
  ];
  // 0.5 (log 0.5 + 1) + 0.25 (log 0.25 + 2) + 0.25 (log 0.25 + 3), and 1 (log 1 + 1).
  const sum = 0.5 * (Math.log(0.5) + 1) + 0.25 * (Math.log(0.25) + 2) + 0.25 * (Math.log(0.25) + 3) + 1;
  expect(k.tensor(k.kl(x, y, { reduce: "batchmean" }))).toBeCloseTo(sum / 2, 14);
  expect(k.tensor(k.kl(x, y))).toBeCloseTo(sum / 6, 14);
  expect(String(k.loss("kl", { reduce: "batchmean" }))).toBe('Loss kl(reduce: "batchmean", log: false)');
});

it("a weight of 0 for every target makes a mean of 0, with gradients of 0", () => {
  const x = k.tensor([[1, 2]], "double", "grad");
  const loss = k.ce(x, [1], { weight: [1, 0] });
  expect(k.tensor(loss)).toBe(0);
  k.backward(loss);
  expect(k.grad(x)).toEqual([[0, 0]]);
});

it("a ctc without a possible path is infinite, or 0 with gradients of 0", () => {
  const x = k.tensor(
    [
      [-1, -1],
      [-1, -1],
    ],
    "double",
    "grad",
  );
  expect(k.tensor(k.ctc(x, [1, 1], 2, 2))).toBe(Number.POSITIVE_INFINITY);
  const loss = k.ctc(x, [1, 1], 2, 2, { zeroinf: true });
  expect(k.tensor(loss)).toBe(0);
  k.backward(loss);
  expect(k.grad(x)).toEqual([
    [0, 0],
    [0, 0],
  ]);
});

const grid = [
  [1, 2],
  [3, 4],
];
const shares = [
  [0.5, 0.5],
  [0.25, 0.75],
];
it.each([
  ["huber", "ERR_SHAPE", [[1, 2]], "huber: expected target of shape [2, 2], given [2]"],
  ["huber", "ERR_OPTION_RANGE", [grid, { delta: 0 }], "huber delta: expected a finite number > 0, given 0"],
  [
    "kl",
    "ERR_OPTION_RANGE",
    [grid, { reduce: "batch" }],
    'kl reduce: expected one of "none", "mean", "sum", "batchmean"',
  ],
  ["ce", "ERR_SHAPE", [[0, 1], { weight: [1, 2, 3] }], "ce: option weight: expected 2 numbers, given 3"],
  ["ce", "ERR_OPTION_RANGE", [[0, 1], { weight: [-1, 2] }], "ce weight: expected"],
  [
    "ce",
    "ERR_OPTION_RANGE",
    [[0, 1], { smoothing: 1.5 }],
    "ce smoothing: expected a finite number in [0, 1], given 1.5",
  ],
  ["nll", "ERR_OPTION_UNKNOWN", [[0, 1], { smoothing: 0.5 }], "nll: unknown option `smoothing`"],
  ["bce", "ERR_SHAPE", [shares, [1, 2, 3]], "bce: expected shapes that broadcast, given [2, 2] and [3]"],
  [
    "bcewithlogits",
    "ERR_SHAPE",
    [grid, [[[1]]]],
    "bcewithlogits: expected weights that broadcast to [2, 2], given shape [1, 1, 1]",
  ],
  ["bcewithlogits", "ERR_SHAPE", [grid, { posweight: [1, 2, 3] }], "option posweight: expected 2 numbers, given 3"],
  ["multimargin", "ERR_ARGUMENT", [[0, 2]], "multimargin: expected classes from 0 to 1, given 2"],
  ["multimargin", "ERR_SHAPE", [[0]], "multimargin: expected target of shape [2], given [1]"],
  ["multimargin", "ERR_OPTION_RANGE", [[0, 1], { p: 3 }], "multimargin p: expected"],
  [
    "multilabel",
    "ERR_ARGUMENT",
    [
      [
        [0, -2],
        [0, 1],
      ],
    ],
    "multilabel: expected classes from -1 to 1, given -2",
  ],
  ["multilabel", "ERR_SHAPE", [[0, 1]], "multilabel: expected target of shape [2, 2], given [2]"],
  [
    "cosineloss",
    "ERR_SHAPE",
    [grid, [1]],
    "expected two tensors of shape [n, d] with targets [n], or [d] with a number, given [2, 2], [2, 2] and [1]",
  ],
  ["margin", "ERR_SHAPE", [[1, 2, 3], [1]], "margin: expected shapes that broadcast, given [3] and [2, 2]"],
  ["triplet", "ERR_OPTION_RANGE", [grid, grid, { margin: 0 }], "triplet margin: expected a finite number > 0, given 0"],
  ["triplet", "ERR_ARGUMENT", [grid], "triplet: expected a target, a tensor handle or numbers, given undefined"],
  [
    "ctc",
    "ERR_SHAPE",
    [[[1]], 2, 1],
    "expected log-probabilities of shape [t, n, c] and targets [n, s], or [t, c] and [s], given [2, 2] and [1, 1]",
  ],
  ["ctc", "ERR_ARGUMENT", [[2], 2, 1], "ctc: expected classes from 0 to 1, given 2"],
  ["ctc", "ERR_ARGUMENT", [[1], 3, 1], "ctc: expected input lengths from 0 to 2, given 3"],
  ["ctc", "ERR_ARGUMENT", [[1], 2, 2], "ctc: expected target lengths from 0 to 1, given 2"],
  ["ctc", "ERR_SHAPE", [[1], [2, 2], 1], "ctc: expected input lengths of shape [1], given [2]"],
  ["ctc", "ERR_OPTION_RANGE", [[1], 2, 1, { blank: 2 }], "blank: expected a class below 2, given 2"],
] as const)("%s refuses with %s: %j", (name, code, args, message) => {
  const x = k.tensor(
    [
      [0.5, 0.25],
      [0.125, 0.75],
    ],
    "grad",
  );
  const before = k.handlecount();
  expect(expectError(code, () => call(name)(x, ...args))).toContain(message);
  expect([k.handlecount(), k.grad(x)]).toEqual([before, undefined]);
});

it("a model refuses a loss of three tensors, and takes one of two", () => {
  const m = k.module(["linear", 2, 3]);
  const o = k.opt("sgd", m, 0.1);
  expect(expectError("ERR_ARGUMENT", () => k.model(m, k.loss("triplet"), o))).toBe(
    "model: a model needs a loss of an output and a target, given triplet, which takes 3 tensors",
  );
  const model = k.model(m, k.loss("multimargin"), o);
  k.train(model, grid, [0, 2]);
  const losses = Array.from({ length: 20 }, () => k.run(model) as number);
  expect(losses.at(-1)).toBeLessThan(losses[0] as number);
});

it("batches of weighted classes accumulate to the mean of the large batch", () => {
  const steps = [1, 3].map((accumulate) => {
    const m = k.module(["linear", 2, 3]);
    for (const [name, value] of [
      [
        "weight",
        [
          [0.5, -0.25],
          [0.125, 1],
          [-1, 0.75],
        ],
      ],
      ["bias", [0.25, 0, -0.5]],
    ] as const) {
      k.copyto(k.tensor(value), k.parm(m, name));
    }
    const model = k.model(m, k.loss("ce", { weight: [0.5, 4, 1], smoothing: 0.25 }), k.opt("sgd", m, 0.5));
    k.train(
      model,
      [
        [1, 2],
        [3, 4],
        [-1, 0.5],
        [2, -2],
        [0.25, 1],
        [1, 1],
      ],
      [0, 1, 1, 2, 0, 2],
    );
    k.train(model, { batchsize: 6 / accumulate, accumulate, shuffle: false });
    return [k.run(model), k.tensor(k.parm(m, "weight"))] as const;
  });
  const [[, large], [, small]] = steps as [readonly [unknown, k.Numbers], readonly [unknown, k.Numbers]];
  const pairs = [large, small].map((weight) => (weight as number[][]).flat());
  for (const [i, value] of (pairs[0] as number[]).entries()) expect((pairs[1] as number[])[i]).toBeCloseTo(value, 6);
});
