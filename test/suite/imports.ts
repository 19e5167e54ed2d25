// The imports between source files, read from the files.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, posix } from "node:path";

/** A file imports another; `line` counts from 1. Paths are relative to the source folder. */
export type Import = { readonly from: string; readonly to: string; readonly line: number };

export type Sources = { readonly files: readonly string[]; readonly imports: readonly Import[] };

/** The files of a source folder and the imports between them; imports of other packages are left out. */
export function readSources(folder: string): Sources {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => /\.(?:rs|ts)$/.test(file))
    .sort();
  const imports = files.flatMap((from) => {
    const text = readFileSync(join(folder, from), "utf8");
    return from.endsWith(".rs") ? rustImports(from, text, files) : typescriptImports(from, text, files);
  });
  return { files, imports };
}

/**
 * The paths of a Rust file that begin with `crate`, `self` or `super`, in `use` lines and elsewhere. Each is resolved to the
 * deepest file that has a module of the path. Neither `mod child;` nor a path into the file itself is an import. A `pub use` is
 * one.
 */
export function rustImports(from: string, text: string, files: readonly string[]): readonly Import[] {
  const file = moduleOf(from);
  const found = new Map<string, Import>();
  const code = withoutComments(text);
  const inline = inlineModules(code);
  const moduleAt = (index: number) => [
    ...file,
    ...inline.filter(({ start, end }) => start < index && index < end).map(({ name }) => name),
  ];
  const children = new Set([...code.matchAll(/\bmod\s+(\w+)\s*;/g)].map(([, name]) => name ?? ""));
  const add = (path: readonly string[], index: number) => {
    const to = fileOf(path, files);
    if (to === undefined || to === from) return;
    const line = code.slice(0, index).split("\n").length;
    if (!found.has(to)) found.set(to, { from, to, line });
  };

  for (const match of code.matchAll(/\buse\s+([^;]+);/g)) {
    for (const path of flatten(match[1] ?? "")) {
      const absolute = absolutePath(path, moduleAt(match.index), children);
      if (absolute) add(absolute, match.index);
    }
  }
  const elsewhere = code.replace(/\buse\s+[^;]+;/g, (use) => use.replace(/[^\n]/g, " "));
  for (const match of elsewhere.matchAll(/(?<![\w:])\$?((?:crate|self|super)(?:::\w+)+)/g)) {
    const absolute = absolutePath((match[1] ?? "").split("::"), moduleAt(match.index), children);
    if (absolute) add(absolute, match.index);
  }
  return [...found.values()];
}

/** The modules of a file: `state/view.rs` is `state::view`, `state/mod.rs` is `state`, `lib.rs` is the root. */
function moduleOf(file: string): readonly string[] {
  const parts = file.replace(/\.rs$/, "").split("/");
  return ["mod", "lib", "main"].includes(parts.at(-1) ?? "") ? parts.slice(0, -1) : parts;
}

/** The modules that are written inside a file, as `mod tests { ... }`. */
function inlineModules(code: string) {
  return [...code.matchAll(/\bmod\s+(\w+)\s*\{/g)].map(({ 0: head, 1: name = "", index: start }) => {
    let end = start + head.length;
    for (let depth = 1; depth > 0 && end < code.length; end++) {
      if (code[end] === "{") depth++;
      if (code[end] === "}") depth--;
    }
    return { name, start, end };
  });
}

function fileOf(path: readonly string[], files: readonly string[]): string | undefined {
  for (let length = path.length; length >= 0; length--) {
    const stem = path.slice(0, length).join("/");
    const names = length === 0 ? ["lib.rs", "main.rs"] : [`${stem}.rs`, `${stem}/mod.rs`];
    const file = names.find((name) => files.includes(name));
    if (file !== undefined) return file;
  }
  return undefined;
}

/** A path from the root of the crate, or undefined for one into another crate. */
function absolutePath(path: readonly string[], own: readonly string[], children: ReadonlySet<string>) {
  const [first = "", ...rest] = path;
  if (first === "crate") return rest;
  if (first === "self") return [...own, ...rest];
  if (first === "super") {
    let depth = 1;
    while (path[depth] === "super") depth++;
    return [...own.slice(0, Math.max(0, own.length - depth)), ...path.slice(depth)];
  }
  return children.has(first) ? [...own, ...path] : undefined;
}

/** The paths of a `use`: `a::{b, c::d as e}` has two. */
function flatten(use: string): readonly (readonly string[])[] {
  const text = use.trim().replace(/\s+as\s+\w+$/, "");
  const open = text.indexOf("{");
  if (open < 0) return [text.split("::").map((part) => part.trim())];
  const prefix = text
    .slice(0, open)
    .split("::")
    .map((part) => part.trim())
    .filter(Boolean);
  return splitTop(text.slice(open + 1, text.lastIndexOf("}"))).flatMap((part) =>
    flatten(part).map((path) => [...prefix, ...(path[0] === "self" ? path.slice(1) : path)]),
  );
}

function splitTop(list: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = "";
  for (const letter of list) {
    if (letter === "{") depth++;
    if (letter === "}") depth--;
    if (letter === "," && depth === 0) {
      parts.push(part);
      part = "";
    } else part += letter;
  }
  return [...parts, part].map((each) => each.trim()).filter(Boolean);
}

/** Comments become blanks, so that lines keep their numbers. */
function withoutComments(text: string): string {
  const blank = (comment: string) => comment.replace(/[^\n]/g, " ");
  return text.replace(/\/\*[\s\S]*?\*\//g, blank).replace(/\/\/[^\n]*/g, blank);
}

/** The files that a TypeScript file imports or re-exports, types too. */
function typescriptImports(from: string, text: string, files: readonly string[]): readonly Import[] {
  const named = withoutComments(text).matchAll(/\b(?:from\s*|import\s*\(?\s*)"(\.[^"]+)"/g);
  return [...named].flatMap(({ 1: name = "", index }) => {
    const to = posix.normalize(posix.join(dirname(from), name)).replace(/\.js$/, ".ts");
    return files.includes(normalize(to)) ? [{ from, to, line: text.slice(0, index).split("\n").length }] : [];
  });
}

/** Groups of files that import each other in a ring, each sorted. */
export function rings({ files, imports }: Sources): readonly (readonly string[])[] {
  const next = new Map(files.map((file) => [file, imports.filter(({ from }) => from === file).map(({ to }) => to)]));
  const reach = new Map(files.map((file) => [file, reachable(file, next)]));
  const groups = new Map<string, readonly string[]>();
  for (const file of files) {
    const ring = files.filter((other) => reach.get(file)?.has(other) && reach.get(other)?.has(file));
    if (ring.length > 0) groups.set(ring.join(" "), ring);
  }
  return [...groups.values()];
}

function reachable(start: string, next: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const seen = new Set<string>();
  const open = [...(next.get(start) ?? [])];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    open.push(...(next.get(file) ?? []));
  }
  return seen;
}

/** A row of a table of layers: what it is called, the files and folders of it, and the layers that it may import. */
export type Layer = { readonly name: string; readonly paths: readonly string[]; readonly imports: readonly string[] };

/**
 * The tables of layers in a document, by source folder. A table stands under a heading that names the folder, its columns are
 * layer, files and may import, and its lowest layer comes first. `all above` stands for all rows before it.
 */
export function readLayers(document: string): ReadonlyMap<string, readonly Layer[]> {
  const tables = new Map<string, readonly Layer[]>();
  for (const [, folder = "", body = ""] of document.matchAll(/^### `([^`]+\/src)`\n([\s\S]*?)(?=^#|$(?![\s\S]))/gm)) {
    const layers: Layer[] = [];
    for (const [, name = "", paths = "", imports = ""] of body.matchAll(/^\|([^|\n]+)\|([^|\n]+)\|([^|\n]*)\|$/gm)) {
      if (/^\s*(?:layer|:?-+:?)\s*$/.test(name)) continue;
      const list = imports.trim();
      layers.push({
        name: name.trim(),
        paths: [...paths.matchAll(/`([^`]+)`/g)].map(([, path = ""]) => path),
        imports: list === "all above" ? layers.map((each) => each.name) : list.split(/,\s*/).filter(Boolean),
      });
    }
    tables.set(folder, layers);
  }
  return tables;
}

/** The layer of a file: the one with the longest path that is the file or a folder (`name/`) of it. */
export function layerOf(file: string, layers: readonly Layer[]): Layer | undefined {
  const length = (layer: Layer) =>
    Math.max(
      0,
      ...layer.paths
        .filter((path) => (path.endsWith("/") ? file.startsWith(path) : file === path))
        .map((path) => path.length),
    );
  const best = [...layers].sort((a, b) => length(b) - length(a))[0];
  return best && length(best) > 0 ? best : undefined;
}

/** Whether a path of a table exists. */
export const isThere = (folder: string, path: string): boolean => existsSync(join(folder, path));
