// The playground page: its data, its build, its server.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "./command.mjs";

export const app = join(root, "apps", "playground");

/** Packs the handwritten digits into the file that the page fetches. Returns whether there was anything to do. */
export async function packDigits() {
  if (existsSync(join(app, "src", "data", "digits.bin"))) return false;
  // The playground alone has no native engine.
  const env = { ...process.env, STEPWELL_ENGINE: "wasm" };
  await run(process.execPath, [join(app, "dist", "scripts", "pack-digits.js")], { env, quiet: true });
  return true;
}

/** Builds the page into apps/playground/site: files that any static server can serve. */
export async function buildPlayground() {
  await vite(["build"], { quiet: true });
}

/** Serves the built page on this machine, until Ctrl-C. */
export async function servePlayground(args) {
  process.on("SIGINT", () => {});
  try {
    await vite(["preview", ...args]);
  } catch (error) {
    if (!error.status) throw error;
  }
}

function vite([command, ...args], options) {
  return run(process.execPath, [join(app, "node_modules", "vite", "bin", "vite.js"), command, app, ...args], options);
}
