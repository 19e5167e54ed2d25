// Removes compiled files of the SDK whose source has been moved or removed: TypeScript leaves them, and they would be packed.

import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { main, root } from "./command.mjs";

const sdk = join(root, "packages", "sdk");

/** Folders of compiled files: ES modules, and CommonJS. */
const folders = ["dist", "commonjs/dist"];

/** Removes the files, and returns how many there were. */
export function removeStale(folder = sdk) {
  const stale = folders.flatMap((dist) => staleIn(folder, join(folder, dist)));
  for (const path of stale) rmSync(path);
  return stale.length;
}

function staleIn(folder, dist) {
  if (!existsSync(dist)) return [];
  const files = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !isLive(folder, path, path.slice(dist.length + 1)));
}

/** True for a file of the compiler's own, and for a compiled file whose source is there. */
function isLive(folder, path, file) {
  if (path.endsWith(".tsbuildinfo")) return true;
  const isCommonJs = path.startsWith(join(folder, "commonjs"));
  // Declarations are compiled with CommonJS alone.
  return (isCommonJs || !/\.d\.ts(\.map)?$/.test(file)) && existsSync(sourceOf(folder, file, isCommonJs));
}

/** The source that a compiled file would have. The CommonJS folders `node` and `wasm` are compiled from `api`. */
function sourceOf(folder, file, isCommonJs) {
  const parts = file.replace(/(\.d\.ts|\.js)(\.map)?$/, ".ts").split(/[\\/]/);
  const isEntry = isCommonJs && (parts[0] === "node" || parts[0] === "wasm");
  return join(folder, "src", ...(isEntry ? ["api", ...parts.slice(1)] : parts));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main(async () => removeStale());
