// Every file that a document names is there, and every decision has its three parts.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryFiles } from "../suite/repository-files.js";

const root = join(import.meta.dirname, "..", "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const inFolder = (folder: string) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`);
const decisions = inFolder("docs/decisions");
const documents = [
  ...[
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/performance.md",
    "docs/recipes.md",
    "docs/reliability.md",
    "docs/tutorial.md",
    "apps/playground/README.md",
    "test/parity/README.md",
  ],
  ...["decisions", "errors", "from", "guides", "how-to", "internals", "reference"].flatMap((folder) =>
    inFolder(`docs/${folder}`),
  ),
  ...inFolder("bench/results").filter((path) => path.endsWith(".md")),
];

const files = repositoryFiles();
const folders = "apps|bench|crates|docs|examples|packages|scripts|test";
const mention = new RegExp(`(?<![\\w/.@-])(?:${folders})/[\\w./*-]*[\\w*/]`, "g");

/** The paths that a document names: targets of links, and what begins with a folder of the repository. */
function pathsOf(document: string): readonly string[] {
  const text = read(document).replace(/https?:\S+/g, "");
  const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target = ""]) => join(dirname(document), target));
  const mentions = [...text.replace(/\]\([^)]*\)/g, "]").matchAll(mention)].map(([path]) => path);
  return [...new Set([...links, ...mentions])];
}

/** A part `NAME` stands for a name of the reader's choice, and `*` for anything; a file of that kind must be there. */
function isThere(path: string): boolean {
  if (!/\*|(?<!_)NAME/.test(path)) return existsSync(join(root, path));
  const pattern = new RegExp(
    `^${path.replace(/[.]/g, "\\.").replace(/\*/g, "[^/]*").replace(/NAME/g, "[a-z0-9_-]+")}(?:$|/)`,
  );
  return files.some((file) => pattern.test(file));
}

describe.each(documents)("%s", (document) => {
  it("names files that are there", () => {
    expect(pathsOf(document).filter((path) => !isThere(path))).toEqual([]);
  });
});

it("has a row in the code map for every folder of two levels, and for every folder of sources", () => {
  const files = repositoryFiles(...folders.split("|"));
  const named = [...read("ARCHITECTURE.md").matchAll(/^\| `([^`]+)\/` +\|/gm)].map(([, folder = ""]) => folder);
  const sources = files.filter((file) => /^(?:crates|packages)\/[^/]+\/src\//.test(file)).map(dirname);
  const parents = files
    .filter((file) => file.split("/").length > 2)
    .map((file) => file.split("/").slice(0, 2).join("/"))
    .filter((folder) => !named.some((name) => name.startsWith(`${folder}/`)));
  expect([...new Set([...sources, ...parents])].filter((folder) => !named.includes(folder))).toEqual([]);
});

it("has a sorted glossary of at most 40 lines", () => {
  const [, glossary = ""] = read("ARCHITECTURE.md").split("## Glossary\n");
  const words = [...glossary.matchAll(/^\| ([a-z][^|]*?) +\|/gm)].map(([, word = ""]) => word).slice(1);
  expect(words).toEqual([...words].sort());
  expect(glossary.split("\n").length).toBeLessThanOrEqual(40);
});

describe.each(decisions)("%s", (decision) => {
  it("has a number, a context, a decision and alternatives", () => {
    const headings = [...read(decision).matchAll(/^#+ .*/gm)].map(([heading]) => heading);
    expect(headings[0]).toMatch(new RegExp(`^# ${decision.slice("docs/decisions/".length).slice(0, 4)}: `));
    expect(headings).toEqual(expect.arrayContaining(["## Context", "## Decision", "## Alternatives"]));
  });
});

describe("the reader of paths", () => {
  it("finds paths and links", () => {
    expect(pathsOf("README.md")).toEqual(expect.arrayContaining(["docs/how-to", "docs/reference/lamb.md"]));
    expect(pathsOf("CONTRIBUTING.md")).toContain("test/parity/record.py");
  });

  it.each([
    ["crates/optim/src/optimizers/NAME.rs", true],
    ["crates/optim/src/optimizers/NAME.ts", false],
    ["bench/results/*.json", true],
    ["bench/results/*.jsonl", false],
    ["crates/optim/src/nothing.rs", false],
  ])("says whether %s is there", (path, expected) => {
    expect(isThere(path)).toBe(expected);
  });
});
