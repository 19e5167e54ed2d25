// The packages as registries and compilers see them: manifests, formats of modules, declarations for `import` and `require`.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { pack, run } from "./packed.js";

const folder = mkdtempSync(join(tmpdir(), "published-"));
/** The packages as a registry serves them. */
const served = join(folder, "served");
beforeAll(() => {
  pack(folder);
  pack(served, ["--registry"]);
  // Without the libraries, which come from the wheels.
  const libtorch = join(import.meta.dirname, "../../packages/libtorch");
  expect(run("npm", ["pack", "--pack-destination", folder, libtorch], folder).status).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

const bin = (name: string) => join(import.meta.dirname, "..", "node_modules", ".bin", name);
const tarball = (name: string) => join(folder, readdirSync(folder).find((file) => file.includes(name)) ?? "");
const libraries = ["stepwell-native", "stepwell-sdk", "stepwell-wasm", "stepwell-cli", "stepwell-libtorch"];
// The last has a program alone.
const packages = [...libraries, "stepwell-0"];

it.each(libraries)("%s has the declarations that its modules need, under every way of resolution", (name) => {
  // The module itself is not JavaScript.
  const other = name === "stepwell-wasm" ? ["--exclude-entrypoints", "./stepwell.wasm"] : [];

  const { stdout, status } = run(bin("attw"), [tarball(name), "--format", "json", ...other], folder);
  const { analysis, problems } = JSON.parse(stdout) as { analysis: { entrypoints: object }; problems?: object };
  if (name === "stepwell-cli") {
    // The command line is of ES modules alone: its program is one, and `require` of Node 22.12 and newer takes them.
    expect(Object.keys(problems ?? {})).toEqual(["NoResolution", "CJSResolvesToESM"]);
    return;
  }
  expect(Object.keys(analysis.entrypoints)).toContain(".");
  expect({ problems: problems ?? {}, status }).toEqual({ problems: {}, status: 0 });
});

it.each(packages)("%s has a manifest without faults", (name) => {
  const { stdout, status } = run(bin("publint"), [tarball(name), "--strict"], folder);
  expect(stdout).toContain("All good!");
  expect(status).toBe(0);
});

it("every package that a registry serves has a manifest without faults", () => {
  const tarballs = readdirSync(served);
  expect(tarballs).toHaveLength(6);
  for (const file of tarballs) {
    const { stdout, status } = run(bin("publint"), [join(served, file), "--strict"], folder);
    expect(stdout, file).toContain("All good!");
    expect(status).toBe(0);
  }
});
