// Removes compiled files of the SDK whose source has been moved or removed: TypeScript leaves them, and they would be packed.

import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { main, root } from "./command.mjs";

const sdk = join(root, "packages", "sdk");

/** Removes the files, and returns how many there were. The folders of the entries, `node` and `wasm`, are compiled from `api`. */
export function removeStale(folder = sdk) {
  const dist = join(folder, "dist");
  if (!existsSync(dist)) return 0;
  const files = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const stale = files
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.endsWith(".tsbuildinfo") && !existsSync(sourceOf(folder, path.slice(dist.length + 1))));
  for (const path of stale) rmSync(path);
  return stale.length;
}

/** The source that a compiled file would have. The entry `wasm` has no declarations, since both entries share the declarations of `node`. */
function sourceOf(folder, file) {
  const parts = file.replace(/(\.d\.ts|\.js)(\.map)?$/, ".ts").split(/[\\/]/);
  const isEntry = parts[0] === "node" || parts[0] === "wasm";
  return join(folder, "src", ...(isEntry ? ["api", ...parts.slice(1)] : parts));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main(async () => removeStale());
