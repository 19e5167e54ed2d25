// Gets the wheels that hold libtorch: has pip bring them, checks them, and unpacks the part that is needed.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { failure, pinned, platform } from "../packages/native/libtorch.js";
import { pythonWithPip } from "./checks.mjs";
import { watchGrowth } from "./progress.mjs";

const wheels = (pinned.platforms[platform] ?? []).map((wheel) => ({ version: pinned.version, ...wheel }));

/** How many bytes there are to fetch. */
export const fetchSize = wheels.reduce((sum, wheel) => sum + wheel.size, 0);

/** Has pip, which knows the user's package index, proxy and certificates, bring exactly the wheels of the table. */
export async function downloadWheels(folder) {
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
  // Any Python 3 may run pip, so the wheels' own Python and platform are named.
  const target = [
    "--implementation=cp",
    `--python-version=${pinned.python.version}`,
    `--abi=${pinned.python.abi}`,
    "--abi=none",
  ];
  target.push(...wheels.map((wheel) => `--platform=${wheel.tag}`));
  const files = ["--progress-bar=off", `--dest=${folder}`, `--requirement=${requirements}`];

  // pip writes into its temporary folder first, so that is the one to watch.
  const stopWatching = watchGrowth(temporary, fetchSize, "libtorch: fetched");
  try {
    await python(["pip", "download", ...options, ...target, ...files], { TMPDIR: temporary });
  } finally {
    stopWatching();
  }
}

/** Unpacks what is needed of the downloaded wheels into `tree`, each once its SHA-256 is known to be the table's. */
export async function unpackWheels(folder, tree) {
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
    await python(["unpack", path, tree, ...wheel.files]);
    rmSync(path);
  }
}

async function sha256(path) {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/** Runs wheels.py. */
function python(args, env = {}) {
  return new Promise((fulfil, reject) => {
    // Our end of its standard input closes with us, which is how it knows that we are gone.
    const options = { env: { ...process.env, ...env }, stdio: ["pipe", "ignore", "pipe"] };
    const child = spawn(pythonWithPip(), [join(import.meta.dirname, "wheels.py"), ...args], options);
    let complaint = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      complaint += text;
    });
    child.on("error", reject);
    child.on("close", (status) => {
      if (status === 0) fulfil();
      else
        reject(
          failure(
            "ERR_LIBTORCH_FETCH",
            `libtorch was not fetched, because ${args[0]} failed:\n${complaint.trim().slice(-2000)}`,
          ),
        );
    });
  });
}
