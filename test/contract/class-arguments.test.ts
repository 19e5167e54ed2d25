// Arguments that constructors and functions of the SDK check themselves, with the call that the message names.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

const any = (value: unknown) => value as never;

/** Each class of one handle, and the kind of its handle. */
const classes = [
  ["Tensor", "tensor", k.Tensor],
  ["Module", "module", k.Module],
  ["Optimizer", "optimizer", k.Optimizer],
] as const;

const made = () => ({
  tensor: k.tensor([1]),
  vector: k.vector([1]),
  dictionary: k.dict({ a: [1] }),
  module: k.module("relu"),
  optimizer: k.opt("sgd"),
  loss: k.loss("mse"),
  model: k.model(k.module("relu"), k.loss("mse"), k.opt("sgd")),
});

describe.each(classes)("%s", (name, kind, of) => {
  const Class = of as new (...handles: readonly unknown[]) => object;

  it("takes a live handle of its kind, and no other", () => {
    const handles = made();
    for (const [given, handle] of Object.entries(handles)) {
      if (given === kind) expect(new Class(handle)).toHaveProperty("handle", handle);
      else {
        expect(expectError("ERR_HANDLE_KIND", () => new Class(handle))).toBe(
          `${name}: expected a handle of ${kind} as argument 1, given ${given} handle`,
        );
      }
    }
    k.free(handles[kind]);
    expect(expectError("ERR_HANDLE_FREED", () => new Class(handles[kind]))).toMatch(new RegExp(`^${name}: `));
  });

  it.each([
    ["undefined", undefined],
    ["null", null],
    ["number 5", 5],
    ["a dictionary", {}],
    ["an instance of Handle", Object.create(k.Handle.prototype)],
  ])("refuses %s", (given, value) => {
    const words = given === "an instance of Handle" ? "a handle of another copy of Stepwell" : given;
    expect(expectError("ERR_ARGUMENT", () => new Class(value))).toBe(
      `${name}: expected a handle of ${kind} as argument 1, given ${words}`,
    );
  });
});

describe("Model", () => {
  const parts = () => {
    const m = k.Module.of(["linear", 1, 1]);
    return { m, o: k.optimizer("sgd").build(m) };
  };

  it("takes a module, the name of a loss and an optimizer", () => {
    const { m, o } = parts();
    const handles = k.handlecount();
    const rows: readonly (readonly [message: string, code: k.ErrorCode, () => unknown])[] = [
      [
        "expected an object of class Optimizer as argument 3, given undefined",
        "ERR_ARGUMENT",
        () => new k.Model(m, "mse", any(undefined)),
      ],
      [
        "expected an object of class Optimizer as argument 3, given an instance of Module",
        "ERR_ARGUMENT",
        () => new k.Model(m, "mse", any(m)),
      ],
      [
        "expected an object of class Module as argument 1, given an instance of Handle",
        "ERR_ARGUMENT",
        () => new k.Model(any(m.handle), "mse", o),
      ],
      ["expected the name of a loss as argument 2, given number 5", "ERR_ARGUMENT", () => new k.Model(m, any(5), o)],
      [
        "unknown loss `no`, expected one of ce, nll, mse, l1, smoothl1, bce, bcewithlogits",
        "ERR_UNKNOWN_NAME",
        () => new k.Model(m, any("no"), o),
      ],
    ];
    for (const [message, code, call] of rows) expect(expectError(code, call)).toBe(`Model: ${message}`);
    expect(k.handlecount()).toBe(handles);
    const loss = k.loss("mse");
    expect(expectError("ERR_ARGUMENT", () => new k.Model(m, any(loss), o))).toBe(
      "Model: expected the name of a loss as argument 2, given an instance of Handle",
    );
    expect(k.classof(new k.Model(m, "mse", o).handle)).toBe("model");
  });
});

describe("messages name the function that was called", () => {
  const rows: readonly (readonly [message: string, () => unknown])[] = [
    ["take: expected a tensor handle as argument 1, given number 5", () => k.take(any(5))],
    ["take: expected plain data or a handle as argument 1, given a Map", () => k.take(any(new Map()))],
    ["classof: expected a handle as argument 1, given number 5", () => k.classof(any(5))],
    [
      'seq: expected "sequential" or ["sequential", name] as argument 1, given list of 3',
      () => k.seq(any(["linear", 1, 1]), "relu"),
    ],
    ['seq: expected "sequential" or ["sequential", name] as argument 1, given nothing', () => k.seq(any(undefined))],
    ['seq: expected "sequential" or ["sequential", name] as argument 1, given string "relu"', () => k.seq(any("relu"))],
    ["lr: expected a value as argument 1, given undefined", () => (k.optimizer("adam").lr as () => unknown)()],
    ["search: expected a value as argument 1, given undefined", () => (k.optimizer("lbfgs").search as () => unknown)()],
    ["decay: expected a value as argument 1, given undefined", () => k.optimizer("adam").decay(any(undefined))],
  ];
  it.each(rows)("%s", (message, call) => {
    expect(expectError("ERR_ARGUMENT", call)).toBe(message);
  });

  it("flags need no value", () => {
    expect(k.optimizer("sgd").momentum(0.9).nesterov().toJSON().options).toEqual({ momentum: 0.9, nesterov: true });
    expect(k.optimizer("lbfgs").search(null).toJSON().options).toEqual({ search: null });
  });
});

it("presets and codes cannot be changed", () => {
  const changes: readonly (() => unknown)[] = [
    () => Object.assign(k.presets, { mine: {} }),
    ...Object.values(k.presets).map((preset) => () => Object.assign(preset, { eps: 1 })),
    () => (k.errorCodes as unknown as string[]).push("ERR_MINE"),
  ];
  for (const change of changes) expect(change).toThrow(TypeError);
  k.opt("lamb", k.tensor([1], "grad"), 0.1, k.presets.apex);
});

it("an error has no cause of the same text", () => {
  for (const call of [() => k.tensor(any(5), any(6)), () => k.step(any(5)), () => k.opt(any("no"))]) {
    try {
      call();
      expect.fail("nothing was thrown");
    } catch (error) {
      expect(error).toBeInstanceOf(k.StepwellError);
      expect((error as Error).cause).toBeUndefined();
    }
  }
});
