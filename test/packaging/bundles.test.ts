// Bundles for Node, with the SDK in them: in their project, and elsewhere.

import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { install, pack, run } from "./packed.js";

const folder = mkdtempSync(join(tmpdir(), "bundles-"));
const elsewhere = mkdtempSync(join(tmpdir(), "elsewhere-"));
let project: string;
afterAll(() => [folder, elsewhere].map((path) => rmSync(path, { recursive: true })));

const program = `
  import { engine, grad, opt, step, StepwellError, tensor } from "@stepwell/sdk";
  try {
    const x = tensor([1, 2], "grad", "double");
    const o = opt("sgd", x, 0.5);
    grad(x, [1, 1]);
    step(o);
    console.log(engine, tensor(x));
  } catch (error) {
    if (!(error instanceof StepwellError)) throw error;
    console.log(error.code, error.message);
  }
`;

beforeAll(() => {
  pack(folder);
  project = install(folder, ["native", "wasm", "sdk"], { "train.js": program });
});

describe.each([
  ["es", "mjs"],
  ["cjs", "cjs"],
] as const)("a bundle of the format %s", (format, ending) => {
  const name = `train.${ending}`;
  const moved = join(elsewhere, format);
  beforeAll(async () => {
    const output = { format, entryFileNames: name };
    await build({
      root: project,
      configFile: false,
      logLevel: "silent",
      ssr: { noExternal: true },
      build: { ssr: "train.js", outDir: "out", emptyOutDir: false, rollupOptions: { output } },
    });
    mkdirSync(moved);
    copyFileSync(join(project, "out", name), join(moved, name));
  });
  const train = (cwd: string, engine?: string) => run(process.execPath, [name], cwd, engine);

  it("has the SDK in it, and trains in its project on both engines", () => {
    expect(readFileSync(join(project, "out", name), "utf8")).not.toMatch(/(?:from|require\()\s*"@stepwell/);
    expect(train(join(project, "out"))).toEqual({ status: 0, stdout: "native [ 0.5, 1.5 ]\n", stderr: "" });
    expect(train(join(project, "out"), "wasm")).toEqual({ status: 0, stdout: "wasm [ 0.5, 1.5 ]\n", stderr: "" });
  });

  it("says elsewhere what to write, and trains next to a copy of the module", () => {
    const { stdout, stderr } = train(moved);
    expect(stderr).toMatch(/StepwellWarning: @stepwell\/native is not found from the bundle \S+\. /);
    expect(stderr).toContain("Make @stepwell/sdk external for the bundler");
    expect(stdout).toMatch(
      /^ERR_ENGINE .*stepwell\.wasm does not exist\. Make @stepwell\/sdk external for the bundler, or copy/,
    );
    expect(stdout).not.toMatch(/content security|SIMD/);
    expect(train(moved, "native").stderr).toContain("ERR_ADDON_NOT_FOUND");

    copyFileSync(join(project, "node_modules/@stepwell/wasm/built/stepwell.wasm"), join(moved, "stepwell.wasm"));
    expect(train(moved, "wasm")).toEqual({ status: 0, stdout: "wasm [ 0.5, 1.5 ]\n", stderr: "" });
  });
});
