// Shapes of many dimensions, and of none or of vast sizes.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";
import { call } from "./untyped.js";

afterEach(() => k.free());

describe("tensors", () => {
  it("have at most 64 dimensions, however they are made", () => {
    const most = Array<number>(64).fill(1);
    const more = [...most, 1];
    const nest = (depth: number) => Array.from({ length: depth }).reduce<unknown>((inner) => [inner], 1);
    const x = k.full(most, 1);
    expect(k.size(x)).toEqual(most);
    expect(k.tensor(x)).toEqual(nest(64));
    expect(k.size(call("tensor", nest(64)) as k.TensorHandle)).toEqual(most);
    expect(k.tensor(k.mse(x, call("tensor", x) as never))).toBe(0);
    for (const shape of [more, Array<number>(40_000).fill(1)]) {
      expectError("ERR_SHAPE", () => k.full(shape, 1));
      expectError("ERR_SHAPE", () => k.full([0, ...shape], 1));
      expectError("ERR_SHAPE", () => k.tensor([1], { shape }));
      expectError("ERR_SHAPE", () => k.module(["layernorm", shape]));
      expectError("ERR_ARGUMENT", () => call("tensor", { data: new Float32Array(1), shape }));
      expectError("ERR_ARGUMENT", () => call("mse", x, { data: new Float32Array(1), shape }));
    }
    expectError("ERR_SHAPE", () => numbersOf(nest(65)));
    const indices = k.full(most, 0, "long");
    expectError("ERR_SHAPE", () => k.forward(k.module(["embedding", 1, 1]), indices));
  });

  const numbersOf = (given: unknown) => call("tensor", given);

  it("are read as lists only where those can be made", () => {
    for (const shape of [
      [2 ** 28, 0],
      [2 ** 14, 2 ** 14, 0],
      [2 ** 26, 1, 0],
      [1, 2 ** 25, 0, 7],
    ]) {
      const x = k.full(shape, 0, "grad");
      expect(k.bytes(x)).toBe(0);
      expectError("ERR_MEMORY", () => k.tensor(x));
      expectError("ERR_MEMORY", () => k.take(x));
      expect(k.data(x)).toEqual({ data: new Float32Array(0), shape });
      k.zerograd(x);
    }
    expect(k.tensor(k.full([3, 0], 0))).toEqual([[], [], []]);
    expect(k.tensor(k.full([0, 2 ** 28], 0))).toEqual([]);
    expect(k.tensor(k.full([0], 0))).toEqual([]);
    expect(k.tensor(k.full([], 7))).toBe(7);
    expect(k.tensor(k.full([2, 1, 2], 7))).toEqual([[[7, 7]], [[7, 7]]]);
  });
});
