// Fetches wheels into a folder of the cache of this user.
//
// Works in a partial folder next to the final one and publishes it with one rename. So the final folder is complete or absent, even
// if the process is killed or several run at once.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { downloadWheels, sizeOf, unpackWheels } from "./wheels.mjs";

const day = 24 * 3600 * 1000;
const removal = { recursive: true, force: true, maxRetries: 5 };

/** Fetches wheels, and unpacks their files into `final`, unless `isWhole()` is true. `what` is the name for messages. */
export async function fetchInto({ final, isWhole, wheels, what, log }) {
  if (isWhole()) return;
  log(`${what}: fetching ${wheels[0].version}, ${Math.round(sizeOf(wheels) / 1e6)} MB, into ${final}`);
  mkdirSync(dirname(final), { recursive: true });
  removeAbandoned(dirname(final));
  // Host and process id in the name show a later run whether the process still exists.
  const partial = mkdtempSync(`${final}.partial-${hostname()}-${process.pid}-`);
  const stop = (_signal, number) => {
    remove(partial);
    process.exit(128 + number);
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    await downloadWheels(partial, wheels, what);
    log(`${what}: checking and unpacking`);
    await unpackWheels(partial, join(partial, "tree"), wheels);
    publish(partial, final, isWhole);
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
    remove(partial);
  }
}

/** Moves the unpacked tree to the final folder, unless another process has done so already. */
function publish(partial, final, isWhole) {
  if (isWhole()) return;
  // A damaged folder, from which files were removed, is deleted with the partial folder.
  if (existsSync(final)) renameSync(final, join(partial, "damaged"));
  try {
    renameSync(join(partial, "tree"), final);
  } catch (error) {
    if (!isWhole()) throw error;
  }
}

/** Removes partial folders of killed processes: from this machine without a live process, or older than a day. */
function removeAbandoned(folder) {
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

/** Removes a folder. If a program that is ending still writes to it, the next run removes the rest. */
function remove(path) {
  try {
    rmSync(path, removal);
  } catch {
    // See above.
  }
}
