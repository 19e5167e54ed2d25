// Downloads wheels with pip, verifies them, and unpacks the needed files.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { failure, pinned, platform } from "../packages/native/libtorch.js";
import { pythonWithPip } from "./checks.mjs";
import { watchGrowth } from "./progress.mjs";

/** The wheels that contain libtorch; none on a platform for which there are none. */
export const libtorchWheels = (pinned.platforms[platform] ?? []).map((wheel) => ({
  version: pinned.version,
  ...wheel,
}));

/** The size of wheels, in bytes. */
export function sizeOf(wheels) {
  return wheels.reduce((sum, wheel) => sum + wheel.size, 0);
}

/** Downloads wheels with pip, which knows the user's package index, proxy and certificates. `what` is the name for messages. */
export async function downloadWheels(folder, wheels, what) {
  const temporary = join(folder, "tmp");
  mkdirSync(temporary, { recursive: true });
  const requirements = join(folder, "requirements.txt");
  writeFileSync(
    requirements,
    wheels.map((wheel) => `${wheel.name}==${wheel.version} --hash=sha256:${wheel.sha256}\n`).join(""),
  );

  const options = [
    "--quiet",
    "--disable-pip-version-check",
    "--no-deps",
    "--no-cache-dir",
    "--only-binary=:all:",
    "--require-hashes",
  ];
  // Any Python 3 may run pip, so Python version and platform of the wheels are given.
  const target = [
    "--implementation=cp",
    `--python-version=${pinned.python.version}`,
    `--abi=${pinned.python.abi}`,
    "--abi=none",
  ];
  target.push(...wheels.map((wheel) => `--platform=${wheel.tag}`));
  const files = ["--progress-bar=off", `--dest=${folder}`, `--requirement=${requirements}`];

  // pip writes to its temporary folder first.
  const stopWatching = watchGrowth(temporary, sizeOf(wheels), `${what}: fetched`);
  try {
    await python(what, ["pip", "download", ...options, ...target, ...files], { TMPDIR: temporary });
  } finally {
    stopWatching();
  }
}

/** Unpacks the needed files of the downloaded wheels into `tree`, after comparing the SHA-256 of each wheel with the table. */
export async function unpackWheels(folder, tree, wheels) {
  for (const wheel of wheels) {
    const start = `${wheel.name.replaceAll("-", "_")}-${wheel.version}-`;
    const file = readdirSync(folder).find((name) => name.startsWith(start));
    if (!file)
      throw failure(
        "ERR_LIBTORCH_FETCH",
        `pip was asked for ${wheel.name} ${wheel.version} and brought no such wheel.`,
      );
    const path = join(folder, file);
    const found = await sha256(path);
    if (found !== wheel.sha256) {
      const text = `${file} is not the file that Stepwell was tested with: its SHA-256 is ${found} where ${wheel.sha256} was expected.`;
      throw failure("ERR_LIBTORCH_FETCH", `${text} Try again, or look at what your package index serves.`);
    }
    await python(wheel.name, ["unpack", path, tree, ...wheel.files]);
    rmSync(path);
  }
}

async function sha256(path) {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/** Runs wheels.py. */
function python(what, args, env = {}) {
  return new Promise((fulfil, reject) => {
    // The pipe to its standard input closes when this process ends, which ends the child too.
    const options = { env: { ...process.env, ...env }, stdio: ["pipe", "ignore", "pipe"] };
    const child = spawn(pythonWithPip(), [join(import.meta.dirname, "wheels.py"), ...args], options);
    let errorText = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      errorText += text;
    });
    child.on("error", reject);
    child.on("close", (status) => {
      if (status === 0) fulfil();
      else
        reject(
          failure(
            "ERR_LIBTORCH_FETCH",
            `${what} was not fetched, because ${args[0]} failed:\n${errorText.trim().slice(-2000)}`,
          ),
        );
    });
  });
}
