// Every name that a program can import from the SDK has a comment, and so does every member that it can use.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { publicSymbols } from "@stepwell/docs/symbols";
import * as k from "@stepwell/sdk";
import { expect, it } from "vitest";

const symbols = publicSymbols();

/** Interfaces that only give types to names: `OptionsOf["adam"]`. The comment of the interface says so for all names. */
const isTable = (name: string) => /(?:Of)$/.test(name);

it("reads all of them", () => {
  const names = symbols.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(Object.keys(k)));
  expect(names).toEqual(expect.arrayContaining(["AdamOptions", "TensorData", "EpochEvent"]));
  expect(new Set(names).size).toBe(names.length);
});

it("every symbol is documented, in each of its forms", () => {
  const silent = symbols.filter(({ forms }) => forms.some(({ documentation }) => documentation === ""));
  expect(silent.map(({ name, file }) => `${name} in ${file}`)).toEqual([]);
});

it("every member is documented", () => {
  const silent = symbols
    .filter(({ name }) => !isTable(name))
    .flatMap(({ name, members }) =>
      members.filter(({ documentation }) => documentation === "").map((member) => `${name}.${member.name}`),
    );
  expect(silent).toEqual([]);
});

it("every declaration that a file exports is documented, also a second one of the same name", () => {
  const packages = fileURLToPath(new URL("../../packages/", import.meta.url));
  const folders = ["sdk/commonjs/dist", "cli/dist", "native", "wasm", "libtorch"];
  const silent = folders.flatMap((folder) =>
    readdirSync(join(packages, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => /\.d\.[cm]?ts$/.test(file) && !/node_modules|built/.test(file))
      .flatMap((file) => {
        const text = readFileSync(join(packages, folder, file), "utf8");
        const found = text.matchAll(/^(?<!\*\/\n)export (?:declare|interface|type \w+ =|class|function|const) .*$/gm);
        return Array.from(found, ([line]) => `${folder}/${file}: ${line}`);
      }),
  );
  expect(silent).toEqual([]);
});
