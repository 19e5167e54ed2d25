// Fetches the pinned libtorch into the cache of this user, where libtorch.js finds it. pip or uv download it.

const { join } = require("node:path");
const { checkoutFolder, installAdvice } = require("../advice.js");
const { cacheFolder, failure, libtorchFault, pinned, platform } = require("../libtorch.js");
const { glibc } = require("../load-errors.js");
const { fetchInto } = require("./fetch-into.js");
const { pipClient } = require("./python-client.js");

/** The wheels that contain libtorch; none on a platform for which there are none. */
const libtorchWheels = (pinned.platforms[platform] ?? []).map((wheel) => ({ version: pinned.version, ...wheel }));

/** In bytes, about: the libraries and headers of the largest platform. */
const unpacked = 500e6;

/** The reason why libtorch cannot be fetched on this machine, as a sentence; undefined if it can. */
function fetchProblem() {
  if (libtorchWheels.length === 0) {
    const known = Object.keys(pinned.platforms).join(", ");
    return `libtorch ${pinned.version} can be fetched for ${known}, not for ${platform}: set LIBTORCH to one that you have.`;
  }
  if (process.platform === "linux" && !glibc()) {
    return `libtorch ${pinned.version} needs glibc, and this system has another C library: run Node on a Linux with glibc.`;
  }
  if (!pipClient()) {
    const advice = checkoutFolder() ? "Install uv, or Python 3 with pip." : installAdvice();
    return `libtorch ${pinned.version} is fetched by Python's pip or by uv, and neither is here. ${advice}`;
  }
  return undefined;
}

/** Fetches libtorch unless the cache has it. Returns its folder. */
async function fetchLibtorch({ log = console.error, output = process.stderr } = {}) {
  const final = cacheFolder();
  const path = join(final, "torch");
  const isWhole = () => !libtorchFault(path, true);
  const problem = isWhole() ? undefined : fetchProblem();
  if (problem) throw failure("ERR_LIBTORCH_FETCH", problem);
  await fetchInto({ final, isWhole, wheels: libtorchWheels, what: "libtorch", log, unpacked, output });
  return path;
}

module.exports = { fetchLibtorch, fetchProblem };
