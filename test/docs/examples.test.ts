import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** Inside the test package, so that the examples find the SDK as a user's project does. */
const folder = mkdtempSync(join(root, "test", "dist-examples-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The TypeScript blocks of a page; a comment `// prints: ...` at the end of a line says what that line prints. */
function examplesOf(page: string): readonly { readonly code: string; readonly prints: readonly string[] }[] {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => ({
    code,
    prints: [...code.matchAll(/\/\/ prints: (.*)/g)].map(([, line = ""]) => line),
  }));
}

const reference = readdirSync(join(root, "docs", "reference")).map((name) => join("docs", "reference", name));
const packages = ["native", "sdk", "wasm"].map((name) => join("packages", name, "README.md"));

describe.each(["README.md", ...packages, ...reference])("%s", (page) => {
  const examples = examplesOf(page);

  it("has examples", () => expect(examples.length).toBeGreaterThan(0));

  // Each is compiled and run in a process of its own.
  it.each(examples)("example %#", ({ code, prints }) => {
    const file = join(folder, "example.mts");
    writeFileSync(file, code);
    const tsc = join(root, "node_modules", ".bin", "tsc");
    const options = ["--strict", "--module", "nodenext", "--target", "es2023", "--types", "node", "--skipLibCheck"];
    execFileSync(tsc, [...options, "--lib", "es2023,esnext.disposable", "--ignoreConfig", file]);
    const script = join(folder, "example.mjs");
    const printed = execFileSync(process.execPath, [script], { encoding: "utf8", cwd: folder });
    expect(printed.trimEnd().split("\n")).toEqual(prints);
  });
});
