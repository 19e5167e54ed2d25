// The example of docs/how-to/optimizer.md has the items of the trait and the imports of the optimizers. All pages name things
// that are in the sources.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryFiles } from "../suite/repository-files.js";

const root = join(import.meta.dirname, "..", "..");
const pages = join(root, "docs", "how-to");
const optim = join(root, "crates", "optim", "src");
const page = readFileSync(join(pages, "optimizer.md"), "utf8");
const example = (/^ *(`{3,})rust\n([\s\S]*?)^ *\1$/m.exec(page)?.[2] ?? "").replace(/^ {3}/gm, "");

/** The items of a trait or of its implementation, by name; those with a body or a default may be left out. */
function items(block: string): readonly { readonly name: string; readonly isOptional: boolean }[] {
  const found = block.matchAll(/^ {4}(?:const|type|fn) (\w+)(?:\[[^\]]*\]|[^;{[]|\{[^}]*\}(?=[^;]*;))*?(;|=|\{)/gm);
  return [...found].map(([, name = "", end]) => ({ name, isOptional: end !== ";" }));
}

it("it has every item that the trait wants, and no other", () => {
  const source = readFileSync(join(optim, "rule.rs"), "utf8");
  const wanted = items(/trait Rule[^{]*\{\n([\s\S]*?)^\}/m.exec(source)?.[1] ?? "");
  const given = items(/impl Rule for Lion \{\n([\s\S]*?)^\}/m.exec(example)?.[1] ?? "").map(({ name }) => name);
  expect(wanted.length).toBeGreaterThan(10);
  expect(given.filter((name) => !wanted.some((item) => item.name === name))).toEqual([]);
  expect(wanted.filter(({ name, isOptional }) => !isOptional && !given.includes(name))).toEqual([]);
});

it("it imports what other optimizers import", () => {
  const folder = join(optim, "optimizers");
  const sources = readdirSync(folder)
    .filter((file) => file.endsWith(".rs"))
    .map((file) => readFileSync(join(folder, file), "utf8"));
  const imports = example.match(/^use .*;$/gm) ?? [];
  expect(imports.length).toBeGreaterThan(4);
  expect(imports.filter((line) => !sources.some((source) => source.includes(line)))).toEqual([]);
});

it("its options are declared as others are", () => {
  const source = readFileSync(join(optim, "optimizers", "sgd.rs"), "utf8");
  const words = (text: string) =>
    new Set(text.match(/\b(?:limit|alias) \w+|\w+ true;/g)?.map((part) => part.split(" ")[0]));
  expect([...words(example)].filter((word) => !words(source).has(word))).toEqual([]);
});

/** The text of all source files and of the example, for names. */
const sources = repositoryFiles("crates", "packages", "test", "vitest.config.ts")
  .filter((file) => /\.(?:rs|cpp|ts|py)$/.test(file))
  .map((file) => readFileSync(join(root, file), "utf8"))
  .concat(example)
  .join("\n");

describe.each(readdirSync(pages))("%s", (name) => {
  it("names what is in the sources", () => {
    const prose = readFileSync(join(pages, name), "utf8").replace(/^ *(`{3,})[\s\S]*?^ *\1$/gm, "");
    const names = [...prose.matchAll(/`([A-Za-z_][\w.]*)(?:\(\))?`/g)].map(([, word = ""]) => word);
    const isThere = (word: string) =>
      sources.includes(word) || sources.includes(word.split(".").at(-1) ?? "") || existsSync(join(root, word));
    expect(names.filter((word) => word !== "NAME" && !isThere(word))).toEqual([]);
  });
});
