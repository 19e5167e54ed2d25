// Downloads wheels with pip, verifies them, and unpacks the needed files.

const { spawn } = require("node:child_process");
const { createHash } = require("node:crypto");
const {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} = require("node:fs");
const { join } = require("node:path");
const { pipeline } = require("node:stream/promises");
const { failure, pinned } = require("../libtorch.js");
const { makeFolder } = require("../make-folder.js");
const { reasonOf } = require("./client-errors.js");
const { watchGrowth } = require("./progress.js");
const { pipClient, retryOptions } = require("./python-client.js");

/** The size of wheels, in bytes. */
function sizeOf(wheels) {
  return wheels.reduce((sum, wheel) => sum + wheel.size, 0);
}

/**
 * Downloads wheels with pip, one after the other, unless the folder has them already. `what` is the name for messages, `output` the
 * stream for the progress.
 */
async function downloadWheels(folder, wheels, what, output = process.stderr) {
  const client = neededClient(what);
  makeFolder(folder);
  const total = sizeOf(wheels);
  let done = 0;
  for (const wheel of wheels) {
    const path = downloaded(folder, wheel);
    if (!path || (await sha256(path)) !== wheel.sha256) {
      if (path) rmSync(path);
      await download(client, folder, wheel, what, { done, total, output });
    }
    done += wheel.size;
  }
}

async function download(client, folder, wheel, what, { done, total, output }) {
  const temporary = join(folder, "tmp");
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary);
  const requirements = join(folder, "requirements.txt");
  writeFileSync(requirements, `${wheel.name}==${wheel.version} --hash=sha256:${wheel.sha256}\n`);

  const options = [
    "--quiet",
    "--disable-pip-version-check",
    "--no-deps",
    "--no-cache-dir",
    "--only-binary=:all:",
    "--require-hashes",
    ...retryOptions(client),
  ];
  // Any Python 3 may run pip, so Python version and platform of the wheels are given.
  const target = [
    "--implementation=cp",
    `--python-version=${pinned.python.version}`,
    `--abi=${pinned.python.abi}`,
    "--abi=none",
    `--platform=${wheel.tag}`,
  ];
  // A quiet pip keeps the reason of a failed connection to itself, and writes it to its log.
  const log = join(temporary, "pip.log");
  const files = ["--progress-bar=off", `--dest=${folder}`, `--requirement=${requirements}`, `--log=${log}`];

  // pip writes to its temporary folder first.
  const stopWatching = watchGrowth(temporary, { done, total }, `${what}: fetched`, output);
  try {
    const env = { TMPDIR: temporary };
    await python(client, what, ["pip", "download", ...options, ...target, ...files], { env, log });
  } finally {
    stopWatching();
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Unpacks the needed files of the downloaded wheels into `tree`, after comparing the SHA-256 of each wheel with the table. */
async function unpackWheels(folder, tree, wheels) {
  const client = neededClient(wheels[0].name);
  for (const wheel of wheels) {
    const path = downloaded(folder, wheel);
    if (!path) {
      const wanted = `${wheel.name} ${wheel.version}`;
      throw failure("ERR_LIBTORCH_FETCH", `pip was asked for ${wanted} and brought no such wheel.`);
    }
    const found = await sha256(path);
    if (found !== wheel.sha256) {
      rmSync(path);
      const text = `${path} is not the file that Stepwell was tested with: its SHA-256 is ${found} where ${wheel.sha256} was expected.`;
      throw failure("ERR_LIBTORCH_FETCH", `${text} Try again, or look at what your package index serves.`);
    }
    await python(client, wheel.name, ["unpack", path, tree, ...wheel.files]);
  }
}

/** The file of a wheel in a folder; undefined if it is not there. */
function downloaded(folder, wheel) {
  const start = `${wheel.name.replaceAll("-", "_")}-${wheel.version}-`;
  const file = readdirSync(folder).find((name) => name.startsWith(start) && name.includes(wheel.tag));
  return file && join(folder, file);
}

async function sha256(path) {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

function neededClient(what) {
  const client = pipClient();
  if (client) return client;
  throw failure("ERR_LIBTORCH_FETCH", `${what} was not fetched, since there is neither a Python 3 with pip nor uv.`);
}

/** Runs wheels.py. `log` is a file that says more about a failure. */
function python(client, what, args, { env = {}, log } = {}) {
  return new Promise((fulfil, reject) => {
    // The pipe to its standard input closes when this process ends, which ends the child too.
    const options = { env: { ...process.env, ...env }, stdio: ["pipe", "ignore", "pipe"] };
    const child = spawn(client.command, [...client.args, join(__dirname, "wheels.py"), ...args], options);
    let errorText = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      errorText += text;
    });
    child.on("error", reject);
    child.on("close", (status) => {
      if (status === 0) return fulfil();
      const logged = log && existsSync(log) ? readFileSync(log, "utf8") : "";
      const reason = reasonOf(client, args[0], errorText, logged);
      reject(failure("ERR_LIBTORCH_FETCH", `${what} was not fetched: ${reason}`));
    });
  });
}

module.exports = { downloadWheels, sizeOf, unpackWheels };
