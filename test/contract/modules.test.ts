import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { differences, supported } from "../engine-differences.js";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

/** Calls as JavaScript makes them, without types in the way. */
const untyped = k.module as (specification: unknown) => k.ModuleHandle;

const ones = (...shape: readonly number[]) => k.full(shape, 1);
const network = () =>
  k.module(
    k.seq(
      ["sequential", "all"],
      ["conv2d", "first", 1, 2, 3],
      "relu",
      k.seq(["sequential", "inner"], ["batchnorm", 2], "flatten", ["dropout", "drop"]),
      k.seq("sequential", ["linear", "last", 8, 3, false]),
    ),
  );

/** A size that no memory holds, as messages show it. */
const vast = Math.min(2 ** 40, differences.largestSize);

/** Inputs that do not fit, with the shape that the message has to name. */
const misfits: readonly (readonly [k.ModuleSpecification, expected: string, given: readonly number[]])[] = [
  [["linear", 3, 2], "[*, 3]", [2, 4]],
  [["linear", 3, 2], "[*, 3]", []],
  [["linear", 3, 2], "[*, 3]", [3, 0]],
  [["conv2d", 3, 4, 3], "[n, 3, h, w] that a 3x3 kernel fits into", [1, 2, 5, 5]],
  [["conv2d", 3, 4, 3], "[n, 3, h, w] that a 3x3 kernel fits into", [3, 5]],
  [["conv2d", 3, 4, 3], "[n, 3, h, w] that a 3x3 kernel fits into", [1, 3, 5, 2]],
  [["conv2d", 3, 4, [2, 3], { dilate: 3 }], "[n, 3, h, w] that a 2x3 kernel fits into", [1, 3, 3, 7]],
  [["maxpool2d", 2], "[n, c, h, w] that a 2x2 window fits into", [1, 1, 1, 2]],
  [["maxpool2d", [2, 3]], "[n, c, h, w] that a 2x3 window fits into", [5, 5]],
  // Its first window would hold nothing but padding.
  [["maxpool2d", 2, 1, 1, 2], "[n, c, h, w] that a 2x2 window fits into", [3, 1, 2, 1]],
  [["flatten", 1, 2], "with dimensions 1 to 2", [4, 4]],
  [["flatten", 2, 1], "with dimensions 2 to 1", [4, 4, 4]],
  ["flatten", "with dimensions 1 to -1", [4]],
  [["batchnorm", 3], "[n, 3, *]", [2, 4]],
  [["batchnorm", 3], "[n, 3, *]", [3]],
  [["batchnorm", 3], "with more than one value for each channel, or no variance exists", [1, 3]],
  [["layernorm", [3, 4]], "[*, 3, 4]", [3, 5]],
  [["layernorm", [3, 4]], "[*, 3, 4]", [4]],
  [["rmsnorm", [3, 4]], "[*, 3, 4]", [3, 5]],
  [["rmsnorm", 4], "[*, 4]", []],
  [["groupnorm", 2, 4], "[n, 4, *]", [3, 6]],
  [["groupnorm", 2, 4], "[n, 4, *]", [4]],
  [["instancenorm", 3], "[n, 3, *]", [2, 3]],
  [["instancenorm2d", 3], "[n, 3, *]", [2, 4, 5, 5]],
  [["instancenorm", 3], "with more than one value for each channel, or no variance exists", [4, 3, 1]],
  [["localnorm", 3], "[n, c, *]", [2, 3]],
  [["crossmap2d", 3], "[n, c, h, w]", [2, 3, 4]],
  ["softmax2d", "[n, c, h, w] or [c, h, w]", [2, 3]],
  ["drop2d", "[n, c, h, w] or [n, c, l]", [2, 3]],
  ["drop3d", "[n, c, d, h, w] or [c, d, h, w]", [2, 3, 4]],
  ["fadrop", "[n, c, *]", [3]],
  ["droppath", "[n, *]", []],
];

it.each(misfits)("%j wants input of shape %s and refuses %j", (specification, expected, given) => {
  const m = k.module(specification);
  const shape = `expected input of shape ${expected}, given [${given.join(", ")}]`;
  expect(expectError("ERR_SHAPE", () => k.forward(m, ones(...given)))).toBe(`forward: ${k.objtype(m)}: ${shape}`);
  const isTrainingOnly = expected.includes("variance");
  if (!isTrainingOnly) {
    expect(expectError("ERR_SHAPE", () => k.evaluate(m, ones(...given)))).toBe(`evaluate: ${k.objtype(m)}: ${shape}`);
  }
});

/** Inputs that a function of a layer refuses, and its message. */
const refusals: readonly (readonly [k.ModuleSpecification, given: readonly number[], k.ErrorCode, string])[] = [
  ["glu", [2, 3], "ERR_SHAPE", "expected an even size of dimension 1, given shape [2, 3]"],
  [["glu", 2], [2, 4], "ERR_SHAPE", "expected a dimension from -2 to 1, given 2 of a tensor of shape [2, 4]"],
  [["prelu", 3], [2, 4], "ERR_SHAPE", "expected a weight of shape [1] or [4] for x of shape [2, 4], given shape [3]"],
  [["hardtanh", 1, -1], [2], "ERR_ARGUMENT", "expected a min of at most max, given min 1 and max -1"],
  [["celu", 0], [2], "ERR_ARGUMENT", "expected alpha other than 0, given 0"],
  [["softplus", 0], [2], "ERR_ARGUMENT", "expected a beta other than 0, given 0"],
  [["rrelu", 0.5, 0.25], [2], "ERR_ARGUMENT", "expected a lower of at most upper, given lower 0.5 and upper 0.25"],
  [["softmax", 1], [2], "ERR_SHAPE", "expected a dimension from -1 to 0, given 1 of a tensor of shape [2]"],
  [["reshape", [2, 3]], [2, 2], "ERR_SHAPE", "expected a shape for the elements of [2, 2], given [2, 3]"],
  [["unsqueeze", 3], [2], "ERR_SHAPE", "expected a new dimension from -2 to 1, given 3 for a tensor of shape [2]"],
  [["squeeze", [0, 0]], [1, 2], "ERR_ARGUMENT", "dimension 0 is given twice"],
  [["transpose", 0, 2], [1, 2], "ERR_SHAPE", "expected a dimension from -2 to 1, given 2 of a tensor of shape [1, 2]"],
  [["permute", [1, 1]], [1, 2], "ERR_SHAPE", "expected every dimension of shape [1, 2] once, given [1, 1]"],
  [["expand", [2, 3]], [2, 2], "ERR_SHAPE", "expected a shape that [2, 2] broadcasts to, given [2, 3]"],
  [["select", 0, 2], [2, 3], "ERR_ARGUMENT", "expected an index within dimension 0 of shape [2, 3], given 2"],
  [["indexselect", 0, [0, 2]], [2, 3], "ERR_ARGUMENT", "expected indices from 0 to 1, given 2"],
  [["normalize", 2, 1], [2], "ERR_SHAPE", "expected a dimension from -1 to 0, given 1 of a tensor of shape [2]"],
  [["zscore", [1, 2], 1], [3, 4, 4], "ERR_SHAPE", "expected shapes that broadcast, given [3, 4, 4] and [2, 1, 1]"],
];

it.each(refusals)("%j refuses an input of shape %j by %s", (specification, given, code, message) => {
  const m = k.module(specification);
  for (const run of [k.forward, k.evaluate] as const) {
    const found = expectError(code, () => run(m, ones(...given)));
    expect(found).toBe(`${run === k.forward ? "forward" : "evaluate"}: ${k.objtype(m)}: ${message}`);
  }
});

it("names the place of a misfit in a network", () => {
  const m = k.module(
    k.seq("sequential", "relu", k.seq(["sequential", "head"], ["linear", "a", 2, 3], ["linear", 4, 1])),
  );
  const message = expectError("ERR_SHAPE", () => k.forward(m, [[1, 2]]));
  expect(message).toBe("forward: `head`: `1`: linear: expected input of shape [*, 4], given [1, 3]");
});

const floatModules: readonly (readonly [k.ModuleSpecification, shape: readonly number[]])[] = [
  [
    ["linear", 2, 1],
    [3, 2],
  ],
  [
    ["conv2d", 2, 1, 1],
    [1, 2, 2, 2],
  ],
  [
    ["batchnorm", 2],
    [3, 2],
  ],
  [
    ["batchnorm", 2, { affine: false }],
    [3, 2],
  ],
  [
    ["layernorm", 2],
    [3, 2],
  ],
  [
    ["rmsnorm", 2],
    [3, 2],
  ],
  [
    ["groupnorm", 1, 2],
    [3, 2],
  ],
  [
    ["instancenorm", 2, { affine: true }],
    [3, 2, 2],
  ],
  [
    ["instancenorm", 2, { track: true }],
    [3, 2, 2],
  ],
  [
    ["prelu", 2],
    [3, 2],
  ],
];

it.each(floatModules)("%j takes input of its own dtype", (specification, shape) => {
  const m = k.module(specification);
  for (const given of supported("double", "half", "bfloat16", "long")) {
    const message = expectError("ERR_DTYPE", () => k.forward(m, k.full(shape, 1, given)));
    expect(message).toMatch(
      new RegExp(`^forward: ${k.objtype(m)}: expected (float input|input of floating point), given ${given}$`),
    );
  }
  for (const own of supported("double", "half", "bfloat16")) {
    k.to(m, own);
    expect(k.dtype(k.forward(m, k.full(shape, 1, own)))).toBe(own);
    const message = expectError("ERR_DTYPE", () => k.forward(m, k.full(shape, 1)));
    expect(message).toBe(`forward: ${k.objtype(m)}: expected ${own} input, given float`);
  }
});

it.each([
  "gelu",
  "dropout",
  "silu",
  "rrelu",
  ["softmax", 0],
  "normalize",
  ["zscore", 0, 1],
  ["localnorm", 1],
  ["rmsnorm", 2, { affine: false }],
  ["layernorm", 2, { affine: false }],
  ["batchnorm", 2, { affine: false, track: false }],
  ["groupnorm", 1, 2, { affine: false }],
])("%j takes no whole numbers", (specification) => {
  const m = untyped(specification);
  const shape = k.objtype(m) === "localnorm" ? [3, 2, 1] : [3, 2];
  const message = expectError("ERR_DTYPE", () => k.forward(m, k.full(shape, 1, "long")));
  expect(message).toBe(`forward: ${k.objtype(m)}: expected input of floating point, given long`);
});

it("looks up only indices that there are", () => {
  const m = k.module(["embedding", 4, 2]);
  for (const index of [-1, 4, 2 ** 40]) {
    const message = expectError("ERR_ARGUMENT", () => k.forward(m, [0, index]));
    expect(message).toBe(`forward: embedding: expected indices from 0 to 3, given ${index}`);
  }
  expect(expectError("ERR_DTYPE", () => k.forward(m, k.tensor([1])))).toBe(
    "forward: embedding: expected long indices, given float",
  );
  expectError("ERR_DTYPE", () => k.forward(m, [0.5]));
  expect(k.size(k.forward(m, [[0, 1, 2]]))).toEqual([1, 3, 2]);
  expect(k.size(k.forward(m, 3))).toEqual([2]);
});

/** Specifications that are refused. */
const refused: readonly (readonly [specification: unknown, k.ErrorCode, message: string])[] = [
  ["conv4d", "ERR_UNKNOWN_NAME", "unknown module `conv4d`, expected one of linear, conv1d, "],
  ["linear", "ERR_ARGUMENT", "linear inputs: expected a whole number >= 1, given nothing"],
  ["threshold", "ERR_ARGUMENT", "threshold threshold: expected a finite number, given nothing"],
  [["drop", 2], "ERR_OPTION_RANGE", "dropout p: expected a finite number in [0, 1], given 2"],
  [["groupnorm", 3, 4], "ERR_OPTION_RANGE", "groupnorm groups: expected a divisor of 4, given 3"],
  [
    ["reshape", [-2]],
    "ERR_OPTION_RANGE",
    "reshape size: expected a whole number or a list of them >= -1, given list [-2.0]",
  ],
  [["softshrink", -1], "ERR_OPTION_RANGE", "softshrink lambda: expected a finite number >= 0, given -1"],
  [["indexselect", 0, [0.5]], "ERR_OPTION_TYPE", "indexselect ind: expected a whole number or a list of them"],
  [["zscore", 1, []], "ERR_OPTION_TYPE", "zscore std: expected a finite number or a list of them, given list []"],
  [["localnorm", 0], "ERR_OPTION_RANGE", "localnorm size: expected a whole number >= 1, given 0"],
  [["linear", 2], "ERR_ARGUMENT", "linear outputs: expected a whole number >= 1, given nothing"],
  [["embedding", { columns: 3 }], "ERR_ARGUMENT", "embedding rows: expected a whole number >= 1, given nothing"],
  [["linear", 2, 2, true, 1], "ERR_ARGUMENT", "linear: expected up to 3 positional options (inputs, outputs, bias)"],
  [["relu", 1], "ERR_ARGUMENT", "relu: expected no options, given 1"],
  [
    ["linear", 2, 2, { nonsense: 1 }],
    "ERR_OPTION_UNKNOWN",
    "linear: unknown option `nonsense`, expected one of inputs",
  ],
  [["linear", 0, 2], "ERR_OPTION_RANGE", "linear inputs: expected a whole number >= 1, given 0"],
  [["linear", 2.5, 2], "ERR_OPTION_TYPE", "linear inputs: expected a whole number >= 1, given 2.5"],
  [["linear", Number.NaN, 2], "ERR_OPTION_TYPE", "linear inputs: "],
  [["linear", 2, 2, { bias: 1 }], "ERR_OPTION_TYPE", "linear bias: expected a boolean, given 1"],
  [["conv2d", 1, 1, [1, 2, 3]], "ERR_OPTION_TYPE", "conv2d size: expected one or two numbers, given 3"],
  [["conv2d", 1, 1, 2, 0], "ERR_OPTION_RANGE", "conv2d stride: "],
  [["conv2d", 1, 1, 2, { pad: -1 }], "ERR_OPTION_RANGE", "conv2d pad: "],
  [["conv2d", 3, 4, 1, { groups: 2 }], "ERR_OPTION_RANGE", "conv2d groups: expected a divisor of 3 and 4, given 2"],
  [
    ["maxpool2d", 2, { pad: 2 }],
    "ERR_OPTION_RANGE",
    "maxpool2d pad: expected at most half of size [2, 2], given [2, 2]",
  ],
  [["dropout", 1.5], "ERR_OPTION_RANGE", "dropout p: "],
  [["batchnorm", 2, 0], "ERR_OPTION_RANGE", "batchnorm eps: "],
  [["layernorm", []], "ERR_OPTION_TYPE", "layernorm shape: "],
  [["linear", 2 ** 40, 2 ** 40], "ERR_MEMORY", `a float tensor of shape [${vast}, ${vast}] needs `],
  [[], "ERR_ARGUMENT", "expected a module such as "],
  [{}, "ERR_ARGUMENT", "expected a module such as "],
  [null, "ERR_ARGUMENT", "expected a module such as "],
  [{ container: "parallel", children: [] }, "ERR_ARGUMENT", "expected a container such as sequential"],
  [["relu", "a.b"], "ERR_ARGUMENT", 'expected a name without dots, given "a.b"'],
  [["relu", ""], "ERR_ARGUMENT", 'expected a name without dots, given ""'],
  [k.seq("sequential", ["relu", "a"], ["tanh", "a"]), "ERR_ARGUMENT", "two modules of one container are named `a`"],
  [k.seq("sequential", ["relu", "1"], "tanh"), "ERR_ARGUMENT", "two modules of one container are named `1`"],
  [k.seq("sequential", "relu", ["linear", 1] as never), "ERR_ARGUMENT", "linear outputs: "],
];

it.each(refused)("refuses %j with %s", (specification, code, message) => {
  const handles = k.handlecount();
  expect(expectError(code, () => untyped(specification))).toContain(message);
  expect(k.handlecount()).toBe(handles);
});

it("takes options by position, by name and by PyTorch's name", () => {
  const sizes = (specification: k.ModuleSpecification) => {
    const m = k.module(specification);
    return k.parmnames(m).map((name) => k.size(k.parm(m, name)));
  };
  for (const specification of [
    ["conv2d", 4, 6, 3, { groups: 2, bias: false }],
    ["conv2d", "named", 4, 6, [3, 3], 1, 0, 1, 2, false],
    ["conv2d", { in_channels: 4, out_channels: 6, kernel_size: 3, groups: 2, bias: false }],
  ] as const) {
    expect(sizes(specification)).toEqual([[6, 2, 3, 3]]);
  }
  expect(sizes(["linear", 5, { outputs: 2 }])).toEqual([[2, 5], [2]]);
});

it("names descendants, children and parameters", () => {
  const m = network();
  expect(k.names(m)).toEqual(["first", "1", "inner", "inner.0", "inner.1", "inner.drop", "3", "3.last"]);
  expect(k.childnames(m)).toEqual(["first", "1", "inner", "3"]);
  expect(k.parmnames(m)).toEqual(["first.weight", "first.bias", "inner.0.weight", "inner.0.bias", "3.last.weight"]);
  expect(k.size(m)).toBe(5);
  expect(k.tensorcount(m)).toBe(8);
  expect(k.elements(m)).toBe(18 + 2 + 2 + 2 + 24 + 2 + 2 + 1);
  expect(k.size(k.parm(m, "inner.0.running_mean"))).toEqual([2]);
  for (const name of ["", "first", "first.running_mean", "weight", "3.last.bias"]) {
    expectError("ERR_PARAMETER", () => k.parm(m, name));
  }
  expect(k.size(k.forward(m, ones(2, 1, 4, 4)))).toEqual([2, 3]);
  const layer = k.module(["linear", "alone", 1, 1]);
  expect([k.names(layer), k.childnames(layer), k.parmnames(layer)]).toEqual([[], [], ["weight", "bias"]]);
});

it("shares a parameter with its handle", () => {
  const m = k.module(["linear", 2, 1]);
  k.copyto([[2, 3]], k.parm(m, "weight"));
  k.copyto([1], k.parm(m, "bias"));
  expect(k.tensor(k.forward(m, [10, 100]))).toEqual([321]);
  const message = expectError("ERR_SHAPE", () => k.copyto([2, 3], k.parm(m, "weight")));
  expect(message).toBe("copyto: expected shape [1, 2], given [2]");
});

describe("to", () => {
  it("converts a module in place, and its optimizer goes on", () => {
    const m = k.module(k.seq("sequential", ["linear", 2, 2], ["batchnorm", 2]));
    const weight = k.parm(m, "0.weight");
    const o = k.opt("adam", m, 0.1);
    const train = () => {
      k.backward(
        k.mse(
          k.forward(m, [
            [1, 2],
            [3, 5],
          ]),
          [
            [0, 1],
            [1, 0],
          ],
        ),
      );
      k.step(o);
    };
    train();
    const before = k.tensor(weight);
    k.to(m, "double");
    expect(k.dtype(weight)).toBe("double");
    expect(k.dtype(k.parm(m, "1.running_var"))).toBe("double");
    expect(k.tensor(weight)).toEqual(before);
    expect(k.grad(weight)).toBeUndefined();
    train();
    expect(k.tensor(weight)).not.toEqual(before);
    expect(k.state(o).parms[0]?.buffers.step).toBe(2);
    expect(k.opt(o).parms.map((row) => row.name)).toEqual(k.parmnames(m));
  });

  it("refuses what a module cannot be, and changes nothing", () => {
    const m = k.module(["linear", 2, 2]);
    const read = () => [k.data(k.parm(m, "weight")), k.device(k.parm(m, "weight"))];
    const before = read();
    const message = expectError("ERR_DTYPE", () => k.to(m, "long"));
    expect(message).toBe("to: a module's parameters are of floating point, given dtype long");
    // More devices than any machine has.
    expectError("ERR_DEVICE", () => k.to(m, "double", "cuda:99"));
    expectError("ERR_OPTION_UNKNOWN", () => k.to(m, "int8" as never));
    expectError("ERR_ARGUMENT", () => k.to(m, "grad" as never));
    expect(read()).toEqual(before);
  });
});

describe("forward", () => {
  it("takes plain numbers, typed arrays and tensors alike", () => {
    const m = k.module(["linear", 3, 2]);
    const y = k.tensor(k.forward(m, [1, 2, 3]));
    const arrays = [Float32Array, Float64Array, Int32Array, Uint8Array].map((kind) => kind.of(1, 2, 3));
    for (const input of [...arrays, BigInt64Array.of(1n, 2n, 3n), k.tensor([1, 2, 3])]) {
      expect(k.tensor(k.forward(m, input))).toEqual(y);
    }
    // A tensor keeps its type, and so do whole numbers where no parameter asks for another.
    expectError("ERR_DTYPE", () => k.forward(m, k.tensor(Int32Array.of(1, 2, 3))));
    expect(k.dtype(k.forward(k.module("relu"), Int32Array.of(1, 2, 3)))).toBe("long");
    k.to(m, "double");
    expect(k.dtype(k.forward(m, [1, 2, 3]))).toBe("double");
    const words = k.module(k.seq("sequential", ["embedding", 4, 3], ["linear", 3, 1]));
    const z = k.tensor(k.forward(words, [3, 1]));
    for (const input of [Uint8Array.of(3, 1), BigInt64Array.of(3n, 1n), k.tensor([3, 1], "long")]) {
      expect(k.tensor(k.forward(words, input))).toEqual(z);
    }
  });

  it("refuses what is no input", () => {
    const m = k.module(["linear", 1, 1]);
    for (const input of [undefined, null, "x", {}, true]) {
      expectError("ERR_ARGUMENT", () => k.forward(m, input as never));
    }
    expectError("ERR_SHAPE", () => k.forward(m, [[1], 2]));
    expectError("ERR_ARGUMENT", () => (k.forward as (...args: unknown[]) => unknown)(m, [1], [2]));
  });

  it("that fails changes nothing", () => {
    const m = k.module(k.seq("sequential", ["batchnorm", 2], ["dropout", 0.5], ["linear", 3, 1]));
    const statistics = () => ["0.running_mean", "0.running_var"].map((name) => k.tensor(k.parm(m, name)));
    const before = statistics();
    const handles = k.handlecount();
    k.seed(5);
    expectError("ERR_SHAPE", () =>
      k.forward(m, [
        [1, 2],
        [3, 4],
      ]),
    );
    const next = k.randperm(20);
    k.seed(5);
    expect(k.randperm(20)).toEqual(next);
    expect(k.handlecount()).toBe(handles);
    expect(statistics()).toEqual(before);
  });

  it("of an empty container is its input", () => {
    expect(k.tensor(k.forward(k.module(k.seq("sequential")), [1, 2]))).toEqual([1, 2]);
    expect(k.tensor(k.forward(k.module("sequential"), [1, 2]))).toEqual([1, 2]);
  });
});

describe("evaluate", () => {
  it("has no dropout", () => {
    const m = k.module(["dropout", 0.9]);
    const x = Array.from({ length: 50 }, (_, i) => i);
    expect(k.tensor(k.evaluate(m, x))).toEqual(x);
    expect(k.tensor(k.forward(m, x))).not.toEqual(x);
  });

  it.each([
    ["linear", 1, 1],
    "relu",
    "dropout",
    ["dropout", 0],
    "sequential",
    ["flatten", 0],
    ["batchnorm", 1],
  ] as readonly k.ModuleSpecification[])("%j records nothing", (specification) => {
    const m = k.module(specification);
    const x = k.tensor([[1]], "grad");
    const y = k.evaluate(m, x);
    expect(k.gradflag(y)).toBe(false);
    const message = expectError("ERR_GRADIENT", () => k.backward(y));
    expect(message).toBe("backward: nothing that this tensor was computed from requires a gradient");
    expect(k.grad(x)).toBeUndefined();
  });

  it("leaves running statistics alone", () => {
    const m = k.module(["batchnorm", 1]);
    k.evaluate(m, [[5], [7]]);
    expect(k.tensor(k.parm(m, "running_mean"))).toEqual([0]);
    k.forward(m, [[5], [7]]);
    expect(k.tensor(k.parm(m, "running_mean"))).toEqual([expect.closeTo(0.6, 6)]);
  });
});
