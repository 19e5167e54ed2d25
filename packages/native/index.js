// Loads libtorch into the process and then the addon that uses it. The order matters: the addon names libtorch_cpu without a
// path, and libtorch asks only once, at its first use, whether CUDA is there.

//
// CommonJS, since the SDK loads this at once and Jest's and vitest's `require` refuse ECMAScript modules.

const { existsSync } = require("node:fs");
const { join } = require("node:path");
const { failure, findLibtorch, libraryPath, platform } = require("./libtorch.js");

/** Requires one of the two addons that `npm run setup` builds. */
function addon(file) {
  const path = join(__dirname, "addon", platform, file);
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

function load(preload, path) {
  try {
    preload(path);
  } catch (error) {
    throw failure("ERR_LIBTORCH_LOAD", `libtorch was found, but ${path} cannot be loaded: ${error.message}`);
  }
}

/** Loads libtorch's CUDA half where there is use for it; says "loaded" or why not. */
function loadCuda(preload, libtorchPath) {
  if (process.env.STEPWELL_CUDA === "0") return "switched off by STEPWELL_CUDA=0";
  const path = libraryPath(libtorchPath, "torch_cuda");
  if (!existsSync(path)) return `${path} does not exist: this libtorch is for the CPU only`;
  const driver = process.platform === "win32" ? "nvcuda.dll" : "libcuda.so.1";
  try {
    // The device is the cheap sign; WSL and Windows have only the driver's library.
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

// Threads of libtorch that have nothing to do should sleep. By default they spin, which is up to twice as fast on an idle
// machine, and up to ten times slower on one that has other work. libgomp asks when it is loaded, which is below.
process.env.OMP_WAIT_POLICY ??= "passive";

const { preload } = addon("preload.node");
const found = findLibtorch();
load(preload, libraryPath(found.path, "torch_cpu"));

exports.libtorch = Object.freeze({ ...found, cuda: loadCuda(preload, found.path) });

const stepwell = addon("stepwell.node");

/** Opens a session. Its objects are no other session's, and it ends when the garbage collector finds what is returned here. */
exports.open = () => {
  const { session, owner } = stepwell.open();
  return {
    owner,
    call: (verb, args) => stepwell.call(session, verb, args),
    stepWithClosure: (...args) => stepwell.stepWithClosure(session, ...args),
  };
};
