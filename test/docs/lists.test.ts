// The lists of the README equal the tables of the code.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pinned } from "@stepwell/native/libtorch";
import * as k from "@stepwell/sdk";
import { expect, it } from "vitest";
import { repositoryFiles } from "../suite/repository-files.js";
import { table } from "./table.js";

const root = join(import.meta.dirname, "..", "..");
const readme = () => readFileSync(join(root, "README.md"), "utf8");
const marks = ["<!-- lists: written by test/docs/lists.test.ts -->\n", "<!-- end of lists -->"] as const;

const names = (options: object) =>
  Object.keys(options)
    .map((name) => `\`${name}\``)
    .join(" ");
const page = (name: string) => `[\`${name}\`](docs/reference/${name}.md)`;
/** PyTorch's class without the module in front of it. */
const torchClass = (name: string) => (name === "" ? "" : `\`${name.split(".").at(-1)}\``);

function lists(): string {
  return [
    "\n### Optimizers\n",
    table(
      ["name", "PyTorch's class", "about"],
      k.help("optimizer").map(({ optimizer, pytorch, about }) => [page(optimizer), torchClass(pytorch), about]),
    ),
    "\n### Layers\n",
    table(
      ["name", "options by position", "about"],
      k.help("module").map(({ module, options, about }) => [`\`${module}\``, names(options), about]),
    ),
    "\nLayers stand one after the other in `sequential`, which `seq` makes.",
    "\n### Schedules\n",
    table(
      ["name", "PyTorch's class", "options", "about"],
      k
        .help("schedule")
        .map(({ schedule, pytorch, options, about }) => [
          `\`${schedule}\``,
          torchClass(pytorch),
          names(options),
          about,
        ]),
    ),
    "\n### Presets\n",
    table(
      ["name", "of", "about"],
      k.help("preset").map(({ preset, optimizer, about }) => [`\`${preset}\``, `\`${optimizer}\``, about]),
    ),
    "\n",
  ].join("\n");
}

/** The names of the losses, which an error lists. */
const losses = () =>
  errorOf(() => k.loss("nothing" as k.LossName))
    .replace(/^.*one of /, "")
    .split(", ");

function errorOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return String((error as Error).message);
  }
  throw new Error("no error");
}

/** The part of the README under a heading. */
function section(heading: string): string {
  const [, rest = ""] = readme().split(`${heading}\n`);
  return rest.split(/^#/m)[0] ?? "";
}

/** Names in code, in a column of the tables of a section. */
function column(heading: string, index: number): readonly string[] {
  const rows = section(heading)
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(2);
  return rows.flatMap((row) =>
    [...(row.split("|")[index + 1] ?? "").matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name),
  );
}

it("of optimizers, layers, losses, schedules and presets", () => {
  const [before = "", rest = ""] = readme().split(marks[0]);
  const [found, after = ""] = rest.split(marks[1]);
  const wanted = lists();
  // A stale list is written anew, and the test fails once.
  if (found !== wanted) writeFileSync(join(root, "README.md"), before + marks[0] + wanted + marks[1] + after);
  expect(found).toBe(wanted);
});

it("of losses", () => {
  expect(column("### Losses", 0)).toEqual(losses());
});

it("of functions and values: every export of the package, once", () => {
  expect([...column("### Functions", 1)].sort()).toEqual(Object.keys(k).sort());
});

it("of platforms: every one that libtorch is pinned for", () => {
  expect(column("## Platforms", 0)).toEqual(Object.keys(pinned.platforms));
});

/** How source files read a variable of the environment; a variable that is set for another process is not read. */
const reads = [
  /\bprocess\.env\.([A-Z_]+)\b(?!\s*(?:\?\?)?=[^=])/g,
  /\benv\.([A-Z_]{3,})\b(?!\s*=[^=])/g,
  // A table of options, each with the variable that has its default.
  /\b(?:rank|size|host|port): "([A-Z_]{3,})"/g,
  /\benv::var(?:_os)?\("([A-Z_]+)"/g,
  /\bgetenv\("([A-Z_]+)"/g,
  /\bos\.environ(?:\.get\(|\[)"([A-Z_]+)"(?!\]\s*=[^=])/g,
];

it("of variables of the environment: every one that a source file reads", () => {
  const files = repositoryFiles()
    .filter((file) => /\.(?:rs|cpp|h|m?[jt]s|tsx|py)$/.test(file) && file !== "test/docs/lists.test.ts")
    // Servers that a person copies have settings of their own.
    .filter((file) => !/^examples\/(?:monorepo|service)\//.test(file));
  const found = files.flatMap((file) => {
    const text = readFileSync(join(root, file), "utf8");
    return reads.flatMap((pattern) => [...text.matchAll(pattern)].map(([, name = ""]) => name));
  });
  // Cargo sets one for its build scripts, npm the folder of the user, Node reads its options, and libgomp the last one.
  const known = ["DEP_TCH_LIBTORCH_LIB", "INIT_CWD", "NODE_OPTIONS", "PATH"];
  const wanted = new Set(found.filter((name) => !known.includes(name)).concat("OMP_WAIT_POLICY"));
  expect([...column("## Environment variables", 0)].sort()).toEqual([...wanted].sort());
});
