// Layers for sequences: inputs that do not fit, parts and their names, states, copies, masks.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

const ones = (...shape: readonly number[]) => k.full(shape, 1);
const flags = (rows: readonly (readonly number[])[]) => k.cast(k.tensor(rows), "bool");
const whole = (list: readonly number[]) => k.tensor(list, "long");
const none = () => k.tensor([]);

/** The error of a forward pass, with the inputs that do not fit. */
function refusal(code: k.ErrorCode, specification: k.ModuleSpecification, inputs: readonly k.TensorHandle[]): string {
  const m = k.module(specification);
  const [first, ...rest] = inputs as readonly [k.TensorHandle, ...k.TensorHandle[]];
  const message = expectError(code, () => k.forward(m, first, ...rest));
  expect(expectError(code, () => k.evaluate(m, first, ...rest))).toBe(message.replace("forward", "evaluate"));
  return message.slice("forward: ".length);
}

const first = { batchfirst: true };

const misfits: readonly (readonly [k.ModuleSpecification, () => readonly k.TensorHandle[], k.ErrorCode, string])[] = [
  [
    ["rnn", 4, 3],
    () => [ones(2, 2, 3)],
    "ERR_SHAPE",
    "rnn: expected input of shape [t, n, 4] or [t, 4] with t > 0, given [2, 2, 3]",
  ],
  [
    ["gru", 4, 3, first],
    () => [ones(4)],
    "ERR_SHAPE",
    "gru: expected input of shape [n, t, 4] or [t, 4] with t > 0, given [4]",
  ],
  [
    ["lstm", 4, 3],
    () => [ones(0, 2, 4)],
    "ERR_SHAPE",
    "lstm: expected input of shape [t, n, 4] or [t, 4] with t > 0, given [0, 2, 4]",
  ],
  [
    ["lstm", 4, 3],
    () => [ones(1, 2, 4), ones(1, 2, 3)],
    "ERR_ARGUMENT",
    "lstm: expected 2 initial states, or none, given 1",
  ],
  [
    ["gru", 4, 3],
    () => [ones(1, 2, 4), ones(2, 2, 3)],
    "ERR_SHAPE",
    "gru: expected an initial state of shape [1, 2, 3], given [2, 2, 3]",
  ],
  [["gru", 4, 3], () => [ones(1, 2, 4), whole([1, 2])], "ERR_ARGUMENT", "gru: expected lengths from 0 to 1, given 2"],
  [
    ["gru", 4, 3],
    () => [ones(1, 2, 4), whole([1, 1, 1])],
    "ERR_SHAPE",
    "gru: expected lengths of shape [2] and dtype long, or a mask of shape [2, 1] and dtype bool, given shape [3] and dtype long",
  ],
  [["rnn", 4, 3], () => [k.full([1, 2, 4], 1, "double")], "ERR_DTYPE", "rnn: expected float input, given double"],
  [
    ["rnn", 4, 3],
    () => [ones(1, 2, 4), ones(1, 2, 3), ones(1), ones(1)],
    "ERR_ARGUMENT",
    "rnn: expected 1 to 3 inputs, given 4",
  ],
  [
    ["attention", 4, 2],
    () => [ones(2, 1, 3)],
    "ERR_SHAPE",
    "attention: expected input of shape [l, n, 4], [s, n, 4] and [s, n, 4], or without n, given [2, 1, 3]",
  ],
  [
    ["attention", 4, 2, first],
    () => [ones(2, 3, 4), ones(1, 3, 4), ones(1, 3, 4)],
    "ERR_SHAPE",
    "attention: expected input of shape [n, l, 4], [n, s, 4] and [n, s, 4], or without n, given [2, 3, 4], [1, 3, 4] and [1, 3, 4]",
  ],
  [
    ["attention", 4, 2],
    () => [ones(2, 1, 4), ones(2, 1, 4)],
    "ERR_ARGUMENT",
    "attention: expected 1 or 3 to 5 inputs, given 2",
  ],
  [
    ["attention", 4, 2, first],
    () => [ones(1, 2, 4), ones(1, 3, 4), ones(1, 3, 4), flags([[0, 1]])],
    "ERR_SHAPE",
    "attention: expected a mask of padding of shape [1, 3], given [1, 2]",
  ],
  [
    ["attention", 4, 2, first],
    () => [ones(1, 2, 4), ones(1, 3, 4), ones(1, 3, 4), none(), ones(3, 2)],
    "ERR_SHAPE",
    "attention: expected a mask of shape [2, 3] or [2, 2, 3], given [3, 2]",
  ],
  [
    ["attention", 4, 2, first],
    () => [ones(1, 2, 4), ones(1, 2, 4), ones(1, 2, 4), none(), k.full([2, 2], 1, "long")],
    "ERR_DTYPE",
    "attention: expected a mask of dtype bool or float, given long",
  ],
  [
    ["selfattention", 4, 2],
    () => [ones(2, 4)],
    "ERR_SHAPE",
    "selfattention: expected input of shape [n, l, 4], given [2, 4]",
  ],
  [["decoderlayer", 4, 2, 6], () => [ones(2, 1, 4)], "ERR_ARGUMENT", "decoderlayer: expected 2 to 6 inputs, given 1"],
  [
    ["embedpos", 2, 3],
    () => [ones(1, 3)],
    "ERR_SHAPE",
    "embedpos: expected input of shape [*, n] with n up to 2, given [1, 3]",
  ],
  [["onehot", 2], () => [whole([2])], "ERR_ARGUMENT", "onehot: expected indices from 0 to 1, given 2"],
  [["onehot", 2], () => [ones(1)], "ERR_DTYPE", "onehot: expected long indices, given float"],
  [["embedbag", 3, 2], () => [whole([0, 3])], "ERR_ARGUMENT", "embedbag: expected indices from 0 to 2, given 3"],
  [
    ["embedbag", 3, 2],
    () => [whole([0, 1])],
    "ERR_SHAPE",
    "embedbag: expected indices [n, l], or indices [l] and offsets [n], given indices [2] and offsets none",
  ],
  [
    ["embedbag", 3, 2],
    () => [whole([0, 1]), whole([1])],
    "ERR_ARGUMENT",
    "embedbag: expected offsets that ascend from 0 to 2, given 1 and 2",
  ],
  [
    ["embedbag", 3, 2, { mode: "sum" }],
    () => [whole([0, 1]), whole([0]), ones(3)],
    "ERR_SHAPE",
    "embedbag: expected weights of the indices' shape [2], given [3]",
  ],
  [
    ["embedbag", 3, 2],
    () => [whole([0]), whole([0]), ones(1)],
    "ERR_ARGUMENT",
    "embedbag: expected no weights, unless the mode is sum",
  ],
  [
    ["bilinear", 2, 3, 1],
    () => [ones(4, 2), ones(5, 3)],
    "ERR_SHAPE",
    "bilinear: expected inputs of shapes [*, 2] and [*, 3], given [4, 2] and [5, 3]",
  ],
  [["bilinear", 2, 3, 1], () => [ones(4, 2)], "ERR_ARGUMENT", "bilinear: expected 2 inputs, given 1"],
];

it.each(misfits)("%j refuses inputs that do not fit", (specification, inputs, code, message) => {
  expect(refusal(code, specification, inputs())).toBe(message);
});

it.each([
  [["attention", 4, 3], "ERR_OPTION_RANGE", "attention heads: expected a divisor of 4, given 3"],
  [["encoder", 4, 3, 1], "ERR_OPTION_RANGE", "encoder heads: expected a divisor of 4, given 3"],
  [["embedding", 4, 2, 4], "ERR_OPTION_RANGE", "embedding padindex: expected a whole number from -4 to 3, given 4"],
  [["rnn", 4, 3, 1, "gelu"], "ERR_OPTION_RANGE", 'rnn fn: expected one of "tanh", "relu", given string "gelu"'],
  [["lstm", 4], "ERR_ARGUMENT", "lstm hidden: expected a whole number >= 1, given nothing"],
] as readonly (readonly [unknown, k.ErrorCode, string])[])("%j is refused", (specification, code, message) => {
  const untyped = k.module as (specification: unknown) => k.ModuleHandle;
  expect(expectError(code, () => untyped(specification))).toContain(message);
});

const transformer: k.ModuleSpecification = ["transformer", 4, 2, 1, 1, 6, 0, { batchfirst: true }];

describe("parts", () => {
  it("have the names of PyTorch's modules", () => {
    const m = k.module(transformer);
    expect(k.childnames(m)).toEqual(["encoder", "decoder"]);
    expect(k.names(m).filter((name) => name.startsWith("encoder"))).toEqual([
      "encoder",
      "encoder.layers",
      "encoder.layers.0",
      "encoder.layers.0.self_attn",
      "encoder.layers.0.self_attn.out_proj",
      "encoder.layers.0.linear1",
      "encoder.layers.0.dropout",
      "encoder.layers.0.linear2",
      "encoder.layers.0.norm1",
      "encoder.layers.0.norm2",
      "encoder.layers.0.dropout1",
      "encoder.layers.0.dropout2",
      "encoder.norm",
    ]);
  });

  it("run on their own, with the module's parameters", () => {
    const m = k.module(transformer);
    const linear = k.child(m, "encoder.layers.0.linear1");
    expect(k.objtype(linear)).toBe("linear");
    k.copyto([1, 2, 3, 4, 5, 6], k.parm(linear, "bias"));
    expect(k.tensor(k.parm(m, "encoder.layers.0.linear1.bias"))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(k.size(k.forward(k.child(m, "encoder"), ones(2, 3, 4)))).toEqual([2, 3, 4]);
  });

  it("are groups of an optimizer", () => {
    const m = k.module(transformer);
    const optimizer = k.opt("sgd", m, { lr: 0.1 });
    const before = k.tensor(k.parm(m, "decoder.norm.weight"));
    k.backward(k.sum(k.forward(m, ones(1, 2, 4), ones(1, 2, 4))));
    k.step(optimizer);
    expect(k.tensor(k.parm(m, "decoder.norm.bias"))).not.toEqual([0, 0, 0, 0]);
    expect(k.tensor(k.parm(m, "decoder.norm.weight"))).not.toEqual(before);
  });
});

/** Modules with parts, or with a state of several tensors. */
const specifications: readonly k.ModuleSpecification[] = [
  transformer,
  ["attention", 4, 2, { addbias: true, kdim: 3 }],
  ["selfattention", 4, 2, 0.5, true],
  ["encoderlayer", "named", 4, 2, 6],
  ["decoder", 4, 2, 2, 6],
  ["embedseq", 5, 3, 4],
  ["lstm", 3, 2, 2, { bi: true }],
  ["embedbag", 4, 2, { mode: "max", padindex: 0 }],
  ["bilinear", 2, 3, 4],
  k.seq("sequential", ["embedding", 4, 4, 1], ["encoder", "stack", 4, 2, 1, 6]),
];

it.each(specifications)("%j returns from its state and from a copy", (specification) => {
  const m = k.module(specification);
  const values = (of: k.ModuleHandle) => k.parmnames(of).map((name) => [name, k.tensor(k.parm(of, name))]);
  const restored = k.module(k.state(m));
  expect(k.names(restored)).toEqual(k.names(m));
  expect(values(restored)).toEqual(values(m));
  expect(k.state(restored)).toEqual(k.state(m));
  const copy = k.clone(m);
  expect(values(copy)).toEqual(values(m));
  const [name] = k.parmnames(copy) as readonly [string];
  k.copyto(k.full(k.size(k.parm(copy, name)), 7), k.parm(copy, name));
  expect(values(copy)).not.toEqual(values(m));
});

it("a state whose parts differ is refused", () => {
  const state = k.state(k.module(["encoderlayer", 4, 2, 6])) as unknown as readonly Record<string, unknown>[];
  const untyped = k.module as (state: unknown) => k.ModuleHandle;
  for (const rows of [state.slice(0, 3), state.toSpliced(1, 1), [...state, { ...state[1], name: "more" }]]) {
    expect(expectError("ERR_FORMAT", () => untyped(rows))).toContain("module state: ");
  }
});

it("a vector of padding starts as 0 and is not trained", () => {
  for (const padding of [1, -3]) {
    const m = k.module(["embedding", 4, 2, padding]);
    expect((k.tensor(k.parm(m, "weight")) as number[][])[1]).toEqual([0, 0]);
    k.backward(k.sum(k.forward(m, whole([1, 1, 2]))));
    expect(k.grad(k.parm(m, "weight"))).toEqual([
      [0, 0],
      [0, 0],
      [1, 1],
      [0, 0],
    ]);
  }
});

it("a mask of padding does what lengths do", () => {
  const m = k.module(["lstm", 3, 2, { bi: true, batchfirst: true }]);
  const x = k.tensor([
    [
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ],
    [
      [1, 0, 1],
      [0, 1, 0],
      [2, 2, 2],
    ],
  ]);
  const outputs = (rest: k.TensorHandle) => k.evaluate<k.TensorHandle[]>(m, x, rest).map((y) => k.tensor(y));
  expect(
    outputs(
      flags([
        [0, 0, 0],
        [0, 1, 1],
      ]),
    ),
  ).toEqual(outputs(whole([3, 1])));
});

it("dropout between layers and of weights is of training only", () => {
  const x = k.randn([4, 3, 4]);
  for (const specification of [
    ["gru", 4, 4, 2, { dropout: 0.5 }],
    ["attention", 4, 2, 0.5],
    ["encoderlayer", 4, 2, 6, 0.5],
  ] as readonly k.ModuleSpecification[]) {
    const m = k.module(specification);
    const output = (run: typeof k.forward) => {
      const given: unknown = run(m, x);
      return k.tensor((Array.isArray(given) ? given[0] : given) as k.TensorHandle);
    };
    expect(output(k.evaluate)).toEqual(output(k.evaluate));
    expect(output(k.forward)).not.toEqual(output(k.forward));
  }
});

it("initial weights are within PyTorch's bounds", () => {
  const largest = (m: k.ModuleHandle, name: string) => k.tensor(k.amax(k.abs(k.parm(m, name)))) as number;
  const m = k.module(["transformer", 32, 2, 1, 1, 64]);
  for (const [name, bound] of [
    ["encoder.layers.0.linear1.weight", Math.sqrt(6 / 96)],
    ["decoder.layers.0.multihead_attn.in_proj_weight", Math.sqrt(6 / 128)],
    ["decoder.layers.0.self_attn.out_proj.weight", Math.sqrt(6 / 64)],
  ] as const) {
    expect(largest(m, name)).toBeLessThanOrEqual(bound);
    expect(largest(m, name)).toBeGreaterThan(bound * 0.95);
  }
  expect(largest(m, "encoder.layers.0.self_attn.out_proj.bias")).toBe(0);
  expect(largest(k.module(["gru", 8, 16]), "weight_ih_l0")).toBeCloseTo(0.25, 2);
});

describe("recur", () => {
  const lstm = ["lstm", 3, 2] as const;

  it("runs sequences before and after a recurrent layer, and cuts off the states", () => {
    const m = k.module(
      k.seq("recur", k.seq("sequential", ["linear", 4, 3]), lstm, k.seq("sequential", ["linear", 2, 5])),
    );
    expect(k.childnames(m)).toEqual(["in", "lstm", "out"]);
    const x = k.randn([6, 1, 4]);
    const [output, state, memory] = k.forward<[k.TensorHandle, k.TensorHandle, k.TensorHandle]>(m, x);
    expect([output, state, memory].map((y) => k.size(y))).toEqual([
      [6, 1, 5],
      [1, 1, 2],
      [1, 1, 2],
    ]);
    expect([output, state, memory].map((y) => k.gradflag(y))).toEqual([true, false, false]);
    // Two calls of three steps are one of six.
    const parts = [k.narrow(x, 0, 0, 3), k.narrow(x, 0, 3, 3)] as const;
    const [first, ...states] = k.evaluate<k.TensorHandle[]>(m, parts[0]) as [k.TensorHandle, ...k.TensorHandle[]];
    const [second] = k.evaluate<k.TensorHandle[]>(m, parts[1], ...states) as [k.TensorHandle];
    expect(k.tensor(k.cat([first, second]))).toEqual(k.tensor(output));
    expect(k.state(k.module(k.state(m)))).toEqual(k.state(m));
    expect(k.parmnames(k.clone(m))).toEqual(k.parmnames(m));
  });

  it("holds one recurrent layer", () => {
    const untyped = k.module as (specification: unknown) => k.ModuleHandle;
    const sequence = { container: "sequential", children: [] };
    for (const children of [
      [],
      [["linear", 2, 2]],
      [lstm, lstm],
      [sequence, sequence, lstm],
      [lstm, sequence, sequence],
    ]) {
      const message = expectError("ERR_ARGUMENT", () => untyped({ container: "recur", children }));
      expect(message).toContain(
        "recur: expected a layer rnn, lstm or gru, and optionally a sequence before and after it, given ",
      );
    }
  });
});
