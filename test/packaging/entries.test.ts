import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as native from "@stepwell/sdk";
import * as wasm from "@stepwell/sdk/wasm";
import { describe, expect, it } from "vitest";
import { expectError } from "../contract/expect-error.js";
import { startCodes } from "./start-codes.js";

it("both entries have the same names, and the same class of error", () => {
  expect(Object.keys(wasm).sort()).toEqual(Object.keys(native).sort());
  expect(wasm.StepwellError).toBe(native.StepwellError);
});

const require = createRequire(import.meta.url);
const sdk = join(import.meta.dirname, "../../packages/sdk");

/** The entries in Node: the name, the namespace that `import` gives, the file for `import`, and the file for `require`. */
const nodeEntries = [
  ["@stepwell/sdk", native, "import/index.mjs", "commonjs/dist/node/index.js"],
  ["@stepwell/sdk/wasm", wasm, "import/wasm.mjs", "commonjs/dist/wasm/wasm.js"],
] as const;

/** The file for `import` that exports names of a CommonJS file. */
const exporting = (names: readonly string[], commonjs: string) =>
  `// Names of the CommonJS entry, for \`import\`. Written by test/packaging/entries.test.ts.\n\n${list(names, commonjs)}`;

const list = (names: readonly string[], commonjs: string) =>
  `export {\n${names.map((key) => `  ${key},`).join("\n")}\n} from "../${commonjs}";\n`;

/** The file for `import` that exports all names, and throws if the engine could not start: see src/api/start.ts. */
function starting(names: readonly string[]): string {
  const started = ["engine", "engineInfo"];
  const others = names.filter((key) => !started.includes(key));
  const start = 'import { engine, engineInfo, startError } from "../commonjs/dist/node/start.js";';
  const rest = "if (startError !== undefined) throw startError;\n\nexport { engine, engineInfo };\n";
  return exporting(others, "commonjs/dist/node/exports.js").replace("\n\n", `\n\n${start}\n\n`).concat(`\n${rest}`);
}

describe.each(nodeEntries)("%s in Node", (name, imported, file, commonjs) => {
  const required = require(name) as typeof native;

  it("is one implementation for `import` and `require`", () => {
    expect(require.resolve(name)).toBe(join(sdk, commonjs));
    const namespace: Record<string, unknown> = { ...required };
    expect(Object.keys(imported).sort()).toEqual(Object.keys(namespace).sort());
    for (const [key, value] of Object.entries(imported)) expect(namespace[key], key).toBe(value);

    const x = required.tensor([1, 2], "grad");
    expect(x).toBeInstanceOf(imported.Handle);
    expect(required.handlecount()).toBe(imported.handlecount());
    const o = imported.optimizer("sgd").build(imported.Tensor.of([3], "grad"));
    expect(required.classof(o.handle)).toBe("optimizer");
    expect(imported.tensor(x)).toEqual([1, 2]);
    expect(() => required.tensor(imported.opt("sgd") as never)).toThrow(imported.StepwellError);
    imported.free();
    expect(required.handlecount()).toBe(0);
  });

  it("exports for `import` the names that `require` has", () => {
    const names = Object.keys(required).sort();
    const text = name === "@stepwell/sdk" ? starting(names) : exporting(names, commonjs);
    const path = join(sdk, file);
    const written = existsSync(path) ? readFileSync(path, "utf8") : "";
    if (written !== text) writeFileSync(path, text);
    expect(written).toBe(text);
  });
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
  const n = wasm.Module.of(["linear", 1, 1]);
  expect(expectError("ERR_HANDLE_INVALID", () => new wasm.Model(m as never, "mse", o as never))).toMatch(another);
  expect(expectError("ERR_HANDLE_INVALID", () => new wasm.Model(n, "mse", o as never))).toMatch(
    /^Model: .*argument 3 is of another engine/,
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
