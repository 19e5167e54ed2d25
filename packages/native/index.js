// Loads libtorch into the process, then the addon that uses it. The order matters: the addon names libtorch_cpu without a path, and
// libtorch looks for CUDA only once, at its first use.
//
// CommonJS, since the SDK loads this file synchronously, and `require` of Jest and vitest rejects ECMAScript modules.

const { existsSync, readdirSync } = require("node:fs");
const { join } = require("node:path");
const { checkoutFolder, installAdvice, pipAdvice } = require("./advice.js");
const { loadCuda } = require("./cuda.js");
const { elfFault } = require("./elf.js");
const { cacheFolder, failure, findLibtorch, libraryPath, pinned, platform } = require("./libtorch.js");
const { loadFault } = require("./load-errors.js");

/** The path of an addon: in this package, or in the package of this platform, which a registry serves. */
function addonPath(file) {
  const own = join(__dirname, "addon", platform, file);
  if (existsSync(own)) return own;
  try {
    return require.resolve(`@stepwell/native-${platform}/${file}`);
  } catch {
    return own;
  }
}

/** The remedy for an addon that is absent or at fault. */
function addonAdvice() {
  const checkout = checkoutFolder();
  if (checkout) return `Run "npm run setup" in ${checkout}.`;
  return `Install a package @stepwell/native that was packed for ${platform}.`;
}

/** Requires one of the two addons. */
function addon(file) {
  const path = addonPath(file);
  if (!existsSync(path)) throw failure("ERR_ADDON_NOT_FOUND", `${absence(path)}. ${addonAdvice()}`);
  return load(() => require(path), path, "ERR_ADDON_LOAD", addonAdvice);
}

/** Says which addons the package has instead. */
function absence(path) {
  const folder = join(__dirname, "addon");
  const others = existsSync(folder) ? readdirSync(folder).filter((name) => name !== platform) : [];
  const has = others.length > 0 ? `, only for ${others.join(", ")}` : "";
  return `@stepwell/native has no addon for ${platform}${has}: ${path} does not exist`;
}

/** Calls `open`, which loads a library. `advice` is the remedy if the file is at fault. */
function load(open, path, code, advice) {
  refuseFaulty(path, code, advice);
  try {
    return open();
  } catch (error) {
    const { reason, remedy = advice() } = loadFault(error);
    throw failure(code, `${path} cannot be loaded: ${reason}. ${remedy}`);
  }
}

/** Throws if the file is not a complete library for this process. */
function refuseFaulty(path, code, advice) {
  const fault = elfFault(path);
  if (fault) throw failure(code, `${path} cannot be loaded: it ${fault}. ${advice()}`);
}

/** The remedy for a libtorch that cannot be loaded. */
function libtorchAdvice({ source }) {
  if (source === "package") return "Install @stepwell/libtorch again.";
  if (source === "LIBTORCH") return `Point LIBTORCH at another libtorch ${pinned.version} or unset it.`;
  if (source === "python") return pipAdvice(process.env, "--force-reinstall ");
  return `Remove ${cacheFolder()}. ${installAdvice(process.env, true)}`;
}

/** Loads libtorch_cpu, which loads libc10. */
function loadLibtorch(preload, found) {
  const [c10, cpu] = ["c10", "torch_cpu"].map((name) => libraryPath(found.path, name));
  const code = "ERR_LIBTORCH_LOAD";
  const advice = () => libtorchAdvice(found);
  refuseFaulty(c10, code, advice);
  withSleepingThreads(() => load(() => preload(cpu), cpu, code, advice));
}

/**
 * Calls `load` with OMP_WAIT_POLICY=passive in the environment, unless it is set. libgomp reads the variable once, while it is
 * loaded. Afterwards it is removed, so that programs which this process starts do not inherit it.
 *
 * Idle threads of libtorch then sleep. By default they spin, which is up to twice as fast on an idle machine, and up to ten times
 * slower on a busy one.
 */
function withSleepingThreads(load) {
  if (process.env.OMP_WAIT_POLICY !== undefined) return load();
  process.env.OMP_WAIT_POLICY = "passive";
  try {
    return load();
  } finally {
    delete process.env.OMP_WAIT_POLICY;
  }
}

const loader = addon("preload.node");
const { preload } = loader;
// Makes the number of threads, a symbol of this addon, global: copies of Stepwell in one process share it.
if (process.platform !== "win32") preload(addonPath("preload.node"));
const found = findLibtorch();
loadLibtorch(preload, found);

const cuda = loadCuda(loader, found);
exports.libtorch = Object.freeze({ ...found, cuda: cuda.missing ?? "loaded" });

const stepwell = addon("stepwell.node");
stepwell.explainCuda(cuda.missing, cuda.remedy);

/** Opens a session with objects of its own. It ends when the returned object is garbage-collected. */
exports.open = () => {
  // 64 numbers as compact-arguments.ts of the SDK counts them, then the index of the operation, whose place the result takes, and
  // how many numbers there are. A call without arguments takes half the time of one with three.
  const memory = new Float64Array(new ArrayBuffer(528));
  const { session, owner } = stepwell.open(memory);
  const callCompact = stepwell.bindCompact(session);
  const unfinished = new Set();
  let waitsAtExit = false;
  const takeEvents = () => {
    const rows = stepwell.takeEvents(session);
    // A row of a batch, whose call goes on, ends with null.
    for (const [number, , , isStopped] of rows) if (isStopped !== null) unfinished.delete(number);
    return rows;
  };
  // Stops the asynchronous calls and waits for their present batches: the exit of the process destroys objects of libtorch.
  const finish = () => {
    for (const number of unfinished) stepwell.stop(session, number);
    const cell = new Int32Array(new SharedArrayBuffer(4));
    while (takeEvents() && unfinished.size > 0) Atomics.wait(cell, 0, 0, 1);
  };
  return {
    owner,
    call: (command, args) => stepwell.call(session, command, args),
    callHosted: (command, args, host) => stepwell.callHosted(session, command, args, host),
    start: (command, args, wake, reports) => {
      const number = stepwell.start(session, command, args, wake, reports);
      if (!waitsAtExit) process.once("exit", finish);
      waitsAtExit = true;
      unfinished.add(number);
      return number;
    },
    takeEvents,
    stop: (number) => stepwell.stop(session, number),
    operationIndex: stepwell.operationIndex,
    hasFiles: true,
    compactMemory: () => memory,
    callCompact: (index, length) => {
      memory[64] = index;
      memory[65] = length;
      callCompact();
      return memory[64];
    },
    bytes: () => stepwell.bytes(session),
    release: (ids) => stepwell.release(session, ids),
    checkMemory: stepwell.checkMemory,
    releaseMemory: stepwell.releaseMemory,
    libtorch: { version: found.version, cudaLibrary: cuda.library },
    stepWithClosure: (...args) => stepwell.stepWithClosure(session, ...args),
  };
};
