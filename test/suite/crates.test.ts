// A crate with tests links a binary for them. Any other crate has `test = false`, so that none is linked for nothing.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..", "..");
const crates = [...readdirSync(join(root, "crates")).map((name) => `crates/${name}`), "bench/native"];

/** The sources of a crate. Its manifest may name the library of another crate. */
const sourcesOf = (crate: string, manifest: string) => {
  const [, library = "src/lib.rs"] = /^path = "(.*\.rs)"$/m.exec(manifest) ?? [];
  const folder = join(root, crate, dirname(library));
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".rs"))
    .map((file) => readFileSync(join(folder, file), "utf8"));
};

describe.each(crates)("%s", (crate) => {
  it("has a binary of tests exactly if its sources have tests", () => {
    const manifest = readFileSync(join(root, crate, "Cargo.toml"), "utf8");
    const targets = manifest.split(/^(?=\[)/m).filter((part) => /^\[(?:lib|\[bin\])\]/.test(part));
    const without = targets.map((part) => part.includes("\ntest = false\n"));
    const hasTests = sourcesOf(crate, manifest).some((text) => text.includes("#[test]"));
    expect(without.includes(true)).toBe(!hasTests);
    expect(without.filter((line) => line !== without[0])).toEqual([]);
  });
});
