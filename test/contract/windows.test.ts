// Convolutions, windows, padding and interpolation: shapes and options that do not fit, and layers that equal functions.

import * as k from "@stepwell/sdk";
import { afterEach, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

const f = k as unknown as Readonly<Record<string, (...args: readonly unknown[]) => k.TensorHandle>>;
const ones = (...shape: readonly number[]) => k.full(shape, 1);

/** Calls that are refused, with the code and a part of the message. */
const refused: readonly (readonly [
  name: string,
  args: () => readonly unknown[],
  code: k.ErrorCode,
  message: string,
])[] = [
  [
    "conv2d",
    () => [ones(1, 4, 5, 5), ones(2, 3, 2, 2)],
    "ERR_SHAPE",
    "conv2d: expected input of shape [n, 3, h, w] that a 2x2 kernel fits into, given [1, 4, 5, 5], with weight [2, 3, 2, 2]",
  ],
  [
    "conv2d",
    () => [ones(1, 3, 1, 5), ones(2, 3, 2, 2)],
    "ERR_SHAPE",
    "that a 2x2 kernel fits into, given [1, 3, 1, 5]",
  ],
  ["conv2d", () => [ones(3), ones(2, 3, 2, 2)], "ERR_SHAPE", "given [3], with weight [2, 3, 2, 2]"],
  [
    "conv2d",
    () => [ones(1, 3, 5, 5), ones(2, 3, 2)],
    "ERR_SHAPE",
    "expected a weight of shape [out, in, h, w], given [2, 3, 2]",
  ],
  [
    "conv2d",
    () => [ones(1, 3, 5, 5), ones(2, 0, 2, 2)],
    "ERR_SHAPE",
    "expected a weight of shape [out, in, h, w], given [2, 0, 2, 2]",
  ],
  [
    "conv2d",
    () => [ones(1, 3, 5, 5), ones(2, 3, 2, 2), ones(3)],
    "ERR_SHAPE",
    "expected a bias of shape [2] for weight [2, 3, 2, 2], given [3]",
  ],
  [
    "conv2d",
    () => [ones(1, 4, 5, 5), ones(3, 2, 2, 2), { groups: 2 }],
    "ERR_SHAPE",
    "expected a weight of shape [out, in / 2, h, w], given [3, 2, 2, 2]",
  ],
  ["conv2d", () => [ones(1, 3, 5, 5), ones(2, 3, 2, 2), { groups: 0 }], "ERR_OPTION_RANGE", "conv2d groups: "],
  [
    "conv2d",
    () => [ones(1, 3, 5, 5), ones(2, 3, 2, 2), { stride: [1, 2, 3] }],
    "ERR_OPTION_TYPE",
    "expected one or two numbers, given 3",
  ],
  [
    "conv2d",
    () => [ones(1, 3, 5, 5), ones(2, 3, 2, 2), { strid: 1 }],
    "ERR_OPTION_UNKNOWN",
    "unknown option `strid`, expected one of bias, stride",
  ],
  ["conv1d", () => [ones(1, 3, 0), ones(2, 3, 1), { pad: 1 }], "ERR_SHAPE", "given [1, 3, 0]"],
  [
    "convtranspose2d",
    () => [ones(1, 4, 2, 2), ones(4, 1, 1, 1), { pad: 1 }],
    "ERR_SHAPE",
    "[n, 4, h, w] for a 1x1 kernel, given [1, 4, 2, 2]",
  ],
  [
    "convtranspose1d",
    () => [ones(1, 4, 2), ones(4, 1, 3), { outpad: 1 }],
    "ERR_OPTION_RANGE",
    "outpad: expected less than stride [1] or dilate [1], given [1]",
  ],
  [
    "maxpool2d",
    () => [ones(1, 1, 2, 2), 3],
    "ERR_SHAPE",
    "expected input of shape [n, c, h, w] that a 3x3 window fits into, given [1, 1, 2, 2]",
  ],
  ["maxpool2d", () => [ones(1, 0, 2, 2), 1], "ERR_SHAPE", "given [1, 0, 2, 2]"],
  [
    "maxpool3d",
    () => [ones(2, 2), 1],
    "ERR_SHAPE",
    "expected input of shape [n, c, d, h, w] that a 1x1x1 window fits into, given [2, 2]",
  ],
  [
    "maxpool2d",
    () => [ones(1, 1, 4, 4), 2, 1, 2],
    "ERR_OPTION_RANGE",
    "pad: expected at most half of size [2, 2], given [2, 2]",
  ],
  [
    "maxpool2d",
    () => [k.full([1, 1, 4, 4], 1, "long"), 2],
    "ERR_DTYPE",
    "expected input of floating point, given long",
  ],
  ["avgpool1d", () => [ones(1, 1, 4), 2, { divisor: 0 }], "ERR_OPTION_RANGE", "divisor: "],
  [
    "adaptavg2d",
    () => [ones(1, 1, 0, 4), 2],
    "ERR_SHAPE",
    "expected input of shape [n, c, h, w] with elements, given [1, 1, 0, 4]",
  ],
  ["fmaxpool2d", () => [ones(1, 1, 4, 4), 2], "ERR_ARGUMENT", "expected outsize or ratio, given none"],
  ["fmaxpool2d", () => [ones(1, 1, 4, 4), 2, 2, 0.5], "ERR_ARGUMENT", "expected outsize or ratio, given both"],
  [
    "fmaxpool2d",
    () => [ones(1, 1, 4, 4), 3, 3],
    "ERR_SHAPE",
    "for 3x3 windows and an output of [3, 3], given [1, 1, 4, 4]",
  ],
  [
    "fmaxpool2d",
    () => [ones(1, 1, 4, 4), 2, 2, null, ones(1, 1, 3)],
    "ERR_SHAPE",
    "expected samples of shape [1, 1, 2], given [1, 1, 3]",
  ],
  ["fmaxpool2d", () => [ones(1, 1, 4, 4), 2, 2, null, ones(1, 1, 2)], "ERR_ARGUMENT", "expected samples in [0, 1)"],
  ["unfold", () => [ones(1, 1, 2, 2), 3], "ERR_SHAPE", "that a 3x3 kernel fits into, given [1, 1, 2, 2]"],
  [
    "fold",
    () => [ones(1, 3, 4), 3, 2],
    "ERR_SHAPE",
    "expected input of shape [n, c * 4, 4] for a 2x2 kernel and images of [3, 3], given [1, 3, 4]",
  ],
  ["fold", () => [ones(1, 4, 5), 3, 2], "ERR_SHAPE", "given [1, 4, 5]"],
  [
    "pad",
    () => [ones(2, 3), [1]],
    "ERR_SHAPE",
    "expected two amounts for each of the last dimensions of shape [2, 3], given [1]",
  ],
  ["pad", () => [ones(3), [1, 1, 1, 1]], "ERR_SHAPE", "given [1, 1, 1, 1]"],
  [
    "pad",
    () => [ones(2, 3), [-2, -2]],
    "ERR_SHAPE",
    "expected amounts that dimension 1 of shape [2, 3] allows, given [-2, -2]",
  ],
  ["pad", () => [ones(2, 3), [3, 0], "reflect"], "ERR_SHAPE", "given [3, 0]"],
  ["pad", () => [ones(2, 3), [4, 0], "circular"], "ERR_SHAPE", "given [4, 0]"],
  ["pad", () => [ones(2, 0), [1, 0], "replicate"], "ERR_SHAPE", "given [1, 0]"],
  ["pad", () => [ones(2, 3), [1, 0], "mirror"], "ERR_ARGUMENT", "one of constant, reflect, replicate, circular"],
  ["interpolate", () => [ones(1, 1, 4)], "ERR_ARGUMENT", "expected a size or a scale, given none"],
  ["interpolate", () => [ones(1, 1, 4), 2, 2], "ERR_ARGUMENT", "expected a size or a scale, given both"],
  [
    "interpolate",
    () => [ones(1, 1, 4), 2, null, "bilinear"],
    "ERR_SHAPE",
    "[n, c, h, w] with elements for mode bilinear, given [1, 1, 4]",
  ],
  [
    "interpolate",
    () => [ones(1, 1, 4), 2, { align: true }],
    "ERR_ARGUMENT",
    "expected align for linear, bilinear, bicubic or trilinear alone, given mode nearest",
  ],
  ["interpolate", () => [ones(1, 1, 4), [2, 2]], "ERR_ARGUMENT", "expected one size or scale, or 1, given 2"],
  [
    "interpolate",
    () => [ones(1, 1, 4), null, 0.1],
    "ERR_ARGUMENT",
    "expected a scale that gives a size from 1 to 2147483647, given 0.1",
  ],
  [
    "interpolate",
    () => [ones(1, 1, 4), 2, { rescale: true }],
    "ERR_ARGUMENT",
    "expected a scale with rescale, given a size",
  ],
  [
    "linear",
    () => [ones(2, 3), ones(4, 2), ones(4)],
    "ERR_SHAPE",
    "expected shapes [*, in], [out, in] and [out], given [2, 3], [4, 2], [4]",
  ],
  ["linear", () => [ones(2, 3), ones(4, 3), ones(3)], "ERR_SHAPE", "given [2, 3], [4, 3], [3]"],
];

it.each(refused)("%s refuses what does not fit: %#", (name, args, code, message) => {
  const given = args();
  const handles = k.handlecount();
  expect(expectError(code, () => f[name]?.(...given))).toContain(message);
  expect(k.handlecount()).toBe(handles);
});

/** A layer, and the function with the arguments of its options. */
const equal: readonly (readonly [k.ModuleSpecification, shape: readonly number[], name: string, options: object])[] = [
  [["conv1d", 2, 3, 2, { padding: 1, padding_mode: "zeros" }], [2, 2, 5], "conv1d", { pad: 1 }],
  [["conv2d", 2, 4, 3, 2, 1, 1, 2], [1, 2, 5, 6], "conv2d", { stride: 2, pad: 1, groups: 2 }],
  [["conv3d", 1, 2, 2, { dilation: 2 }], [1, 1, 4, 3, 3], "conv3d", { dilate: 2 }],
  [["convtranspose1d", 2, 1, 3, { stride: 2, output_padding: 1 }], [2, 5], "convtranspose1d", { stride: 2, outpad: 1 }],
  [["convtranspose2d", 2, 1, 3], [1, 2, 2, 3], "convtranspose2d", {}],
  [["convtranspose3d", 2, 1, 2, 2], [1, 2, 2, 1, 3], "convtranspose3d", { stride: 2 }],
];

it.each(equal)("%j equals the function of its parameters", (specification, shape, name, options) => {
  const m = k.module(specification);
  const x = k.randn(shape);
  const parameters = k.parmnames(m).map((parameter) => k.parm(m, parameter));
  expect(k.parmnames(m)).toEqual(["weight", "bias"]);
  expect(k.data(f[name]?.(x, ...parameters, options) as k.TensorHandle)).toEqual(k.data(k.forward(m, x)));
});

it("weights start within the bound of PyTorch", () => {
  k.seed(3);
  // 1 / sqrt of inputs / groups times the elements of the kernel; of a transposed one the outputs count.
  for (const [specification, count] of [
    [["conv1d", 4, 8, 4], 16],
    [["conv2d", 4, 8, 3, { groups: 2 }], 18],
    [["conv3d", 2, 16, 2], 16],
    [["convtranspose2d", 16, 4, 2], 16],
    [["convtranspose3d", 16, 8, 2, { groups: 4 }], 16],
  ] as const) {
    const m = k.module(specification as k.ModuleSpecification);
    const weights = [...k.data(k.parm(m, "weight")).data].map((x) => Math.abs(Number(x)) * Math.sqrt(count));
    expect(Math.max(...weights)).toBeLessThanOrEqual(1);
    expect(Math.max(...weights)).toBeGreaterThan(0.95);
  }
});

it("windows at random distances are drawn from the seed, or from samples", () => {
  const x = k.randn([2, 3, 9, 9]);
  const draw = () => k.data(k.fmaxpool2d(x, 2, 4));
  k.seed(1);
  const first = draw();
  expect(draw()).not.toEqual(first);
  k.seed(1);
  expect(draw()).toEqual(first);
  k.seed(1);
  expect(k.data(k.forward(k.module(["fmaxpool2d", 2, 4]), x))).toEqual(first);
  const samples = k.full([2, 3, 2], 0.5);
  expect(k.data(k.fmaxpool2d(x, 2, 4, null, samples))).toEqual(k.data(k.fmaxpool2d(x, 2, 4, null, samples)));
});

it("options of functions are given by position, by name, and after an optional tensor", () => {
  const [x, weight, bias] = [k.randn([1, 2, 5, 5]), k.randn([3, 2, 2, 2]), k.randn([3])];
  const expected = k.data(k.conv2d(x, weight, bias, 2, 1));
  expect(k.data(k.conv2d(x, weight, bias, { stride: 2, pad: 1 }))).toEqual(expected);
  expect(k.data(k.conv2d(x, weight, { bias, stride: 2, pad: 1 }))).toEqual(expected);
  expect(k.data(k.conv2d(x, weight, { stride: 2, pad: 1 }))).toEqual(k.data(k.conv2d(x, weight, null, 2, 1)));
});
