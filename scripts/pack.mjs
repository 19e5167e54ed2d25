// Makes the tarballs of the packages, which npm, pnpm, yarn and bun install.

import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { failure } from "../packages/native/libtorch.js";
import { root } from "./command.mjs";
import { pnpm } from "./packages.mjs";

/**
 * Packs the packages into a folder, in which older tarballs of them are removed, and returns the paths. The tarballs are for a
 * project that installs them from files. With `registry`, they are as a registry serves them.
 */
export async function packTarballs(folder, { registry = false } = {}) {
  mkdirSync(folder, { recursive: true });
  const ours = () => readdirSync(folder).filter((name) => /^stepwell-(?:cli|native|sdk|wasm)-\d.*\.tgz$/.test(name));
  for (const name of ours()) rmSync(join(folder, name));
  const hook = registry ? [] : [`--config.pnpmfile=${join(root, "scripts", "peers.cjs")}`];
  // pnpm puts versions for "workspace:" and "catalog:" into the manifests, which npm pack does not.
  const command = ["--recursive", "--filter", "./packages/*", "pack", "--pack-destination", folder, ...hook];
  // Captured, since it prints every file.
  await pnpm(command, { capture: true });
  return ours().map((name) => join(folder, name));
}

/** The command `npm run pack`: packs into the folder that the user names, and prints the paths. */
export async function pack(args) {
  const unknown = args.find((arg, index) =>
    arg.startsWith("-") ? arg !== "--registry" : index !== args.findIndex(isFolder),
  );
  if (unknown) throw failure("ERR_USAGE", `npm run pack: expected one folder and --registry, given "${unknown}".`);
  const registry = args.includes("--registry");
  // npm starts scripts in the root of the repository, and keeps the folder in which the user is.
  const folder = resolve(process.env.INIT_CWD ?? ".", args.find(isFolder) ?? ".");
  const tarballs = await packTarballs(folder, { registry });
  for (const path of tarballs) console.log(path);
  if (registry) return;
  console.error(
    `\nInstall them in one command: npm install ${tarballs.map((path) => `./${basename(path)}`).join(" ")}`,
  );
}

const isFolder = (arg) => !arg.startsWith("-");
