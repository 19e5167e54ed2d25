// Fetches wheels into a folder of the cache of this user.
//
// Works in a partial folder next to the final one and publishes it with one rename. So the final folder is complete or absent, even
// if the process is killed or several run at once. The wheels that a killed or failed process has downloaded are used by the next.

const { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, statfsSync, statSync } = require("node:fs");
const { hostname } = require("node:os");
const { basename, dirname, join } = require("node:path");
const { failure } = require("../libtorch.js");
const { makeFolder } = require("../make-folder.js");
const { downloadWheels, sizeOf, unpackWheels } = require("./wheels.js");

const day = 24 * 3600 * 1000;
const removal = { recursive: true, force: true, maxRetries: 5 };

/**
 * Fetches wheels, and unpacks their files into `final`, unless `isWhole()` is true. `what` is the name for messages, `unpacked` the
 * bytes of the unpacked files, about, `output` the stream for the progress.
 */
async function fetchInto({ final, isWhole, wheels, what, log, unpacked = 0, output }) {
  if (isWhole()) return;
  log(`${what}: fetching ${wheels[0].version}, ${Math.round(sizeOf(wheels) / 1e6)} MB, into ${final}`);
  makeCache(dirname(final));
  const partial = partialFolder(final);
  // A signal ends this process, and leaves the wheels that are here to the next one.
  const stop = (_signal, number) => {
    removeUnlessWheels(partial);
    process.exit(128 + number);
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    refuseFullDisk(partial, 2 * sizeOf(wheels) + unpacked, what);
    await downloadWheels(partial, wheels, what, output);
    log(`${what}: checking and unpacking`);
    const tree = join(partial, "tree");
    remove(tree);
    await unpackWheels(partial, tree, wheels);
    publish(partial, final, isWhole);
    remove(partial);
  } catch (error) {
    removeUnlessWheels(partial);
    throw error;
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}

function makeCache(folder) {
  try {
    makeFolder(folder);
  } catch (error) {
    const remedy = "Point XDG_CACHE_HOME at a folder that this user may write.";
    throw failure("ERR_LIBTORCH_FETCH", `${folder} cannot be made: ${error.message}. ${remedy}`);
  }
}

/** Throws unless the disk has so many bytes. pip copies a wheel from its temporary folder, so that it is there twice. */
function refuseFullDisk(folder, bytes, what) {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free >= bytes) return;
  const megabytes = (count) => `${Math.round(count / 1e6)} MB`;
  const text = `${what} was not fetched: it takes ${megabytes(bytes)} for a while, and the disk of ${dirname(folder)} has ${megabytes(free)} free.`;
  throw failure("ERR_LIBTORCH_FETCH", `${text} Free some space, or point XDG_CACHE_HOME at another disk.`);
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

/**
 * Makes a folder for this process. It has the wheels that a killed or failed process has left: a rename gives its folder to one
 * process alone. Other abandoned folders are removed: from this machine without a live process, or older than a day.
 */
function partialFolder(final) {
  // Host and process id in the name show a later run whether the process still exists.
  const partial = mkdtempSync(`${final}.partial-${hostname()}-${process.pid}-`);
  for (const name of readdirSync(dirname(final))) {
    const [, host, pid] = /\.partial-(.+)-(\d+)-\w+$/.exec(name) ?? [];
    const path = join(dirname(final), name);
    if (pid === undefined || path === partial) continue;
    const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    const isAbandoned = host === hostname() && !alive(Number(pid));
    if (isAbandoned && name.startsWith(`${basename(final)}.partial-`) && hasWheels(path)) {
      takeWheels(path, partial);
    } else if (isAbandoned || Date.now() - made > day) remove(path);
  }
  return partial;
}

const wheelsOf = (folder) => readdirSync(folder).filter((name) => name.endsWith(".whl"));

function hasWheels(folder) {
  try {
    return wheelsOf(folder).length > 0;
  } catch {
    return false;
  }
}

/** Moves wheels into the folder of this process. Another process may do the same: each file has one taker. */
function takeWheels(from, partial) {
  try {
    for (const name of wheelsOf(from)) renameSync(join(from, name), join(partial, name));
  } catch {
    // Taken by another process.
  }
  remove(from);
}

function removeUnlessWheels(partial) {
  if (!hasWheels(partial)) remove(partial);
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

module.exports = { fetchInto };
