// Fetches the pinned libtorch into the cache of this user, where packages/native/libtorch.js finds it.

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { cacheFolder, failure, libtorchFault } from "../packages/native/libtorch.js";
import { fetchProblem } from "./checks.mjs";
import { main } from "./command.mjs";
import { fetchInto } from "./fetch.mjs";
import { libtorchWheels } from "./wheels.mjs";

/** Fetches libtorch unless the cache has it. Returns its folder. */
export async function fetchLibtorch(log = console.error) {
  const final = cacheFolder();
  const path = join(final, "torch");
  const isWhole = () => !libtorchFault(path, true);
  const problem = isWhole() ? undefined : fetchProblem();
  if (problem) throw failure("ERR_LIBTORCH_FETCH", problem);
  await fetchInto({ final, isWhole, wheels: libtorchWheels, what: "libtorch", log });
  return path;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => console.log(await fetchLibtorch()));
}
