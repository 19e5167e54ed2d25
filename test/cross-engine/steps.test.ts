import * as native from "@stepwell/sdk";
import * as wasm from "@stepwell/sdk/wasm";
import { describe, expect, it } from "vitest";

type Engine = typeof native | typeof wasm;

const steps = 20;
const sizes = [1, 7, 130];

/** Numbers of several magnitudes, from a fixed sequence; some are 0. */
function numbers(count: number, salt: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const x = Math.imul(i + 1, 2654435761) + Math.imul(salt + 1, 40503);
    return (x >>> 0) % 11 === 0 ? 0 : (((x >>> 8) % 20_001) - 10_000) * 10 ** (-3 - (i % 4));
  });
}

/** The bits of parameters and state after each step with fixed gradients; L-BFGS has the gradients of a quadratic. */
function bits(k: Engine, name: native.OptimizerName, dtype: "float" | "double"): string[] {
  const round = dtype === "float" ? Math.fround : (x: number) => x;
  const parameters = sizes.map((size, p) => k.tensor(numbers(size, p), "grad", dtype));
  const optimizer = k.opt(name, k.vector(...parameters));
  const closure = () => {
    let loss = 0;
    for (const [p, parameter] of parameters.entries()) {
      const values = k.tensor(parameter) as number[];
      const gradient = values.map((x, i) => round((1 + ((i + p) % 5)) * x));
      for (const [i, x] of values.entries()) loss += round(x * (gradient[i] ?? 0)) / 2;
      k.grad(parameter, gradient);
    }
    return loss;
  };
  return Array.from({ length: steps }, (_, n) => {
    if (name === "lbfgs") k.step(optimizer, closure);
    else {
      for (const [p, parameter] of parameters.entries()) k.grad(parameter, numbers(sizes[p] ?? 0, 10 + n * p));
      k.step(optimizer);
    }
    const state = k.state(optimizer).parms.map((row) => row.buffers);
    return JSON.stringify([parameters.map((parameter) => k.data(parameter)), state], (_key, value) => {
      if (!ArrayBuffer.isView(value)) return typeof value === "number" ? String(value) : value;
      return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex");
    });
  });
}

const names = native.help("optimizer").map((row) => row.optimizer);

describe.each(["float", "double"] as const)("the same gradients in %s", (dtype) => {
  it.each(names)("take %s to the same bits on both engines", (name) => {
    const [ours, theirs] = [bits(native, name, dtype), bits(wasm, name, dtype)];
    expect(new Set(ours).size).toBe(steps);
    expect(theirs).toEqual(ours);
  });
});

it("the engines do not take each other's handles", () => {
  expect([native.engine, wasm.engine]).toEqual(["native", "wasm"]);
  const theirs = wasm.tensor([1, 2]);
  const error = expect.objectContaining({ code: "ERR_HANDLE_INVALID" });
  expect(() => native.tensor(theirs)).toThrow(error);
  expect(() => wasm.tensor(native.tensor([1, 2]))).toThrow(error);
});
