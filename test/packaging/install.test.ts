import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { install, pack, run } from "./packed.js";

const folder = mkdtempSync(join(tmpdir(), "install-"));
beforeAll(() => pack(folder));
afterAll(() => rmSync(folder, { recursive: true }));

const program = `
  import { engine, grad, opt, step, tensor } from "@stepwell/sdk";
  const x = tensor([1, 2], "grad", "double");
  const o = opt("sgd", x, 0.5);
  grad(x, [1, 1]);
  step(o);
  console.log(engine, tensor(x));
`;
/** The program with each entry. */
const programs = {
  "train.js": program,
  "wasm.js": program.replace("@stepwell/sdk", "@stepwell/sdk/wasm"),
  "train.cjs": 'console.log(require("@stepwell/sdk").engine);',
};

describe("all packages", () => {
  it("train in an empty project, on libtorch unless told otherwise", () => {
    const project = install(folder, ["native", "wasm", "sdk"], programs);
    const node = (file: string, engine?: string) => run(process.execPath, [file], project, engine);
    expect(node("train.js")).toEqual({ status: 0, stdout: "native [ 0.5, 1.5 ]\n", stderr: "" });
    expect(node("train.js", "native")).toEqual({ status: 0, stdout: "native [ 0.5, 1.5 ]\n", stderr: "" });
    expect(node("train.js", "rust")).toEqual({ status: 0, stdout: "rust [ 0.5, 1.5 ]\n", stderr: "" });
    expect(node("train.js", "wasm")).toEqual({ status: 0, stdout: "wasm [ 0.5, 1.5 ]\n", stderr: "" });
    expect(node("wasm.js")).toEqual({ status: 0, stdout: "wasm [ 0.5, 1.5 ]\n", stderr: "" });
    expect(node("train.js", "jax").stderr).toContain('STEPWELL_ENGINE: expected native, rust or wasm, given "jax"');
  });
});

describe("without the native package", () => {
  it("the SDK trains in an empty project, and says once that it is WebAssembly", () => {
    const project = install(folder, ["wasm", "sdk"], programs);
    const node = (file: string, engine?: string) => run(process.execPath, [file], project, engine);
    const { status, stdout, stderr } = node("train.js");
    expect({ status, stdout }).toEqual({ status: 0, stdout: "wasm [ 0.5, 1.5 ]\n" });
    expect(stderr.match(/StepwellWarning: @stepwell\/native is not here/g)).toHaveLength(1);
    expect(node("train.cjs").stdout).toBe("wasm\n");
    // An explicit choice prints no warning.
    expect(node("train.js", "wasm").stderr).toBe("");
    expect(node("wasm.js").stderr).toBe("");
    const wanted = node("train.js", "native");
    expect(wanted.status).toBe(1);
    expect(wanted.stderr).toContain("@stepwell/native");
  });
});
