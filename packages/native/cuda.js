// Decides whether the CUDA library of libtorch is loaded, and says what is missing.

const { existsSync } = require("node:fs");
const { pipAdvice } = require("./advice.js");
const { elfFault } = require("./elf.js");
const { failure, libraryPath, pinned } = require("./libtorch.js");

/** The library of NVIDIA's driver. */
const driver = process.platform === "win32" ? "nvcuda.dll" : "libcuda.so.1";

const installDriver = "Install NVIDIA's driver; in a container, start it with the GPUs of the machine.";

/**
 * Loads the CUDA library of libtorch, if the variable STEPWELL_CUDA and the machine say so. The first decision in a process counts
 * for all its workers.
 *
 * Returns the path of the library, null if libtorch has none, and, unless it was loaded, what is missing and the remedy. An absent
 * library is not an error, since libtorch computes on the CPU without it.
 */
function loadCuda({ preload, preloadCuda }, libtorch, env = process.env) {
  const wanted = env.STEPWELL_CUDA || "auto";
  if (!["0", "1", "auto"].includes(wanted)) {
    throw failure("ERR_ARGUMENT", `STEPWELL_CUDA: expected 0, 1 or auto, given "${wanted.slice(0, 100)}". Unset it.`);
  }
  const path = libraryPath(libtorch.path, "torch_cuda");
  const library = existsSync(path) ? path : null;
  const missing = preloadCuda(path, absence(wanted, library, libtorch, preload)) ?? null;
  return { library, missing, remedy: missing === null ? null : remedyOf(missing, libtorch) };
}

/** The reason not to load the library; undefined if it is to be loaded. */
function absence(wanted, library, { path, version }, preload) {
  if (wanted === "0") return "STEPWELL_CUDA=0 leaves the CUDA library of libtorch unloaded";
  if (library === null) return `libtorch ${version} in ${path} has no CUDA library`;
  if (wanted === "auto" && !hasDriver(preload)) return `no NVIDIA driver was found: ${driver} cannot be loaded`;
  const fault = elfFault(library);
  return fault && `${library} cannot be loaded: it ${fault}`;
}

/** True if there may be a CUDA device. A device file is the quick test. WSL and Windows have only the library of the driver. */
function hasDriver(preload) {
  if (existsSync("/dev/nvidia0")) return true;
  try {
    preload(driver);
    return true;
  } catch {
    return false;
  }
}

/** The remedy, as a sentence. The reason may be of another worker, so its text decides. */
function remedyOf(missing, { source }) {
  if (missing.startsWith("STEPWELL_CUDA=0")) return "Unset STEPWELL_CUDA, and start the process again.";
  if (missing.startsWith("no NVIDIA driver")) return installDriver;
  const install = pipAdvice();
  if (!missing.startsWith("libtorch ")) return `${install} It installs NVIDIA's libraries too.`;
  const variable = source === "LIBTORCH" ? "Point" : "Set";
  const target = source === "LIBTORCH" ? "LIBTORCH at" : "LIBTORCH to";
  return `${variable} ${target} the folder torch of a CUDA build of libtorch ${pinned.version}, such as Python's torch on Linux.`;
}

module.exports = { loadCuda };
