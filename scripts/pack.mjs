// Makes the tarballs of the packages, which npm, pnpm, yarn and bun install.

import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { failure, pinned, platform as thisPlatform } from "../packages/native/libtorch.js";
import { root } from "./command.mjs";
import { pnpm } from "./packages.mjs";
import { packLibtorch, packNative } from "./platform-packages.mjs";

/**
 * Packs the packages into a folder, in which older tarballs of them are removed, and returns the paths. The tarballs are for a
 * project that installs them from files. With `registry`, they are as a registry serves them: with a package for each platform.
 * `libtorch` has the platforms of which the libraries of libtorch are packed too.
 */
export async function packTarballs(folder, { registry = false, libtorch = [] } = {}) {
  mkdirSync(folder, { recursive: true });
  const name = /^stepwell(?:-(?:cli|libtorch|native|sdk|wasm)(?:-(?:darwin|linux|win32)-\w+)?)?-\d.*\.tgz$/;
  const ours = () => readdirSync(folder).filter((file) => name.test(file));
  for (const file of ours()) rmSync(join(folder, file));
  const others = ["libtorch", ...(registry ? ["native"] : [])].map((name) => `--filter=!@stepwell/${name}`);
  const hook = registry ? [] : [`--config.pnpmfile=${join(root, "scripts", "peers.cjs")}`];
  // pnpm puts versions for "workspace:" and "catalog:" into the manifests, which npm pack does not.
  const command = ["--recursive", "--filter=./packages/*", ...others, "pack", "--pack-destination", folder, ...hook];
  // Captured, since it prints every file.
  await pnpm(command, { capture: true });
  if (registry) await packNative(folder);
  if (libtorch.length > 0) await packLibtorch(folder, { registry, platforms: libtorch });
  return ours().map((file) => join(folder, file));
}

/** The command `npm run pack`: packs into the folder that the user names, and prints the paths. */
export async function pack(args) {
  const platforms = Object.keys(pinned.platforms);
  const options = ["--registry", "--libtorch", ...platforms.map((name) => `--libtorch=${name}`)];
  const unknown = args.find((arg, index) =>
    arg.startsWith("-") ? !options.includes(arg) : index !== args.findIndex(isFolder),
  );
  if (unknown) {
    const known = `one folder, --registry, and --libtorch or --libtorch= and one of ${platforms.join(", ")}`;
    throw failure("ERR_USAGE", `npm run pack: expected ${known}, given "${unknown}".`);
  }
  const registry = args.includes("--registry");
  const libtorch = args
    .filter((arg) => arg.startsWith("--libtorch"))
    .map((option) => option.split("=")[1] ?? thisPlatform);
  // npm starts scripts in the root of the repository, and keeps the folder in which the user is.
  const folder = resolve(process.env.INIT_CWD ?? ".", args.find(isFolder) ?? ".");
  const tarballs = await packTarballs(folder, { registry, libtorch });
  for (const path of tarballs) console.log(path);
  if (registry) return;
  console.error(
    `\nInstall them in one command: npm install ${tarballs.map((path) => `./${basename(path)}`).join(" ")}`,
  );
}

const isFolder = (arg) => !arg.startsWith("-");
