// Loads libtorch into the process, then the addon that uses it. The order matters: the addon names libtorch_cpu without a path, and
// libtorch looks for CUDA only once, at its first use.
//
// CommonJS, since the SDK loads this file synchronously, and `require` of Jest and vitest rejects ECMAScript modules.

const { existsSync } = require("node:fs");
const { join } = require("node:path");
const { failure, findLibtorch, libraryPath, platform } = require("./libtorch.js");

const addonPath = (file) => join(__dirname, "addon", platform, file);

/** Requires one of the two addons. */
function addon(file) {
  const path = addonPath(file);
  if (!existsSync(path)) {
    throw failure(
      "ERR_ADDON_NOT_FOUND",
      `Stepwell has no addon for ${platform}: ${path} does not exist. Run "npm run setup" in Stepwell's repository to build it.`,
    );
  }
  try {
    return require(path);
  } catch (error) {
    throw failure("ERR_ADDON_LOAD", `Stepwell's addon is there, but ${path} cannot be loaded: ${error.message}`);
  }
}

function load(preload, path, code, found) {
  try {
    preload(path);
  } catch (error) {
    throw failure(code, `${found}, but ${path} cannot be loaded: ${error.message}`);
  }
}

/** Loads the CUDA library of libtorch if there is a driver. Returns "loaded" or the reason why it was not loaded. */
function loadCuda(preload, libtorchPath) {
  if (process.env.STEPWELL_CUDA === "0") return "switched off by STEPWELL_CUDA=0";
  const path = libraryPath(libtorchPath, "torch_cuda");
  if (!existsSync(path)) return `${path} does not exist: this libtorch is for the CPU only`;
  const driver = process.platform === "win32" ? "nvcuda.dll" : "libcuda.so.1";
  try {
    // A device file is the quick test. WSL and Windows have only the library of the driver.
    if (!existsSync("/dev/nvidia0")) preload(driver);
  } catch {
    return `no NVIDIA driver was found: ${driver} cannot be loaded`;
  }
  try {
    preload(path);
    return "loaded";
  } catch (error) {
    return `${path} cannot be loaded: ${error.message}`;
  }
}

// Idle threads of libtorch sleep. By default they spin, which is up to twice as fast on an idle machine, and up to ten times slower
// on a busy one. libgomp reads the variable when it is loaded, below.
process.env.OMP_WAIT_POLICY ??= "passive";

const { preload } = addon("preload.node");
// Makes the number of threads, a symbol of this addon, global: copies of Stepwell in one process share it.
if (process.platform !== "win32")
  load(preload, addonPath("preload.node"), "ERR_ADDON_LOAD", "Stepwell's addon is there");
const found = findLibtorch();
load(preload, libraryPath(found.path, "torch_cpu"), "ERR_LIBTORCH_LOAD", "libtorch was found");

exports.libtorch = Object.freeze({ ...found, cuda: loadCuda(preload, found.path) });

const stepwell = addon("stepwell.node");

/** Opens a session with objects of its own. It ends when the returned object is garbage-collected. */
exports.open = () => {
  const { session, owner } = stepwell.open();
  return {
    owner,
    call: (command, args) => stepwell.call(session, command, args),
    stepWithClosure: (...args) => stepwell.stepWithClosure(session, ...args),
  };
};
