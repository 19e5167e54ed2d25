// The site of the documentation: its build, its server.

import { join } from "node:path";
import { root, run } from "./command.mjs";

const folder = join(root, "docs");

/** Builds the site into docs/dist/www: files that any static server can serve. A link to a page that is not there is an error. */
export async function buildDocs() {
  await vitepress(["build"], { quiet: true });
}

/** Serves the built site on this machine, until Ctrl-C. Arguments go to `vitepress preview`, such as `--port 8080`. */
export async function serveDocs(args) {
  process.on("SIGINT", () => {});
  try {
    await vitepress(["preview", ...args]);
  } catch (error) {
    if (!error.status) throw error;
  }
}

function vitepress([command, ...args], options) {
  const program = join(folder, "node_modules", "vitepress", "bin", "vitepress.js");
  return run(process.execPath, [program, command, folder, ...args], options);
}
