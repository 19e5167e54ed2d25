// Makes a checkout ready to use: all of it, or the parts that a command needs. Each part does nothing if it is up to date.

import { lstatSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { fetchLibtorch } from "../packages/native/fetch/index.js";
import { failure, findLibtorch, pinned } from "../packages/native/libtorch.js";
import { buildAddons } from "./addon.mjs";
import { checkTools } from "./checks.mjs";
import { bin, main, root, run } from "./command.mjs";
import { buildNccl, ncclLine } from "./nccl.mjs";
import { installPackages } from "./packages.mjs";
import { packDigits } from "./playground.mjs";
import { removeStale } from "./stale.mjs";
import { buildWasm } from "./wasm.mjs";

/**
 * The parts that a command uses. `native` is libtorch and the addons, `wasm` the WebAssembly module, `digits` the data of the
 * playground. `packages` are pnpm's filters of the packages to install, all without them. `projects` are the projects of
 * TypeScript, which the compiler of the first one builds.
 */
export const parts = {
  everything: { native: true, wasm: true, digits: true, packages: [], projects: ["."] },
  "pack-gpu": { native: true, packages: [], projects: ["."] },
  "test:gpu": { native: true, packages: [], projects: ["."] },
  docs: { packages: ["stepwell", "@stepwell/docs", "@stepwell/sdk..."], projects: ["packages/sdk"] },
  demo: { native: true, packages: ["@stepwell/example-digits..."], projects: ["examples/digits"] },
  playground: {
    wasm: true,
    digits: true,
    packages: ["stepwell-repository", "@stepwell/playground..."],
    projects: ["apps/playground", "packages/sdk/tsconfig.page.json"],
  },
};

/**
 * Checks the machine and makes the parts. Returns the reason if the WebAssembly module cannot be built: the native engine works
 * without it.
 */
export async function setup({ native, wasm, digits, packages, projects } = parts.everything, log = console.error) {
  const { found, problems } = native ? lookForLibtorch() : { problems: [] };
  const fetching = native && !found && problems.length === 0;
  log(`machine: ${checkTools({ native, fetching, problems })}`);

  const installing = installPackages(packages).then((done) => log(`packages: ${done ? "installed" : "up to date"}`));
  const [libtorch] = await Promise.all([native && provideLibtorch(found, log), installing]);
  if (native) {
    log(`addon: ${(await buildAddons()) ? "built" : "up to date"}`);
    log(ncclLine(buildNccl(libtorch)));
  }
  const noWasm = wasm && (await provideWasm(log));

  removeStale();
  await run(bin("tsc", projects[0]), ["--build", ...projects], { quiet: true });
  log("typescript: checked and built");

  if (digits) log(`digits: ${(await packDigits()) ? "packed" : "up to date"}`);
  return { noWasm };
}

/** Fetches libtorch unless it was found, and makes .libtorch a link to it. Returns its path. */
async function provideLibtorch(found, log) {
  const path = found?.path ?? (await fetchLibtorch({ log }));
  link(path);
  log(`libtorch: ${found ? `${found.version} from ${found.source}, ${path}` : `fetched into ${path}`}`);
  return path;
}

/** Builds the WebAssembly module. Returns the error if this machine has no compiler for it. */
async function provideWasm(log) {
  try {
    log(`wasm: ${(await buildWasm(log)) ? "built" : "up to date"}`);
    return undefined;
  } catch (error) {
    if (error.code !== "ERR_WASM_RUST") throw error;
    log(`wasm: not built, and the native engine works without. ${error.message}`);
    return error;
  }
}

/** The installed libtorch, or the problem of the folder in LIBTORCH. Neither, if libtorch must be fetched. */
function lookForLibtorch() {
  try {
    return { found: findLibtorch({ headers: true }), problems: [] };
  } catch (error) {
    return { problems: process.env.LIBTORCH ? [error.message] : [] };
  }
}

/** Makes .libtorch, which .cargo/config.toml names, a link to the libtorch that was found. */
function link(target) {
  const path = join(root, ".libtorch");
  const entry = lstatSync(path, { throwIfNoEntry: false });
  if (entry && !entry.isSymbolicLink()) {
    throw failure(
      "ERR_SETUP",
      `${path} should be a link to libtorch ${pinned.version}, and it is something else: remove it and try again.`,
    );
  }
  if (entry && readlinkSync(path) === target) return;
  const fresh = `${path}-${process.pid}`;
  symlinkSync(target, fresh, "junction");
  // Windows cannot rename a junction over another.
  if (process.platform === "win32") rmSync(path, { force: true, recursive: true });
  renameSync(fresh, path);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main(() => setup());
