// `stepwell doctor --fetch`: brings libtorch to this machine, for the native engine.

import { CommandError, exitCodes } from "../command-error.js";
import type { Environment } from "../output/environment.js";

/** Fetches libtorch unless one is found. Says on stderr what it does. */
export async function fetchLibtorch({ stderr }: Environment): Promise<void> {
  const { findLibtorch, fetch } = await nativePackage();
  const log = (line: string) => void stderr.write(`${line}\n`);
  const find = () => {
    try {
      return findLibtorch();
    } catch (error) {
      // A LIBTORCH that does not fit comes before everything that can be fetched.
      if (process.env.LIBTORCH) throw asFetchError(error);
      return undefined;
    }
  };
  const found = find();
  if (found) return log(`libtorch: ${found.version} is here already, in ${found.path}`);
  try {
    await fetch({ log, output: stderr });
  } catch (error) {
    throw asFetchError(error);
  }
  const fetched = find();
  if (!fetched) throw new CommandError("ERR_LIBTORCH_FETCH", "libtorch was fetched and is not found", exitCodes.failed);
  log(`libtorch: ${fetched.version} is in ${fetched.path}`);
}

/** The functions of @stepwell/native that find and fetch libtorch, without its addon. */
async function nativePackage() {
  try {
    const { findLibtorch } = await import("@stepwell/native/libtorch");
    const { fetchLibtorch: fetch } = await import("@stepwell/native/fetch");
    return { findLibtorch, fetch };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    const message = "doctor --fetch: @stepwell/native, which needs libtorch, is not here. Install it in this project.";
    throw new CommandError("ERR_ADDON_NOT_FOUND", message, exitCodes.failed);
  }
}

function asFetchError(error: unknown): unknown {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  if (typeof code !== "string" || !code.startsWith("ERR_LIBTORCH")) return error;
  return new CommandError(code, `doctor --fetch: ${String(message)}`, exitCodes.failed);
}
