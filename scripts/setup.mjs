// Makes a checkout ready to use. Each part does nothing if it is up to date.

import { lstatSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { failure, findLibtorch, pinned } from "../packages/native/libtorch.js";
import { buildAddons } from "./addon.mjs";
import { checkTools } from "./checks.mjs";
import { bin, main, root, run } from "./command.mjs";
import { fetchLibtorch } from "./libtorch.mjs";
import { installPackages } from "./packages.mjs";
import { packDigits } from "./playground.mjs";
import { removeStale } from "./stale.mjs";
import { buildWasm } from "./wasm.mjs";

/**
 * Checks the machine, finds or fetches libtorch, installs the packages, builds the addons, the WebAssembly module and the
 * TypeScript. Returns the reason if the WebAssembly module cannot be built: the native engine works without it.
 */
export async function setup({ log = console.error } = {}) {
  const { found, problems } = lookForLibtorch();
  log(`machine: ${checkTools({ fetching: !found && problems.length === 0, problems })}`);

  const path = found?.path ?? (await fetchLibtorch(log));
  link(path);
  log(`libtorch: ${found ? `${found.version} from ${found.source}, ${path}` : `fetched into ${path}`}`);

  log(`packages: ${(await installPackages()) ? "installed" : "up to date"}`);
  log(`addon: ${(await buildAddons()) ? "built" : "up to date"}`);

  const noWasm = await wasm(log);

  removeStale();
  await run(bin("tsc"), ["--build"], { quiet: true });
  log("typescript: checked and built");

  log(`digits: ${(await packDigits()) ? "packed" : "up to date"}`);
  return { noWasm };
}

/** Builds the WebAssembly module. Returns the error if this machine has no compiler for it. */
async function wasm(log) {
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

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main(setup);
