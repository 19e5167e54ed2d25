// Messages shorten long inputs, name their call once, and name element types.

import * as k from "@stepwell/sdk";
import { afterEach, expect, it } from "vitest";
import { messageViolation } from "../random-operations/invariants.js";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

const long = "x".repeat(100_000);
const shown = `${"x".repeat(200)}...`;
const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`option${i}`, i]));
const any = (value: unknown) => value as never;

/** Calls with a text that is not a name, and the code of the error that shows its beginning. */
const rows: readonly (readonly [what: string, code: k.ErrorCode, call: () => unknown])[] = [
  ["optimizer", "ERR_UNKNOWN_NAME", () => k.opt(any(long))],
  ["module", "ERR_UNKNOWN_NAME", () => k.module(any(long))],
  ["loss", "ERR_UNKNOWN_NAME", () => k.loss(any(long))],
  ["topic of help", "ERR_UNKNOWN_NAME", () => k.help(any(long))],
  ["setting", "ERR_UNKNOWN_NAME", () => k.setting(any(long))],
  ["word", "ERR_OPTION_UNKNOWN", () => k.tensor([1], any(long))],
  ["element type", "ERR_DTYPE", () => k.tensor([1], { dtype: any(long) })],
  ["device", "ERR_DEVICE", () => k.tensor([1], { device: any(long) })],
  ["option of a tensor", "ERR_OPTION_UNKNOWN", () => k.tensor([1], any({ [long]: 1 }))],
  ["option of an optimizer", "ERR_OPTION_UNKNOWN", () => k.opt("sgd", any({ [long]: 1 }))],
  ["value of an option", "ERR_OPTION_TYPE", () => k.opt("sgd", { lr: any(long) })],
  ["option of a loss", "ERR_OPTION_UNKNOWN", () => k.loss("ce", any({ [long]: 1 }))],
  ["schedule", "ERR_UNKNOWN_NAME", () => k.schedule(k.opt("sgd"), any({ schedule: long }))],
  ["child", "ERR_PARAMETER", () => k.child(k.module("relu"), long)],
  ["parameter", "ERR_PARAMETER", () => k.parm(k.module("relu"), long)],
  ["selection", "ERR_PARAMETER", () => k.opt("sgd", [k.module("relu"), long])],
  ["key", "ERR_PARAMETER", () => k.opt("sgd", [k.dict({ a: 1 }), long])],
  ["name of a module", "ERR_ARGUMENT", () => k.module(["linear", `${long}.x`, 2, 2])],
  ["argument", "ERR_ARGUMENT", () => k.size(any(long))],
  ["argument that is a dictionary", "ERR_ARGUMENT", () => k.size(any({ [long]: 1 }))],
  ["argument too many", "ERR_ARGUMENT", () => k.seed(...([1, long] as unknown as [number]))],
  ["path to read", "ERR_FILE", () => k.load(k.module("relu"), long)],
  ["path to write", "ERR_FILE", () => k.save(k.module("relu"), long)],
  [
    "pattern",
    "ERR_PARAMETER",
    () =>
      k
        .optimizer("sgd")
        .group(long)
        .build(k.module(["linear", 2, 2])),
  ],
];

it.each(rows)("a long text as %s is shown by its beginning", (_, code, call) => {
  const message = expectError(code, call);
  expect(message).toContain(shown);
  expect(message.length).toBeLessThan(600);
  expect(messageViolation(message)).toBeUndefined();
});

it("a dictionary of many keys and a list of many numbers are shown in short", () => {
  expect(expectError("ERR_ARGUMENT", () => k.size(any(many)))).toMatch(/given dictionary of {option0, .*\.\.\.}$/);
  const rates = Array(1000).fill(0.1);
  expect(expectError("ERR_OPTION_TYPE", () => k.opt("sgd", { lr: any(rates) }))).toMatch(/given list of 1000$/);
  expect(expectError("ERR_OPTION_RANGE", () => k.opt("adam", { betas: any([2, 2]) }))).toContain("given 2");
});

it("a message names the mistake", () => {
  const x = k.tensor([1, 2], "grad");
  const call = (name: string, ...args: readonly unknown[]) =>
    (k as unknown as { [name: string]: (...args: readonly unknown[]) => unknown })[name]?.(...args);
  const before = k.handlecount();
  const rows: readonly (readonly [code: k.ErrorCode, message: string, ...call: Parameters<typeof call>])[] = [
    ["ERR_SHAPE", "tensor: expected numbers, given null in a list", "tensor", [1, null]],
    ["ERR_SHAPE", "tensor: expected numbers, given boolean true in a list", "tensor", [[1], [true]]],
    ["ERR_SHAPE", 'tensor: expected numbers, given string "1" in a list', "tensor", [[1, 2], ["1"]]],
    [
      "ERR_SHAPE",
      "tensor: expected numbers nested to a rectangular shape, given a ragged list",
      "tensor",
      [[1], [1, 2]],
    ],
    ["ERR_ARGUMENT", "seed: expected 1 argument, given 3, with number 2 as another", "seed", 1, 2, 3],
    ["ERR_ARGUMENT", "full: expected a number as argument 2, given undefined", "full", [2]],
    ["ERR_ARGUMENT", "copyto: expected 2 arguments, given 3, with null as another", "copyto", [1, 2], x, null],
    ["ERR_ARGUMENT", "mse: expected a target, a tensor handle or numbers, given undefined", "mse", x],
    ["ERR_ARGUMENT", "module: relu: expected no options, given boolean true", "module", ["relu", true]],
    ["ERR_OPTION_UNKNOWN", "module: relu: expected no options, given `inplace`", "module", ["relu", { inplace: true }]],
    [
      "ERR_ARGUMENT",
      "opt: adam decay: given twice; its other name is weight_decay",
      ...(["opt", "adam", x, { decay: 0.1, weight_decay: 0.2 }] as const),
    ],
  ];
  for (const [code, message, name, ...args] of rows) expect(expectError(code, () => call(name, ...args))).toBe(message);
  expect(k.handlecount()).toBe(before);
});

it("a call is named once", () => {
  const x = k.tensor([[1, 2]], "grad");
  const classes = k.tensor([0], "long");
  expect(expectError("ERR_OPTION_UNKNOWN", () => k.ce(x, classes, any({ foo: 1 })))).toBe(
    "ce: unknown option `foo`, expected one of ignore, reduce, weight, smoothing",
  );
  expect(expectError("ERR_OPTION_UNKNOWN", () => k.loss("ce", any({ foo: 1 })))).toMatch(/^loss: ce: unknown option/);
});

it("what was given is told as it was given", () => {
  const untyped = k as unknown as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;
  const x = k.tensor([1], "grad");
  const m = k.module(["linear", 1, 1]);
  const model = k.model(m, k.loss("mse"), k.opt("sgd", m));
  const calls: readonly (readonly [string, expected: string, ...args: readonly unknown[]])[] = [
    ["size", "size: expected a handle as argument 1"],
    ["clip", "clip: expected a number > 0 as argument 2", x],
    ["zerograd", "zerograd: expected a module, tensor, vector or dictionary"],
    ["gradflag", "gradflag: expected a module, tensor, vector or dictionary"],
    ["mse", "mse: expected a tensor handle as input"],
    ["mse", "mse: expected a target, a tensor handle or numbers", x],
    ["forward", "forward: expected an input as argument 2, a tensor handle or numbers", k.module("relu")],
    ["train", "train: expected an input as argument 2, a tensor handle or numbers", model, undefined],
    ["train", "train: expected targets as argument 3, a tensor handle or numbers", model, [[1]]],
    ["module", 'module: expected a module such as ["linear", 128, 10] or seq(...)'],
    ["tensor", "tensor: expected numbers"],
    ["seed", "seed: expected a seed (a whole number of at least 0) as argument 1"],
    ["opt", "opt: expected the name of an optimizer, an optimizer handle or a state as argument 1"],
  ];
  for (const [name, expected, ...args] of calls) {
    const given = args.length > 1 && args[1] === undefined ? args.slice(0, 1) : args;
    for (const [word, more] of [
      ["undefined", [undefined]],
      ["null", [null]],
      // A function of JavaScript cannot tell an argument that is left out from one that is undefined.
      ["undefined", []],
    ] as const) {
      if (name === "train" && given.length + more.length === 1) continue;
      expect(expectError("ERR_ARGUMENT", () => untyped[name]?.(...given, ...more))).toBe(`${expected}, given ${word}`);
    }
  }
  expect(expectError("ERR_ARGUMENT", () => k.module(["linear", 2] as never))).toBe(
    "module: linear outputs: expected a whole number >= 1, given nothing",
  );
});

it("an unknown option is told with the function, and once", () => {
  const x = k.tensor([1], "grad");
  expect(expectError("ERR_OPTION_UNKNOWN", () => k.step(k.opt("sgd", x), any({ foo: 1 })))).toBe(
    "step: unknown option `foo`, expected one of zerograd, clipnorm, clipvalue, nonfinite",
  );
  expect(expectError("ERR_OPTION_TYPE", () => k.step(k.opt("sgd", x), () => 1, any({ zerograd: 3 })))).toBe(
    "step zerograd: expected a boolean, given 3",
  );
});

it("an element type is told by its name, of a tensor and of a typed array", () => {
  const x = k.tensor([[1, 2]], "grad");
  expect(expectError("ERR_DTYPE", () => k.ce(x, k.tensor([0])))).toBe("ce: expected target of dtype long, given float");
  expect(expectError("ERR_ARGUMENT", () => k.ce(any(new Float32Array(3)), [0]))).toMatch(
    /given array of 3 elements of dtype float$/,
  );
});

it("an option that has no text is told by its kind", () => {
  const { model, data } = { model: k.Module.of(["linear", 2, 2]), data: { inputs: [[1, 2]], targets: [[1, 2]] } };
  const trained = new k.Model(model, "mse", k.optimizer("sgd").build(model));
  for (const epochs of [Object.create(null), Symbol("x"), { toString: () => "3" }, () => 3, 3n]) {
    const message = expectError("ERR_ARGUMENT", () => trained.fit(data, { epochs: any(epochs) }));
    expect(message).toMatch(
      /^fit: epochs: expected a whole number >= 1, given (?:a dictionary|symbol|function|bigint)$/,
    );
  }
});

it("what a getter or a trap of the caller's throws is passed on as it was thrown, by methods as by functions", () => {
  const module = k.Module.of(["linear", 2, 2]);
  const model = new k.Model(module, "mse", k.optimizer("sgd").build(module));
  const thrown = { mine: true };
  const trap = () => {
    throw thrown;
  };
  const data = new Proxy({}, { get: trap, ownKeys: trap, getOwnPropertyDescriptor: trap });
  const good = { inputs: [[1, 2]], targets: [[1, 2]] };
  const option = Object.defineProperty({}, "lr", { get: trap, enumerable: true });
  const numbers = Object.defineProperty([1], 0, { get: trap });
  const handles = k.handlecount();
  const calls: readonly (() => unknown)[] = [
    () => model.fit(any(data)),
    () => model.fit(good, any(data)),
    () => model.fit({ ...good, targets: numbers }),
    () => model.fit(good, any(option)),
    () => model.measure(any(data)),
    () => model.measure(good, any(data)),
    () => k.optimizer.fromJSON(any(option)),
    () => k.optimizer("sgd").schedule(any(option)),
    () => model.optimizer.step(any(option)),
    () => module.forward(numbers),
    () => k.opt("sgd", any(option)),
    () => k.train(model.handle, any(option)),
    () => k.tensor(numbers),
    () => k.loss("ce", any(data)),
  ];
  for (const call of calls) {
    let caught: unknown;
    try {
      call();
    } catch (error) {
      caught = error;
    }
    expect(caught, String(call)).toBe(thrown);
  }
  k.free(model.handle);
  expect(k.handlecount()).toBe(handles);
});

it("every message begins with its call, and tells null and undefined apart", () => {
  const m = k.module(["linear", 2, 1]);
  const model = new k.Model(new k.Module(m), "mse", k.optimizer("sgd").build(m));
  const rows: readonly (readonly [call: string, given: string, () => unknown])[] = [
    ["names", "undefined", () => k.names(any(undefined))],
    ["names", "undefined", () => (k.names as () => unknown)()],
    ["names", "null", () => k.names(any(null))],
    ["seed", "undefined", () => (k.seed as () => unknown)()],
    ["seed", "null", () => k.seed(any(null))],
    ["child", "undefined", () => (k.child as (m: k.ModuleHandle) => unknown)(m)],
    ["opt", "undefined", () => k.opt("sgd", any(undefined))],
    ["opt", "null", () => k.opt("sgd", any(null))],
    ["fit", "undefined", () => model.fit(any(undefined))],
    ["measure", "null", () => model.measure(any(null))],
    ["measure", "undefined", () => model.measure(any({ inputs: [1] }))],
    ["build", "undefined", () => k.optimizer("sgd").build(any(undefined))],
    ["handlecount", "undefined", () => (k.handlecount as (x: unknown) => unknown)(undefined)],
    ["reset", "undefined", () => (k.reset as (x: unknown) => unknown)(undefined)],
    ["child", "a string with half of a surrogate pair", () => k.child(m, "\ud800")],
  ];
  for (const [call, given, make] of rows) {
    expect(expectError("ERR_ARGUMENT", make)).toMatch(
      new RegExp(`^${call}: .*(?:given|with) ${given}(?: as another)?$`),
    );
  }
  const json = { data: "AAAA", shape: [1], dtype: "none" };
  expect(expectError("ERR_FORMAT", () => k.tensor(any(json)))).toMatch(/^tensor: a tensor that went through JSON/);
});
