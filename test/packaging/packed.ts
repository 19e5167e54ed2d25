// The packages as a user gets them: packed, and installed from tarballs into an empty project.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { libtorch } from "@stepwell/native";
import { expect, inject } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Runs a program; `engine` is the value of STEPWELL_ENGINE. */
export function run(command: string, args: readonly string[], cwd: string, engine = "") {
  // pnpm's starters of programs set NODE_PATH, which would let a project find packages that it has not installed.
  const env = { ...process.env, NODE_PATH: "", LIBTORCH: libtorch.path, STEPWELL_ENGINE: engine };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8", env });
  return { status, stdout, stderr };
}

/** The file of a package in a folder of tarballs; its name is without the scope. */
export function tarballOf(folder: string, name: string): string {
  const start = name === "stepwell" ? /^stepwell-\d/ : new RegExp(`^stepwell-${name}-\\d`);
  return join(folder, readdirSync(folder).find((file) => start.test(file)) ?? "");
}

/** Puts the tarballs of all packages into a folder. `options` go to `npm run pack`, which runs once for all files of tests. */
export function pack(folder: string, options: readonly string[] = []) {
  for (const name of ["native", "wasm", "sdk", "cli", "stepwell"]) {
    const manifest = JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8"));
    expect(Object.keys(manifest.scripts ?? {}).filter((script) => /install|prepare/.test(script))).toEqual([]);
  }
  const packed = join(inject("tarballs"), `packed${options.join("")}`);
  if (!existsSync(packed)) {
    const own = mkdtempSync(`${packed}-`);
    const program = `import("./scripts/pack.mjs").then(({ pack }) => pack(process.argv.slice(1)))`;
    expect(run(process.execPath, ["-e", program, "--", own, ...options], root)).toMatchObject({ status: 0 });
    try {
      renameSync(own, packed);
    } catch {
      // Another file of tests was faster.
      rmSync(own, { recursive: true });
    }
  }
  cpSync(packed, folder, { recursive: true });
}

/** Installs packages that `pack` has packed into an empty project next to them, and returns its folder. */
export function install(folder: string, names: readonly string[], files: Readonly<Record<string, string>>): string {
  const project = mkdtempSync(join(folder, "project-"));
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }));
  const packed = readdirSync(folder).filter((file) => file.endsWith(".tgz"));
  const tarballs = names.map((name) => join(folder, packed.find((file) => file.includes(name)) ?? ""));
  const options = ["--offline", "--ignore-scripts", "--no-audit", "--no-fund"];
  expect(run("npm", ["install", ...options, ...tarballs], project).stderr).not.toContain("npm error");
  expect(readdirSync(join(project, "node_modules", "@stepwell")).toSorted()).toEqual(names.toSorted());
  for (const [name, content] of Object.entries(files)) writeFileSync(join(project, name), content);
  return project;
}
