import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as native from "@stepwell/sdk";
import * as wasm from "@stepwell/sdk/wasm";
import { expect, it } from "vitest";
import { startCodes } from "./start-codes.js";

const source = (name: string) => fileURLToPath(new URL(`../../packages/sdk/src/${name}`, import.meta.url));

it("the entry for WebAssembly is the other one with another engine", () => {
  const wanted = readFileSync(source("index.ts"), "utf8").replaceAll("./engines/node.js", "./engines/wasm.js");
  const found = readFileSync(source("wasm.ts"), "utf8");
  // A stale file is written anew, and the test fails once.
  if (found !== wanted) writeFileSync(source("wasm.ts"), wanted);
  expect(found).toBe(wanted);
});

it("both entries have the same names, and the same class of error", () => {
  expect(Object.keys(wasm).sort()).toEqual(Object.keys(native).sort());
  expect(wasm.StepwellError).toBe(native.StepwellError);
});

it("the WebAssembly module states the error codes that the types state", async () => {
  const { open } = await import("@stepwell/wasm");
  const module = open() as { call(verb: string, args: readonly unknown[]): unknown };
  expect([...wasm.errorCodes]).toEqual([...(module.call("errorcodes", []) as string[]), ...startCodes]);
});
