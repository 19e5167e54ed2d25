// Loads libtorch into the process, then the addon that uses it. The order matters: the addon names libtorch_cpu without a path, and
// libtorch looks for CUDA only once, at its first use.
//
// CommonJS, since the SDK loads this file synchronously, and `require` of Jest and vitest rejects ECMAScript modules.

const { existsSync } = require("node:fs");
const { addon, addonPath, load, refuseFaulty } = require("./addons.js");
const { installAdvice, pipAdvice } = require("./advice.js");
const { loadCuda } = require("./cuda.js");
const { cacheFolder, findLibtorch, libraryPath, nccl, pinned } = require("./libtorch.js");
const { openSession } = require("./session.js");

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
const ncclLibrary = addonPath(nccl);
const hasNccl = existsSync(ncclLibrary);
// Without it c10d ends the process when another one fails, instead of throwing an error. Set here, before other threads read variables.
if (hasNccl && cuda.missing === null) process.env.TORCH_NCCL_BLOCKING_WAIT ??= "1";
exports.libtorch = Object.freeze({ ...found, cuda: cuda.missing ?? "loaded", nccl: hasNccl ? ncclLibrary : null });

const stepwell = addon("stepwell.node");
stepwell.explainCuda(cuda.missing, cuda.remedy);
// An addon that was built before NCCL lacks it, until the next set-up.
stepwell.setNcclLibrary?.(ncclLibrary);

/** Opens a session with objects of its own. It ends when the returned object is garbage-collected. */
exports.open = () =>
  openSession(stepwell, {
    releaseMemory: stepwell.releaseMemory,
    libtorch: { version: found.version, cudaLibrary: cuda.library },
  });
