// Every block of TypeScript of the documentation is compiled and runs. It prints the lines, and throws the errors, that the page says.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { repositoryFiles } from "../suite/repository-files.js";
import { compiled, exampleFolder, outcomeOf, removeFolder } from "./example-runs.js";
import { blocksOf, examplesOf, isError } from "./examples.js";

const root = join(import.meta.dirname, "..", "..");
// One thread for sums, since threads of several examples would wait for each other in loops. libgomp reads it at its start.
process.env.OMP_NUM_THREADS = "1";
const folder = exampleFolder();
afterAll(() => removeFolder(folder));

/** Pages of a user. `test/docs/tutorial.test.ts` runs the tutorial, whose programs read each other's files. */
const pages = repositoryFiles("*.md").filter(
  (file) => /^(?:README\.md$|docs\/|packages\/[^/]+\/README\.md$)/.test(file) && file !== "docs/tutorial.md",
);

const examples = pages.flatMap((page) =>
  examplesOf(join(root, page)).map((example, index) => ({ page, index, ...example })),
);
let files: readonly string[] = [];
beforeAll(() => {
  files = compiled(folder, examples);
});

describe.each(examples.map((example, position) => ({ ...example, position })))("$page, example $index", (example) => {
  const expectOutcome = async (file: string) => {
    const { lines, error } = await outcomeOf(file);
    expect(lines).toEqual(example.prints);
    if (example.throws === undefined) expect(error).toBeUndefined();
    else expect(error, `expected ${example.throws}`).toSatisfy((found) => isError(String(found), example.throws ?? ""));
  };

  it("in TypeScript", async () => {
    const [file = ""] = [files[example.position]];
    await expectOutcome(file);
  });

  // As JavaScript, without a compiler. `npm run test:install` does so on other versions of Node.
  it.skipIf(example.page.startsWith("docs/"))("in JavaScript", async () => {
    const file = join(folder, `plain-${example.position}.mjs`);
    writeFileSync(file, example.code);
    await expectOutcome(file);
  });
});

/** Pages with code of a program that does not run: why. */
const withoutRun: Readonly<Record<string, string>> = {
  "docs/from/tfjs.md": "the code of TensorFlow.js",
  "docs/guides/bundlers.md": "configurations of bundlers, and a page",
  "docs/guides/command-line.md": "modules that the command line reads",
  "docs/guides/distributed.md": "programs of several processes",
};

it("code of JavaScript and TypeScript that does not run is on few pages", () => {
  const isSilent = ({ language }: { language: string }) =>
    /^(?:js|javascript|typescript|mjs|mts|jsx|tsx)$/.test(language);
  const found = pages.filter((page) => blocksOf(join(root, page)).some(isSilent));
  expect(found).toEqual(Object.keys(withoutRun));
});

it("every block says its language", () => {
  const unnamed = pages.filter((page) => blocksOf(join(root, page)).some(({ language }) => language === ""));
  expect(unnamed).toEqual([]);
});

it("the packages that a user installs have examples", () => {
  const withExamples = new Set(examples.map(({ page }) => page));
  for (const name of ["native", "sdk", "wasm"]) expect([...withExamples]).toContain(`packages/${name}/README.md`);
  expect(readFileSync(join(root, "README.md"), "utf8")).toContain("```ts");
});

describe("an error", () => {
  it.each([
    ["ERR_A: b", "ERR_A: b", true],
    ["ERR_A: b c d", "ERR_A: b … d", true],
    ["ERR_A: b", "ERR_B: b", false],
    ["ERR_A: bc", "ERR_A: b", false],
  ])("%s is %s: %s", (found, wanted, expected) => {
    expect(isError(found, wanted)).toBe(expected);
  });
});
