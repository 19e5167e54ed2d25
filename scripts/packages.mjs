// Installs the npm packages with the version of pnpm in package.json, if a manifest or the lockfile has changed.

import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root, run } from "./command.mjs";

/** Installs the packages of the workspace that pnpm's filters select, all without filters. Returns whether there was anything to do. */
export async function installPackages(filters = []) {
  const stamp = join(root, "node_modules", ".stepwell-installed");
  const state = fingerprint();
  const all = "all";
  const wanted = filters.length === 0 ? [all] : filters;
  const [before, ...installed] = existsSync(stamp) ? readFileSync(stamp, "utf8").split("\n") : [];
  const present = before === state ? installed : [];
  if (present.includes(all) || wanted.every((filter) => present.includes(filter))) return false;

  await pnpm(["install", "--frozen-lockfile", ...filters.map((filter) => `--filter=${filter}`)]);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, [state, ...present, ...wanted].join("\n"));
  return true;
}

/** Installs the libraries that the benchmark compares with, which have a lockfile of their own. */
export async function installPeers() {
  await pnpm(["--dir", "bench/peers", "install", "--ignore-workspace", "--ignore-scripts", "--frozen-lockfile"]);
}

/**
 * Installs the tools of `npm run test:install`, which have a lockfile of their own. Returns their folder of modules. It is not in
 * the folder of the tests, whose files other checks read.
 */
export async function installTools() {
  const folder = join(root, ".install");
  mkdirSync(folder, { recursive: true });
  for (const file of ["package.json", "pnpm-lock.yaml"]) {
    copyFileSync(join(root, "test", "install", "tools", file), join(folder, file));
  }
  await pnpm(["--dir", folder, "install", "--ignore-workspace", "--ignore-scripts", "--frozen-lockfile"]);
  return join(folder, "node_modules");
}

/** Runs the version of pnpm in package.json. Its output goes to stderr; with `capture` it is the result instead. */
export async function pnpm(args, { capture = false } = {}) {
  const version = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).packageManager;
  // Without corepack, which Node 25 no longer includes.
  const command = ["exec", "--yes", `--package=${version}`, "--", "pnpm", ...args];
  return await run("npm", command, { quiet: true, capture });
}

function fingerprint() {
  const hash = createHash("sha256");
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json", ...manifests()]) {
    hash.update(`${file}\n`);
    if (existsSync(join(root, file))) hash.update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}

/** The package.json of every workspace package, by the patterns "folder/*" and "folder" of pnpm-workspace.yaml. */
function manifests() {
  const patterns = readFileSync(join(root, "pnpm-workspace.yaml"), "utf8").matchAll(/^ {2}- "?([^"\n]+?)"?$/gm);
  const folders = [...patterns].flatMap(([, pattern]) => {
    const parent = pattern.replace(/\/\*$/, "");
    if (parent === pattern) return [pattern];
    return existsSync(join(root, parent)) ? readdirSync(join(root, parent)).map((name) => `${parent}/${name}`) : [];
  });
  return folders.map((folder) => `${folder}/package.json`).sort();
}
