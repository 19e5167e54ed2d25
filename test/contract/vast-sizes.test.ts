// Sizes, windows and paddings beyond what a tensor can have: exact or refused, in the same words on both engines.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { runInProcess } from "./child.js";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

const vast = [2 ** 30, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40, 2 ** 53 - 1];
const untyped = k.module as (specification: unknown) => k.ModuleHandle;

describe.each(vast)("%d", (size) => {
  const options = [
    ["conv2d", [1, 1, 1], ["size", "stride", "pad", "dilate"]],
    ["maxpool2d", [1], ["size", "stride", "pad", "dilate"]],
    ["convtranspose2d", [1, 1, 1], ["size", "stride", "pad", "outpad", "dilate"]],
    ["avgpool2d", [1], ["size", "stride", "pad"]],
    ["unfold", [1], ["size", "stride", "pad", "dilate"]],
    ["fold", [1, 1], ["size", "stride", "pad", "dilate"]],
  ] as const;
  it.each(options)("is no option of a window of %s", (kind, positional, names) => {
    for (const name of names) {
      const given = positional.slice(0, name === "size" ? -1 : undefined);
      for (const value of [size, [size, 1], [1, size]]) {
        const message = expectError("ERR_OPTION_RANGE", () => untyped([kind, ...given, { [name]: value }]));
        const least = name.endsWith("pad") ? 0 : 1;
        expect(message).toMatch(
          `module: ${kind} ${name}: expected a whole number or a list of them in [${least}, 1073741823]`,
        );
      }
    }
  });

  it("is the size of an empty tensor, or refused", () => {
    const shapes = [
      [size, 0],
      [0, size],
      [0, 1, size],
      [2, size / 2, 0],
    ];
    for (const shape of shapes.filter((shape) => shape.every(Number.isInteger))) {
      const fits = shape.reduce((product, size) => product * (size || 1), 1) <= 2 ** 31 - 1;
      for (const make of [
        () => k.full(shape, 1),
        () => k.tensor([], { shape }),
        () => k.tensor({ data: new Float32Array(0), shape } as never),
        () => k.tensor({ data: new Float32Array(0), shape, dtype: "float" } as never, "double"),
      ]) {
        if (fits) expect(k.size(make())).toEqual(shape);
        else expect(["ERR_SHAPE", "ERR_ARGUMENT"]).toContain(codeOf(make));
      }
      if (fits) expect(k.size(k.forward(k.module(["flatten", 0]), k.full(shape, 1)))).toEqual([0]);
      else
        expect(expectError("ERR_SHAPE", () => k.full(shape, 1))).toBe(
          "full: expected sizes of an empty tensor that multiply to at most 2147483647 without its zeros",
        );
    }
  });
});

function codeOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return (error as k.StepwellError).code;
  }
  return undefined;
}

it.each([
  ["conv2d", ["conv2d", 1, 1, 1, { pad: 2 ** 30 - 1 }], [1, 1, 4, 4], [1, 1, 2 ** 31 + 2, 2 ** 31 + 2]],
  ["conv2d", ["conv2d", 1, 1, 1, { pad: 2 ** 20 }], [0, 1, 4, 4], [1, 1, 2 ** 21 + 4, 2 ** 21 + 4]],
  ["conv2d", ["conv2d", 1, 3, 1, { pad: [0, 2 ** 29] }], [9, 1, 2 ** 12, 2], [9, 3, 2 ** 12, 2 ** 30 + 2]],
  ["maxpool2d", ["maxpool2d", 2 ** 24, 1, 2 ** 23], [1, 2, 1, 1], [1, 2, 2, 2]],
  ["avgpool2d", ["avgpool2d", 2 ** 24, 1, 2 ** 23], [1, 2, 1, 1], [1, 2, 2, 2]],
  ["conv3d", ["conv3d", 1, 1, 1, { pad: [0, 0, 2 ** 30 - 1] }], [1, 1, 1, 4, 4], [1, 1, 1, 4, 2 ** 31 + 2]],
  ["convtranspose2d", ["convtranspose2d", 1, 1, 1, 2 ** 30 - 1], [1, 1, 4, 4], [1, 1, 3221225470, 3221225470]],
  ["convtranspose3d", ["convtranspose3d", 1, 1, 1, [2 ** 29, 1, 1]], [1, 1, 4, 4, 4], [1, 1, 1610612737, 4, 4]],
  ["adaptavg2d", ["adaptavg2d", 2 ** 30 - 1], [1, 1, 4, 4], [1, 1, 2 ** 30 - 1, 2 ** 30 - 1]],
  ["adaptmax3d", ["adaptmax3d", 2 ** 20], [1, 1, 4, 4, 4], [1, 1, 2 ** 20, 2 ** 20, 2 ** 20]],
  ["upsample", ["upsample", 2 ** 29], [1, 1, 4, 4], [1, 1, 2 ** 29, 2 ** 29]],
  ["zeropad2d", ["zeropad2d", [0, 2 ** 30 - 1, 0, 0]], [9, 9, 4, 4], [9, 9, 4, 2 ** 30 + 3]],
  ["replicate1d", ["replicate1d", 2 ** 30 - 1], [9, 9, 4], [9, 9, 2 ** 31 + 2]],
] as const)("%s of %j over %j asks for memory before it begins", (kind, specification, given, shape) => {
  const m = untyped(specification);
  const input = k.full(given, 1);
  const count = shape.reduce((product, size) => product * size, 4);
  if (count < 2 ** 28) {
    expect(k.size(k.evaluate(m, input))).toEqual(shape);
    return;
  }
  for (const call of [k.forward, k.evaluate]) {
    const message = expectError("ERR_MEMORY", () => call(m, input));
    expect(message.replace(/now \d+ bytes/, "now n bytes")).toBe(
      `${call === k.forward ? "forward" : "evaluate"}: ${kind}: a float tensor of shape [${shape.join(", ")}] needs ` +
        `${count} bytes; one tensor may take at most a quarter of the free memory, now n bytes`,
    );
  }
});

it("far windows go on giving what they gave", () => {
  const image = [
    [
      [
        [1, 2],
        [3, 4],
      ],
    ],
  ];
  const far = { stride: 2 ** 29, pad: 2 ** 29 };
  const m = untyped(["conv2d", 1, 1, 1, far]);
  k.copyto([[[[2]]]], k.parm(m, "weight"));
  k.copyto([0], k.parm(m, "bias"));
  // Only the position in the middle sees the image.
  expect(k.tensor(k.forward(m, image))).toEqual([
    [
      [
        [0, 0, 0],
        [0, 2, 0],
        [0, 0, 0],
      ],
    ],
  ]);
  const pool = untyped(["maxpool2d", 2 ** 28, 2 ** 28, 2 ** 27]);
  expect(k.tensor(k.forward(pool, image))).toEqual([[[[4]]]]);
});

describe("full", () => {
  it("says the type that was asked for where there is no memory", () => {
    for (const dtype of ["float", "double", "long"] as const) {
      const message = expectError("ERR_MEMORY", () => k.full([2 ** 20, 2 ** 20], 0, dtype));
      const bytes = (dtype === "float" ? 4 : 8) * 2 ** 40;
      expect(message).toMatch(
        `full: a ${dtype} tensor of shape [1048576, 1048576] needs ${bytes} bytes; one tensor may `,
      );
    }
  });

  it("takes the memory of its tensor and no more", async () => {
    const [bytes, grown] = (await runInProcess(`
      k.free(k.full([1], 0));
      const before = process.resourceUsage().maxRSS;
      const x = k.full([1e7], 1.5);
      post([k.bytes(x), (process.resourceUsage().maxRSS - before) * 1024]);`)) as [number, number];
    expect(bytes).toBe(4e7);
    expect(grown).toBeLessThan(1.6 * bytes);
  });

  it("rounds its number once to the type, and gives every element of it", () => {
    expect(k.tensor(k.full([2, 2], 0.1))).toEqual([
      [Math.fround(0.1), Math.fround(0.1)],
      [Math.fround(0.1), Math.fround(0.1)],
    ]);
    expect(k.data(k.full([], Number.NaN, "double"))).toEqual({ data: new Float64Array([Number.NaN]), shape: [] });
    expect(k.data(k.full([2], -(2 ** 53), "long"))).toEqual({
      data: new BigInt64Array(2).fill(-(2n ** 53n)),
      shape: [2],
    });
    expectError("ERR_DTYPE", () => k.full([2], 0.5, "long"));
    expect(k.data(k.full([3], 7, { shape: [3, 1], grad: true })).shape).toEqual([3, 1]);
    expectError("ERR_SHAPE", () => k.full([3], 7, { shape: [4] }));
  });
});

it("a size beyond 2^32 is said as it was given, and asks for memory", () => {
  const size = 2 ** 40;
  const calls: readonly (() => unknown)[] = [
    () => k.eye(size),
    () => k.hann(size),
    () => k.linspace(0, 1, size),
    () => k.logspace(0, 1, size),
    () => k.onehot([0], size),
    () => k.histc([1], size),
    () => k.zeros([size]),
    () => k.expand([1], [size]),
  ];
  for (const call of calls) expect(expectError("ERR_MEMORY", call)).toContain(String(size));
  const others = [() => k.narrow([1], 0, 0, size), () => k.topk([1], size), () => k.kthvalue([1], size)];
  for (const call of others) {
    expect(call).toThrow(expect.objectContaining({ code: expect.stringMatching(/^ERR_(?:MEMORY|SHAPE)$/) }));
    expect(call).not.toThrow(/>= 0/);
  }
});
