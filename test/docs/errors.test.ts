// Every code of an error has a page, which has the sentence of the table of codes and an example that throws the code.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCodes, StepwellError } from "@stepwell/sdk";
import { describe, expect, it } from "vitest";
import { examplesOf } from "./examples.js";
import { table } from "./table.js";

const root = join(import.meta.dirname, "..", "..");
const read = (file: string) => readFileSync(join(root, file), "utf8");
const pageOf = (code: string) => `docs/errors/${code}.md`;

/** The sentence of each code, from the comments of its declaration. */
const sentences = new Map(
  [
    "packages/sdk/src/generated/error-codes.ts",
    "packages/sdk/src/errors.ts",
    "packages/cli/src/command-error.ts",
  ].flatMap((file) =>
    [...read(file).matchAll(/\/\*\* (.+) \*\/\n\s+"(ERR_\w+)"/g)].map(
      ([, text = "", code = ""]) => [code, text] as const,
    ),
  ),
);

/** Codes of the command line. test/cli/error-pages.test.ts runs the examples of their pages. */
const commandCodes = [...sentences.keys()].filter((code) => !(errorCodes as readonly string[]).includes(code));

/** Bugs have no example: one that is known gets fixed. */
const withoutExample: readonly string[] = ["ERR_INTERNAL"];

/** Compares the text between two marks with the wanted one. A stale page is written anew, and the test fails once. */
function expectPart(file: string, part: RegExp, wanted: string) {
  const text = read(file);
  const [, before = "", found, after = ""] = part.exec(text) ?? [];
  if (found !== wanted) writeFileSync(join(root, file), `${before}${wanted}${after}`);
  expect(found).toBe(wanted);
}

describe.each<string>([...errorCodes, ...commandCodes])("%s", (code) => {
  it("has a page with the sentence of the table", () => {
    const file = pageOf(code);
    if (!existsSync(join(root, file))) writeFileSync(join(root, file), `# ${code}\n\n\n\n`);
    expectPart(file, /^(# \w+\n\n)(.*)(\n[\s\S]*)$/, sentences.get(code) ?? "");
    expect(read(file)).toContain("\n## Remedies\n\n- ");
  });

  it.skipIf([...withoutExample, ...commandCodes].includes(code))("has an example that throws it", () => {
    const examples = examplesOf(join(root, pageOf(code)));
    const thrown = examples.flatMap(({ throws, prints }) => [throws ?? "", ...prints]);
    expect(thrown.some((text) => text.startsWith(code))).toBe(true);
  });
});

it("there is a page for each code, and for no other", () => {
  const pages = readdirSync(join(root, "docs", "errors")).filter((name) => name !== "index.md");
  expect(pages.sort()).toEqual([...errorCodes, ...commandCodes].map((code) => `${code}.md`).sort());
});

it.each([
  ["codes", errorCodes],
  ["codes of the command line", commandCodes],
])("the list of %s has each with its sentence", (name, codes) => {
  const rows = codes.map((code) => [`[\`${code}\`](${code}.md)`, sentences.get(code) ?? ""]);
  const [begin, end] = [`<!-- ${name}: written by test/docs/errors.test.ts -->`, `<!-- end of ${name} -->`];
  expectPart(
    "docs/errors/index.md",
    RegExp(`^([\\s\\S]*${begin}\\n)([\\s\\S]*)(${end}\\n[\\s\\S]*)$`),
    `\n${table(["code", "meaning"], rows)}\n\n`,
  );
});

it("an error names its page: in the package if this has the pages, else in the project that a bundle was made in", () => {
  const { homepage } = JSON.parse(read("packages/sdk/package.json"));
  const own = join(root, "packages", "sdk", "docs", "errors");
  const folder = homepage ?? (existsSync(own) ? own : "node_modules/@stepwell/sdk/docs/errors");
  for (const code of errorCodes) expect(new StepwellError(code, "").help).toBe(`${folder}/${code}.md`);
});
