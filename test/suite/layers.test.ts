// Imports go one way. The tables of layers are in ARCHITECTURE.md, which this reads.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isThere, layerOf, readLayers, readSources, rings, rustImports } from "./imports.js";

const root = join(import.meta.dirname, "..", "..");
const tables = readLayers(readFileSync(join(root, "ARCHITECTURE.md"), "utf8"));
const folders = [...tables.keys()];

describe("the tables of layers", () => {
  it("are there for every source folder of more than one file", () => {
    const sources = ["crates", "packages"]
      .flatMap((parent) => readdirSync(join(root, parent)).map((name) => `${parent}/${name}/src`))
      .filter((folder) => existsSync(join(root, folder)) && readSources(join(root, folder)).files.length > 1);
    expect([...folders].sort()).toEqual(sources.sort());
  });

  it.each(folders)("%s: name paths that are there, and layers that stand above", (folder) => {
    const layers = tables.get(folder) ?? [];
    const known = new Set<string>();
    for (const { name, paths, imports } of layers) {
      expect(paths.filter((path) => !isThere(join(root, folder), path))).toEqual([]);
      expect(imports.filter((layer) => !known.has(layer))).toEqual([]);
      known.add(name);
    }
  });
});

describe.each(folders)("%s", (folder) => {
  const sources = readSources(join(root, folder));
  const layers = tables.get(folder) ?? [];

  it("has every file in a layer", () => {
    expect(sources.files.filter((file) => !layerOf(file, layers))).toEqual([]);
  });

  it("imports downwards only", () => {
    const upward = sources.imports.filter(({ from, to }) => {
      const [layer, other] = [layerOf(from, layers), layerOf(to, layers)];
      return layer && other && layer !== other && !layer.imports.includes(other.name);
    });
    expect(upward.map(({ from, to, line }) => `${from}:${line} imports ${to}`)).toEqual([]);
  });

  it("has no ring of files", () => {
    expect(rings(sources)).toEqual([]);
  });
});

describe("the reader of imports", () => {
  const files = ["lib.rs", "a/mod.rs", "a/b.rs", "c.rs"];
  const targets = (from: string, text: string) => rustImports(from, text, files).map(({ to }) => to);

  it.each([
    ["c.rs", "use crate::a::b::Thing;", ["a/b.rs"]],
    ["c.rs", "use crate::{a::{self, b::X as Y}, Z};", ["a/mod.rs", "a/b.rs", "lib.rs"]],
    ["a/b.rs", "use super::Thing;\nuse super::super::c::f;", ["a/mod.rs", "c.rs"]],
    ["a/mod.rs", "mod b;\npub use b::X;\n// use crate::c::f;", ["a/b.rs"]],
    ["a/mod.rs", "mod b;", []],
    ["c.rs", "fn f() { crate::a::b::g(); std::mem::take(x) }", ["a/b.rs"]],
    ["c.rs", "macro_rules! m { () => { $crate::a::f() } }", ["a/mod.rs"]],
    ["c.rs", "use self::Own;", []],
    ["a/b.rs", "mod tests { use super::*; use super::super::Other; }\nuse super::super::c::f;", ["a/mod.rs", "c.rs"]],
  ])("resolves what %s says: %s", (from, text, expected) => {
    expect(targets(from, text)).toEqual(expected);
  });

  it("finds a ring", () => {
    const imports = [
      { from: "a", to: "b", line: 1 },
      { from: "b", to: "c", line: 1 },
      { from: "c", to: "b", line: 1 },
    ];
    expect(rings({ files: ["a", "b", "c"], imports })).toEqual([["b", "c"]]);
  });
});
