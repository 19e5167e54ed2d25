// Fetches the pinned NVRTC, which compiles CUDA C++ without a GPU, into the cache of this user. Prints its folder.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { fetchInto } from "../packages/native/fetch/fetch-into.js";
import { cacheFolder, failure, platform } from "../packages/native/libtorch.js";
import { main } from "./command.mjs";

/** The NVRTC of libtorch's CUDA 13.0. The tests of kernels need no other file of CUDA. */
const wheel = {
  name: "nvidia-cuda-nvrtc",
  version: "13.0.88",
  tag: "manylinux2010_x86_64",
  size: 90215200,
  sha256: "ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575",
  files: ["nvidia/cu13/lib/libnvrtc.so.13", "nvidia/cu13/lib/libnvrtc-builtins.so.13.0"],
};

/** Fetches NVRTC unless the cache has it. Returns the folder of its libraries. */
export async function fetchNvrtc(log = console.error) {
  if (platform !== "linux-x64")
    throw failure("ERR_LIBTORCH_FETCH", `NVRTC ${wheel.version} is pinned for linux-x64, not for ${platform}.`);
  const final = join(dirname(cacheFolder()), `nvrtc-${wheel.version}-${platform}`);
  const isWhole = () => wheel.files.every((file) => existsSync(join(final, file)));
  await fetchInto({ final, isWhole, wheels: [wheel], what: "nvrtc", log });
  return join(final, dirname(wheel.files[0]));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => console.log(await fetchNvrtc()));
}
