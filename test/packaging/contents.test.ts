// The files of the packages: those that a program needs, and no file of an older layout.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { errorCodes, StepwellError } from "@stepwell/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pack, tarballOf } from "./packed.js";

const folder = mkdtempSync(join(tmpdir(), "contents-"));
const unpacked = (name: string) => join(folder, name);

beforeAll(() => {
  pack(folder);
  for (const name of ["native", "wasm", "sdk", "cli", "stepwell"]) {
    mkdirSync(unpacked(name));
    execFileSync("tar", ["-xzf", tarballOf(folder, name), "-C", unpacked(name), "--strip-components=1"]);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

function filesOf(root: string): readonly string[] {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/"));
}

/** The files that an entry of the SDK imports or requires, with itself; `ending` is the end of their names. */
function reachable(sdk: string, entry: string, ending: ".js" | ".d.ts"): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (file: string) => {
    if (found.has(file)) return;
    found.add(file);
    const text = readFileSync(join(sdk, file), "utf8");
    for (const [, target = ""] of text.matchAll(/(?:from|import|require)\s*\(?\s*"(\.[^"]+)\.js"/g)) {
      visit(join(dirname(file), `${target}${ending}`).replaceAll("\\", "/"));
    }
  };
  visit(entry);
  return found;
}

it.each(["native", "wasm", "sdk", "cli", "stepwell"])("%s has its licence, and a page that says what it is", (name) => {
  expect(readFileSync(join(unpacked(name), "LICENSE"), "utf8")).toMatch(/^MIT License/);
  const full = name === "stepwell" ? name : `@stepwell/${name}`;
  expect(readFileSync(join(unpacked(name), "README.md"), "utf8")).toMatch(new RegExp(`^# ${full}\n`));
});

describe("the SDK", () => {
  it("has the bridges to PyTorch", () => {
    const bridges = join(import.meta.dirname, "..", "..", "bridges", "pytorch");
    const names = ["load_run.py", "optimizer_state.py", "save_run.py"];
    expect(filesOf(join(unpacked("sdk"), "bridges")).toSorted()).toEqual(names.map((name) => `pytorch/${name}`));
    for (const name of names) {
      expect(readFileSync(join(unpacked("sdk"), "bridges", "pytorch", name))).toEqual(
        readFileSync(join(bridges, name)),
      );
    }
  });

  it("has the pages that errors name", () => {
    for (const code of errorCodes) {
      const { help } = new StepwellError(code, "");
      // The path of the installed package, or in a bundle the one from the project.
      const [, place = "nowhere"] = /[\\/]sdk[\\/](docs[\\/].*)$/.exec(help) ?? [];
      const page = readFileSync(join(unpacked("sdk"), place), "utf8");
      expect(page).toMatch(`# ${code}\n`);
      expect(page).not.toMatch(/\]\(\.\.\//);
    }
  });

  it("has no compiled file but those of its entries and of its sources of types", () => {
    const sdk = unpacked("sdk");
    const kept = new Set([
      ...reachable(sdk, "dist/api/wasm.js", ".js"),
      ...reachable(sdk, "commonjs/dist/node/index.js", ".js"),
      ...reachable(sdk, "commonjs/dist/wasm/wasm.js", ".js"),
      ...reachable(sdk, "commonjs/dist/node/index.d.ts", ".d.ts"),
    ]);
    expect(kept.size).toBeGreaterThan(150);
    const sourceOf = (file: string) =>
      file.replace(/^(?:dist\/|commonjs\/dist\/(?:(node|wasm)\/)?)/, (_, entry) => `src/${entry ? "api/" : ""}`);
    const surplus = filesOf(sdk).filter((file) => {
      if (!/^(?:commonjs\/)?dist\//.test(file) || kept.has(file.replace(/\.map$/, ""))) return false;
      return !existsSync(join(sdk, sourceOf(file).replace(/(\.d\.ts|\.js)(\.map)?$/, ".ts")));
    });
    expect(surplus).toEqual([]);
  });

  it("has the source that each map names", () => {
    const sdk = unpacked("sdk");
    const maps = filesOf(sdk).filter((file) => file.endsWith(".map"));
    expect(maps.length).toBeGreaterThan(100);
    for (const file of maps) {
      const { sources } = JSON.parse(readFileSync(join(sdk, file), "utf8")) as { readonly sources: readonly string[] };
      expect(sources.filter((source) => !existsSync(join(sdk, dirname(file), source)))).toEqual([]);
    }
  });
});

it("compiled files without a source are removed, and others stay", async () => {
  const { removeStale } = (await import(join(import.meta.dirname, "../../scripts/stale.mjs").toString())) as {
    removeStale(folder: string): number;
  };
  const project = join(folder, "project");
  const files = [
    ...["src/a.ts", "src/api/b.ts", "dist/a.js", "dist/a.js.map", "dist/api/b.js"],
    ...["commonjs/dist/a.d.ts", "commonjs/dist/node/b.d.ts.map", "commonjs/dist/wasm/b.js"],
  ];
  const stale = [
    "dist/b.js",
    "dist/a.d.ts",
    "dist/node/b.js",
    "commonjs/dist/node/a.js",
    "commonjs/dist/wasm/c/d.js.map",
  ];
  for (const file of [...files, ...stale, "dist/page.tsbuildinfo"]) {
    mkdirSync(dirname(join(project, file)), { recursive: true });
    writeFileSync(join(project, file), "");
  }
  expect(removeStale(project)).toBe(stale.length);
  expect([...filesOf(project)].sort()).toEqual([...files, "dist/page.tsbuildinfo"].sort());
  expect(removeStale(project)).toBe(0);
});
