import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { examplesOf } from "./examples.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** Inside the test package, so that the examples find the SDK as a user's project does. */
const folder = mkdtempSync(join(root, "test", "dist-examples-"));
afterAll(() => rmSync(folder, { recursive: true }));

// The page of coverage has names only.
const pages = readdirSync(join(root, "docs", "reference")).filter((name) => name !== "coverage.md");
const reference = pages.map((name) => join("docs", "reference", name));
const guides = ["command-line.md", "gpu.md", "own-modules.md", "sequences.md"].map((name) =>
  join("docs", "guides", name),
);
const packages = ["native", "sdk", "wasm"].map((name) => join("packages", name, "README.md"));

const linesOf = (script: string) =>
  execFileSync(process.execPath, [script], { encoding: "utf8", cwd: folder }).trimEnd().split("\n");

describe.each(["README.md", ...packages, ...guides, ...reference])("%s", (page) => {
  const examples = examplesOf(join(root, page));

  it("has examples", () => expect(examples.length).toBeGreaterThan(0));

  // Each is compiled and run in a process of its own.
  it.each(examples)("example %#", ({ code, prints }) => {
    const file = join(folder, "example.mts");
    writeFileSync(file, code);
    const tsc = join(root, "node_modules", ".bin", "tsc");
    const options = ["--strict", "--module", "nodenext", "--target", "es2023", "--types", "node", "--skipLibCheck"];
    execFileSync(tsc, [...options, "--lib", "es2023,esnext.disposable", "--ignoreConfig", file]);
    const script = join(folder, "example.mjs");
    expect(linesOf(script)).toEqual(prints);
  });

  // As JavaScript, without a compiler. `npm run test:install` does so on other versions of Node.
  it.each(page.startsWith("docs") ? [] : examples)("example %# in JavaScript", ({ code, prints }) => {
    const script = join(folder, "plain.mjs");
    writeFileSync(script, code);
    expect(linesOf(script)).toEqual(prints);
  });
});
