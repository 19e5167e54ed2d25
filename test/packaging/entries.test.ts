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
  expectError("ERR_HANDLE_INVALID", () => wasm.tensor(x));
  expectError("ERR_HANDLE_INVALID", () => new native.Tensor(y).values());
  wasm.free();
  expect(native.tensor(x)).toBe(1);
  native.free();
});

it("the WebAssembly module states the error codes that the types state", async () => {
  const { open } = await import("@stepwell/wasm");
  const module = open() as { call(command: string, args: readonly unknown[]): unknown };
  expect([...wasm.errorCodes]).toEqual([...(module.call("errorcodes", []) as string[]), ...startCodes]);
});
