// Fetches the pinned libtorch into this user's cache, where packages/native/libtorch.js finds it.
// Everything happens in a partial folder beside the final one, which one rename makes visible: whoever is killed, and
// however many run at once, the final folder is whole or is not there.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { cacheFolder, failure, flawOf, pinned } from "../packages/native/libtorch.js";
import { fetchProblem } from "./checks.mjs";
import { main } from "./command.mjs";
import { downloadWheels, fetchSize, unpackWheels } from "./wheels.mjs";

const day = 24 * 3600 * 1000;
const removal = { recursive: true, force: true, maxRetries: 5 };

/** Sees to it that libtorch is in the cache and returns its folder. */
export async function fetchLibtorch(log = console.error) {
  const final = cacheFolder();
  const path = join(final, "torch");
  if (!flawOf(path, true)) return path;
  const problem = fetchProblem();
  if (problem) throw failure("ERR_LIBTORCH_FETCH", problem);

  log(`libtorch: fetching ${pinned.version}, ${Math.round(fetchSize / 1e6)} MB, into ${final}`);
  mkdirSync(dirname(final), { recursive: true });
  sweep(dirname(final));
  // The name tells a later run whether the process that made the folder is still there.
  const partial = mkdtempSync(`${final}.partial-${hostname()}-${process.pid}-`);
  const stop = (_signal, number) => {
    remove(partial);
    process.exit(128 + number);
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    await downloadWheels(partial);
    log("libtorch: checking and unpacking");
    await unpackWheels(partial, join(partial, "tree"));
    publish(partial, final);
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
    remove(partial);
  }
  return path;
}

/** Moves the finished tree to its place, unless another process was faster. */
function publish(partial, final) {
  const path = join(final, "torch");
  if (!flawOf(path, true)) return;
  // What is there and no good, because somebody removed files from it, goes away with the partial folder.
  if (existsSync(final)) renameSync(final, join(partial, "damaged"));
  try {
    renameSync(join(partial, "tree"), final);
  } catch (error) {
    if (flawOf(path, true)) throw error;
  }
}

/** Removes what killed processes left: partial folders of this machine whose process is gone, and any that is a day old. */
function sweep(folder) {
  for (const name of readdirSync(folder)) {
    const [, host, pid] = /\.partial-(.+)-(\d+)-\w+$/.exec(name) ?? [];
    if (pid === undefined) continue;
    const path = join(folder, name);
    const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if ((host === hostname() && !alive(Number(pid))) || Date.now() - made > day) remove(path);
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Removes a folder; what cannot be removed now, because a dying program still writes there, the next sweep removes. */
function remove(path) {
  try {
    rmSync(path, removal);
  } catch {
    // See above.
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => console.log(await fetchLibtorch()));
}
