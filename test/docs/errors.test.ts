// Every code of an error has a page, which has the sentence of the table of codes and an example that throws the code.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ErrorCode, errorCodes, StepwellError } from "@stepwell/sdk";
import { describe, expect, it } from "vitest";
import { examplesOf } from "./examples.js";
import { table } from "./table.js";

const root = join(import.meta.dirname, "..", "..");
const read = (file: string) => readFileSync(join(root, file), "utf8");
const pageOf = (code: ErrorCode) => `docs/errors/${code}.md`;

/** The sentence of each code, from the comments of its declaration. */
const sentences = new Map(
  ["packages/sdk/src/generated/error-codes.ts", "packages/sdk/src/errors.ts"].flatMap((file) =>
    [...read(file).matchAll(/\/\*\* (.+) \*\/\n\s+"(ERR_\w+)"/g)].map(
      ([, text = "", code = ""]) => [code, text] as const,
    ),
  ),
);

/** Bugs have no example: one that is known gets fixed. */
const withoutExample: readonly ErrorCode[] = ["ERR_INTERNAL"];

/** Compares the text between two marks with the wanted one. A stale page is written anew, and the test fails once. */
function expectPart(file: string, part: RegExp, wanted: string) {
  const text = read(file);
  const [, before = "", found, after = ""] = part.exec(text) ?? [];
  if (found !== wanted) writeFileSync(join(root, file), `${before}${wanted}${after}`);
  expect(found).toBe(wanted);
}

describe.each(errorCodes)("%s", (code) => {
  it("has a page with the sentence of the table", () => {
    const file = pageOf(code);
    if (!existsSync(join(root, file))) writeFileSync(join(root, file), `# ${code}\n\n\n\n`);
    expectPart(file, /^(# \w+\n\n)(.*)(\n[\s\S]*)$/, sentences.get(code) ?? "");
    expect(read(file)).toContain("\n## Remedies\n\n- ");
  });

  it.skipIf(withoutExample.includes(code))("has an example that throws it", () => {
    const examples = examplesOf(join(root, pageOf(code)));
    const thrown = examples.flatMap(({ throws, prints }) => [throws ?? "", ...prints]);
    expect(thrown.some((text) => text.startsWith(code))).toBe(true);
  });
});

it("there is a page for each code, and for no other", () => {
  const pages = readdirSync(join(root, "docs", "errors")).filter((name) => name !== "index.md");
  expect(pages.sort()).toEqual(errorCodes.map((code) => `${code}.md`).sort());
});

it("the list of pages has each with its sentence", () => {
  const rows = errorCodes.map((code) => [`[\`${code}\`](${code}.md)`, sentences.get(code) ?? ""]);
  expectPart(
    "docs/errors/index.md",
    /^([\s\S]*<!-- codes: written by test\/docs\/errors\.test\.ts -->\n)([\s\S]*)(<!-- end of codes -->\n[\s\S]*)$/,
    `\n${table(["code", "meaning"], rows)}\n\n`,
  );
});

it("an error names its page, under the address of the documentation if there is one, else in the package", () => {
  const { homepage } = JSON.parse(read("packages/sdk/package.json"));
  const folder = homepage ?? "node_modules/@stepwell/sdk/docs";
  for (const code of errorCodes) expect(new StepwellError(code, "").help).toBe(`${folder}/errors/${code}.md`);
});
