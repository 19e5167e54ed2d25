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

  it("takes a module, a loss and an optimizer, as handles or as objects", () => {
    const { m, o } = parts();
    const handles = k.handlecount();
    const rows: readonly (readonly [message: string, code: k.ErrorCode, () => unknown])[] = [
      [
        "expected a handle of optimizer as argument 3, given undefined",
        "ERR_ARGUMENT",
        () => new k.Model(m, "mse", any(undefined)),
      ],
      [
        "expected a handle of optimizer as argument 3, given module handle",
        "ERR_HANDLE_KIND",
        () => new k.Model(m, "mse", any(m)),
      ],
      [
        "expected a handle of module as argument 1, given optimizer handle",
        "ERR_HANDLE_KIND",
        () => new k.Model(any(o), "mse", o),
      ],
      [
        "expected a loss as argument 2: a name, a name with options, or a handle, given number 5",
        "ERR_ARGUMENT",
        () => new k.Model(m, any(5), o),
      ],
      [
        "unknown loss `no`, expected one of ce, nll, mse, l1, smoothl1, bce, bcewithlogits, huber, kl, poissonloss, hinge, softmargin, " +
          "multilabel, multimargin, multisoft, cosineloss, margin, triplet, ctc",
        "ERR_UNKNOWN_NAME",
        () => new k.Model(m, any("no"), o),
      ],
    ];
    for (const [message, code, call] of rows) expect(expectError(code, call)).toBe(`Model: ${message}`);
    expect(k.handlecount()).toBe(handles);
    const loss = k.loss("mse");
    for (const module of [m, m.handle]) {
      for (const optimizer of [o, o.handle]) {
        expect(k.classof(new k.Model(module, loss, optimizer).handle)).toBe("model");
        expect(new k.Model(module, "mse", optimizer).loss).toBe("mse");
      }
    }
  });
});
