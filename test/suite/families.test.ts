// The functions of the k-api stand in one division: families of commands, files of the SDK, rows of the README.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "..", "..");
const read = (...path: readonly string[]) => readFileSync(join(root, ...path), "utf8");
const functions = ["packages", "sdk", "src", "api", "functions"] as const;

/** Names by family, each list sorted, from pairs of a family and a name. */
function divide(pairs: readonly (readonly [family: string, name: string])[]): Readonly<Record<string, string[]>> {
  const families: Record<string, string[]> = {};
  for (const [family, name] of pairs) {
    families[family] ??= [];
    families[family].push(name);
  }
  return Object.fromEntries(Object.entries(families).map(([family, names]) => [family, [...new Set(names)].sort()]));
}

/** The table of `commands/mod.rs`; the module of a function is its family. */
const commands = [
  ...read("crates", "session", "src", "commands", "mod.rs").matchAll(/^ {8}\("(\w+)", (\w+)::\w+\),$/gm),
];

/** The families of operations, each with its table of rows. */
const operations = [
  ...read("crates", "session", "src", "commands", "operations", "mod.rs").matchAll(/^ {4}\("(\w+)", \1::ROWS\),$/gm),
].flatMap(([, family = ""]) => {
  const names = read("crates", "session", "src", "commands", "operations", `${family}.rs`).matchAll(/^ {4}"(\w+)"/gm);
  return [...names].map(([, name = ""]) => [family, name] as const);
});

/** The rows of the table of losses. */
const losses = [
  ...read("crates", "session", "src", "nn", "loss", "table.rs").matchAll(/^ {4,8}(?:row!\(\s*|name: )"(\w+)",/gm),
].map(([, name = ""]) => ["losses", name] as const);

/** The functions that each file of `functions/` exports; `index.ts` lists the files. */
function declared() {
  const families = [...read(...functions, "index.ts").matchAll(/^export \* from "\.\/([\w-]+)\.js";$/gm)];
  return divide(
    families.flatMap(([, family = ""]) => {
      const names = read(...functions, `${family}.ts`).matchAll(/^export function (\w+)/gm);
      return [...names].map(([, name = ""]) => [family, name] as const);
    }),
  );
}

/** The rows of the README's table, up to the one of the fluent layer. */
function documented() {
  const [, table = ""] = read("README.md").split("### Functions\n");
  const rows = [...table.matchAll(/^\| (\w+) +\| (`.*`.*) \|$/gm)].filter(([, family]) => family !== "values");
  return divide(
    rows.flatMap(([, family = "", cell = ""]) => {
      const names = cell.replace(/\(.*?\)/g, "").matchAll(/`(\w+)`/g);
      return [...names].map(([, name = ""]) => [family, name] as const);
    }),
  );
}

it("commands and the SDK's functions are divided alike", () => {
  // The SDK calls `release` for forgotten handles, `outline` and `pick` to print objects, and others for functions of modules and for
  // files in WebAssembly. Tests call `errorcodes`.
  const internal = [
    ...["release", "outline", "pick", "errorcodes"],
    ...["callbacks", "bindcallback", "isparameter", "runningcall", "outputs", "graphfunctions"],
    ...["tensors", "position", "exchange"],
  ];
  // `class` is a reserved word.
  const named = (name: string) => (name === "class" ? "classof" : name);
  const wanted = commands
    .filter(([, name = ""]) => !internal.includes(name))
    .map(([, name = "", family = ""]) => [family, named(name)] as const);
  expect(wanted.length).toBeGreaterThan(60);
  expect(operations.length).toBeGreaterThan(150);
  expect(losses.length).toBeGreaterThan(18);
  // `take` is `data` and `free`; `ready` starts an engine; `cudadevices` is a part of `cudaStatus`; scopes are the SDK's.
  const own = ["scope", "scoped", "keep", "leakcheck"].map((name) => ["scopes", name] as const);
  const parts = [
    ...[
      ["steps", "stepAsync"],
      ["models", "runAsync"],
      ["modules", "evaluateAsync"],
      ["files", "saveAsync"],
      ["files", "loadAsync"],
    ].map(([family = "", name = ""]) => [family, name] as const),
    ["tensors", "take"],
    ["session", "ready"],
    ["devices", "cudadevices"],
  ] as const;
  expect(declared()).toEqual(divide([...wanted, ...operations, ...losses, ...own, ...parts]));
});

it("the README lists the functions of each family", () => {
  expect(documented()).toEqual(declared());
});
