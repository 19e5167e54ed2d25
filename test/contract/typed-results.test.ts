// Results whose type a call states: the dimensions of nested numbers, the type of elements, the metrics of a pass.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { supported } from "../engine-differences.js";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

/** A call that types do not allow. */
const untyped = (call: unknown, ...args: readonly unknown[]) =>
  (call as (...args: readonly unknown[]) => unknown)(...args);

describe("dimensions", () => {
  const nested = [
    1,
    [1, 2],
    [
      [1, 2],
      [3, 4],
    ],
    [[[1], [2]]],
    [[[[1, 2]]]],
  ];

  it.each([0, 1, 2, 3, 4] as const)("%i are read as they were written", (dimensions) => {
    const x = k.tensor(nested[dimensions] as k.Numbers);
    const options = { dimensions } as { readonly dimensions: 2 };
    expect(k.tensor(x, options)).toEqual(nested[dimensions]);
    expect(k.tensor(new k.Tensor(x), options)).toEqual(nested[dimensions]);
    expect(new k.Tensor(x).values(options)).toEqual(nested[dimensions]);
    expect(new k.Tensor(k.tensor(nested[dimensions] as k.Numbers)).take(options)).toEqual(nested[dimensions]);
    expect(k.take(x, options)).toEqual(nested[dimensions]);
    expectError("ERR_HANDLE_FREED", () => k.tensor(x));
  });

  it("of another number are an error, and the tensor stays", () => {
    const x = k.tensor([[1, 2]]);
    expect(expectError("ERR_SHAPE", () => k.tensor(x, { dimensions: 1 }))).toBe(
      "tensor: expected a tensor of 1 dimension, given one of shape [1, 2]",
    );
    expectError("ERR_SHAPE", () => k.take(x, { dimensions: 0 }));
    expectError("ERR_SHAPE", () => new k.Tensor(x).values({ dimensions: 3 }));
    expect(k.tensor(x)).toEqual([[1, 2]]);
  });

  it("that are not a whole number, and other options, are errors", () => {
    const x = k.tensor([1]);
    for (const dimensions of ["1", 1.5, -1, null, true]) {
      expectError("ERR_OPTION_TYPE", () => untyped(k.tensor, x, { dimensions }));
    }
    expectError("ERR_OPTION_UNKNOWN", () => untyped(k.tensor, x, { dimension: 1 }));
    expectError("ERR_OPTION_UNKNOWN", () => untyped(k.tensor, [1], { dimensions: 1 }));
    expectError("ERR_ARGUMENT", () => untyped(k.tensor, x, { dimensions: 1 }, 1));
    for (const options of [null, undefined, 1, "grad", []]) {
      expectError("ERR_ARGUMENT", () => untyped(k.tensor, x, options));
      expectError("ERR_ARGUMENT", () => untyped(k.take, x, options));
    }
    expect(k.tensor(x)).toEqual([1]);
    expect(k.handlecount()).toBe(1);
  });
});

describe("the type of elements", () => {
  const arrays = {
    float: Float32Array,
    double: Float64Array,
    half: Float32Array,
    bfloat16: Float32Array,
    long: BigInt64Array,
    bool: Uint8Array,
  };

  it.each(supported("float", "double", "half", "bfloat16", "long", "bool"))("%s has its array", (type) => {
    const x = k.tensor([1, 2], type as k.Dtype);
    const element = k.dtype(x);
    expect(element).toBe(type);
    expect(k.data(x, element)).toEqual(k.data(x));
    expect(k.data(x, element).data).toBeInstanceOf(arrays[element]);
    expect(new k.Tensor(x).data(element)).toEqual(k.data(x));
    for (const other of Object.keys(arrays) as k.ElementType[]) {
      if (other !== type) expectError("ERR_DTYPE", () => k.data(x, other));
    }
  });

  it("is one of six names", () => {
    const x = k.tensor([1]);
    expect(expectError("ERR_ARGUMENT", () => untyped(k.data, x, "float32"))).toBe(
      'data: expected one of float, double, half, bfloat16, long, bool as argument 2, given string "float32"',
    );
    for (const type of [undefined, null, 7, {}]) expectError("ERR_ARGUMENT", () => untyped(k.data, x, type));
    expectError("ERR_ARGUMENT", () => untyped(k.data, x, "float", 1));
    expectError("ERR_DTYPE", () => k.data(x, "double"));
  });
});

describe("metrics of a pass", () => {
  const classifier = () => {
    const m = k.module(["linear", 2, 2]);
    const made = k.model(m, k.loss("ce"), k.opt("sgd", m, 0.1));
    for (const set of [k.train, k.test]) {
      set(
        made,
        [
          [1, 0],
          [0, 1],
          [1, 1],
        ],
        [0, 1, 1],
      );
      set(made, { batchsize: 2 });
    }
    return made;
  };

  it.each([
    ["run", k.run, k.train],
    ["testrun", k.testrun, k.test],
  ] as const)("of %s are those that are asked for", (_, pass, settings) => {
    k.seed(1);
    const m = classifier();
    settings(m, { metrics: ["matches"] });
    expect(typeof pass(m, { metrics: "loss" })).toBe("number");
    expect(typeof pass(m, { metrics: ["loss"] })).toBe("number");
    expect(Object.keys(pass(m, { metrics: "accuracy" }))).toEqual(["accuracy"]);
    const both = pass(m, { metrics: ["accuracy", "batchloss"] });
    expect(both.accuracy).toBeGreaterThanOrEqual(0);
    expect(both.batchloss).toHaveLength(2);
    expect(settings(m).metrics).toEqual(["matches"]);
    expect(Object.keys(pass(m))).toEqual(["matches"]);
    expect(Object.keys(untyped(pass, m, {}) as object)).toEqual(["matches"]);
  });

  it("are the same numbers as with the setting, and the settings stay after an error", () => {
    k.seed(1);
    const first = classifier();
    k.train(first, { metrics: ["loss", "accuracy"] });
    const expected = k.run(first);
    k.seed(1);
    const second = classifier();
    expect(k.run(second, { metrics: ["loss", "accuracy"] })).toEqual(expected);
    expect(expectError("ERR_OPTION_RANGE", () => untyped(k.run, second, { metrics: "f1" }))).toMatch(/^run: /);
    expectError("ERR_OPTION_UNKNOWN", () => untyped(k.run, second, { metric: "loss" }));
    expectError("ERR_OPTION_UNKNOWN", () => untyped(k.run, second, { batchsize: 1 }));
    expectError("ERR_ARGUMENT", () => untyped(k.run, second, { metrics: "loss" }, 1));
    const { module: m, data } = { module: k.module(second), data: [[Number.NaN, 0]] };
    k.train(second, data, [0]);
    k.train(second, { nonfinite: "error" });
    expectError("ERR_GRADIENT", () => k.run(second, { metrics: "accuracy" }));
    expect(k.train(second).metrics).toEqual(["loss"]);
    k.free(m);
  });
});
