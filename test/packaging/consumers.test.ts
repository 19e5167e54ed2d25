// TypeScript projects that use the packed SDK and write declarations of their own, by version of TypeScript and kind of module.

import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pack } from "./packed.js";

const require = createRequire(import.meta.url);
const folder = realpathSync(mkdtempSync(join(tmpdir(), "consumers-")));
const project = join(folder, "project");
const unpacked = (name: string) => join(project, "node_modules", "@stepwell", name);

/** The package itself, and what a project infers of it. Names of the SDK alone can write the declarations of these. */
const source = `
import * as k from "@stepwell/sdk";
import * as wasm from "@stepwell/sdk/wasm";
import { Model, Module, optimizer, Optimizer, opt, schedules, seq, Tensor } from "@stepwell/sdk";

export const everything = { ...k };
export const page = { ...wasm };
export const handle = () => k.module(["linear", 2, 2]);
export const create = () => Module.of(seq("sequential", ["linear", "a", 2, 16], "tanh"));
export const builder = optimizer("adamw").lr(0.05).schedule(schedules.cosine({ steps: 200 }));
export const built = (m: Module) => builder.build(m);
export const loss = (x: Tensor) => x.ce([0, 1]);
export const model = (m: Module, o: Optimizer) => new Model(m, "ce", o);
export const fit = (m: Model, signal?: AbortSignal) =>
  m.fit({ inputs: [[0, 0]], targets: [0] }, signal === undefined ? {} : { signal });
export const states = (m: Module, o: Optimizer) => [m.state(), o.state(), o.definition(), o.schedule, o.lossScale] as const;
export class Trainer {
  readonly module = create();
  readonly optimizer = opt("adam", this.module, 0.01, { decay: 0.1 });
  run(closure: () => k.AnyTensor) {
    return k.step(this.optimizer, closure);
  }
}
export const errors = (error: unknown) => (error instanceof k.StepwellError ? error.code : undefined);
export function dispose(object: k.Held<k.AnyHandle>) {
  object[Symbol.dispose]();
}
`;

const versions = ["5.4", "5.6", "5.9", "7"] as const;
const compiler = (version: (typeof versions)[number]) => {
  const name = version === "7" ? "typescript" : `typescript-${version}`;
  const manifest = require.resolve(`${name}/package.json`);
  const installed = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  expect(installed.version.startsWith(`${version}.`)).toBe(true);
  return join(dirname(manifest), "bin", "tsc");
};

/** Kinds of modules, with the files that are compiled as each. A file `.cts` is CommonJS, and `.mts` is not. */
const settings = {
  node16: { options: { module: "node16", lib: ["es2022"], types: [] }, files: ["consumer.mts", "consumer.cts"] },
  nodenext: {
    options: { module: "nodenext", lib: ["es2022", "dom", "esnext.disposable"], types: [] },
    files: ["consumer.mts", "consumer.cts"],
  },
  bundler: {
    options: { module: "esnext", moduleResolution: "bundler", lib: ["es2022"], types: ["node"] },
    files: ["consumer.ts"],
  },
  "bundler without Node": {
    options: { module: "esnext", moduleResolution: "bundler", lib: ["es2022", "dom"], types: [] },
    files: ["consumer.ts"],
  },
  "commonjs and node10": {
    options: { module: "commonjs", moduleResolution: "node10", lib: ["es2022"], types: [] },
    files: ["consumer.cts"],
  },
} as const;

beforeAll(() => {
  pack(folder);
  for (const name of ["native", "wasm", "sdk", "cli"]) {
    mkdirSync(unpacked(name), { recursive: true });
    const tarball = readdirSync(folder).find((file) => file.startsWith(`stepwell-${name}-`)) ?? "";
    execFileSync("tar", ["-xzf", join(folder, tarball), "-C", unpacked(name), "--strip-components=1"]);
  }
  const types = dirname(require.resolve("@types/node/package.json"));
  const dependency = dirname(
    createRequire(join(realpathSync(types), "package.json")).resolve("undici-types/package.json"),
  );
  mkdirSync(join(project, "node_modules", "@types"));
  symlinkSync(realpathSync(types), join(project, "node_modules", "@types", "node"));
  cpSync(dependency, join(project, "node_modules", "undici-types"), { recursive: true, dereference: true });
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }));
  for (const ending of ["ts", "mts", "cts"]) writeFileSync(join(project, `consumer.${ending}`), source);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(versions)("TypeScript %s", (version) => {
  // TypeScript 7 has no `node10`. The declarations of Node take longer to check than all others: twice are enough.
  const names = Object.keys(settings).filter((name) => {
    if (name === "bundler") return version === "5.4" || version === "7";
    return version !== "7" || !name.includes("node10");
  });

  it.each(names)("writes declarations of a project with %s", (name) => {
    const { options, files } = settings[name as keyof typeof settings];
    const out = `out-${version}-${name.replaceAll(" ", "-")}`;
    const compilerOptions = {
      target: "es2022",
      strict: true,
      declaration: true,
      skipLibCheck: false,
      skipDefaultLibCheck: true,
    };
    const config = join(project, `${out}.json`);
    writeFileSync(config, JSON.stringify({ compilerOptions: { ...compilerOptions, ...options, outDir: out }, files }));
    const { stdout, stderr } = spawnSync(process.execPath, [compiler(version), "-p", config], { encoding: "utf8" });
    expect(stdout + stderr).toBe("");
    for (const file of files) {
      const text = readFileSync(join(project, out, file.replace(/\.([mc]?)ts$/, ".d.$1ts")), "utf8");
      expect(text).toMatch(/create: \(\) => (?:k\.)?Module<[^;]*>;/);
      // Nothing but the names of the package.
      const modules = [...text.matchAll(/(?:from|import\(|import) ?"([^"]+)"/g)].map(([, from]) => from as string);
      expect(modules.filter((from) => !/^@stepwell\/sdk(?:\/wasm)?$/.test(from))).toEqual([]);
      expect(modules).toContain("@stepwell/sdk");
    }
  });
});

it.each(["native", "wasm", "sdk", "cli"])("every map of %s names files that are packed, or has their text", (name) => {
  const root = unpacked(name);
  const files = new Set(
    readdirSync(root, { recursive: true, encoding: "utf8" }).map((file) => file.replaceAll("\\\\", "/")),
  );
  const maps = [...files].filter((file) => file.endsWith(".map"));
  if (name === "sdk") expect(maps.length).toBeGreaterThan(100);
  for (const map of maps) {
    const { sources, sourceRoot, sourcesContent } = JSON.parse(readFileSync(join(root, map), "utf8"));
    expect(sources.length, map).toBeGreaterThan(0);
    for (const [i, source] of sources.entries()) {
      const path = relative(root, join(root, dirname(map), sourceRoot ?? "", source)).replaceAll("\\\\", "/");
      if (sourcesContent?.[i] === undefined) expect(files.has(path), `${map} names ${path}`).toBe(true);
    }
  }
  // A file that names a map has it.
  for (const file of [...files].filter((file) => /\.[cm]?[jt]s$/.test(file))) {
    const [, map] = /\/\/# sourceMappingURL=(?!data:)(\S+)\s*$/.exec(readFileSync(join(root, file), "utf8")) ?? [];
    if (map !== undefined) expect(files.has(join(dirname(file), map).replaceAll("\\\\", "/")), file).toBe(true);
  }
});
