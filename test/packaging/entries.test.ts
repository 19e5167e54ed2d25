import * as native from "@stepwell/sdk";
import * as wasm from "@stepwell/sdk/wasm";
import { expect, it } from "vitest";
import { expectError } from "../contract/expect-error.js";
import { startCodes } from "./start-codes.js";

it("both entries have the same names, and the same class of error", () => {
  expect(Object.keys(wasm).sort()).toEqual(Object.keys(native).sort());
  expect(wasm.StepwellError).toBe(native.StepwellError);
});

it("each entry has an engine of its own, and refuses handles of the other", () => {
  expect([native.engine, wasm.engine]).toEqual(["native", "wasm"]);
  const [x, y] = [native.tensor(1), wasm.tensor(2)];
  expect([native.handlecount(), wasm.handlecount()]).toEqual([1, 1]);
  const another = /argument 1 is of another engine/;
  expect(expectError("ERR_HANDLE_INVALID", () => wasm.tensor(x))).toMatch(another);
  expect(expectError("ERR_HANDLE_INVALID", () => wasm.step(native.opt("sgd"), () => 1))).toMatch(another);
  expect(expectError("ERR_HANDLE_INVALID", () => new native.Tensor(y))).toMatch(another);
  const m = native.Module.of(["linear", 1, 1]);
  const o = native.optimizer("sgd").build(m);
  expect(expectError("ERR_ARGUMENT", () => new wasm.Model(m as never, "mse", o as never))).toBe(
    "Model: expected an object of class Module as argument 1, given one of another entry",
  );
  wasm.free();
  expect(native.tensor(x)).toBe(1);
  native.free();
});

it("the WebAssembly module states the error codes that the types state", async () => {
  const { open } = await import("@stepwell/wasm");
  const module = open() as { call(command: string, args: readonly unknown[]): unknown };
  expect([...wasm.errorCodes]).toEqual([...(module.call("errorcodes", []) as string[]), ...startCodes]);
});
