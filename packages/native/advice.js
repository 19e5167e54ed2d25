// The one command that brings libtorch to this machine.

const { existsSync, readFileSync } = require("node:fs");
const { dirname, join, resolve } = require("node:path");
const { programPath, pythons } = require("./python.js");

const read = (file) => JSON.parse(readFileSync(join(__dirname, file), "utf8"));
const platform = `${process.platform}-${process.arch}`;
const pinned = read("libtorch.json");

/** The file of a package manager in a project, and its command. */
const managers = {
  "pnpm-lock.yaml": "pnpm add",
  "yarn.lock": "yarn add",
  "bun.lock": "bun add",
  "bun.lockb": "bun add",
};

/** The command that brings libtorch to this machine, as a sentence. `hasPip` says whether a Python with pip was found. */
function installAdvice(env = process.env, hasPip = false) {
  const checkout = checkoutFolder();
  if (checkout) return `Run "npm run setup" in ${checkout}.`;
  if (!pinned.platforms[platform]) return `Set LIBTORCH to the folder of a libtorch ${pinned.version} for ${platform}.`;
  // Packages that were installed from files have the addon in themselves, and a registry may not have them.
  const isFromFiles = existsSync(join(__dirname, "addon"));
  if (hasPip || programPath("uv", env)) {
    if (isFromFiles && !hasCommandLine()) return pipAdvice(env);
    return 'Run "npx stepwell doctor --fetch".';
  }
  const spec = isFromFiles ? `./stepwell-libtorch-${read("package.json").version}.tgz` : "@stepwell/libtorch";
  return `Run "${addCommand()} ${spec}".`;
}

/** Whether the project has installed the program `stepwell`, which npx then runs. */
function hasCommandLine() {
  try {
    require.resolve("@stepwell/cli/package.json", { paths: [process.cwd(), __dirname] });
    return true;
  } catch {
    return false;
  }
}

/** The command by which this project adds a package. */
function addCommand() {
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const lock = Object.keys(managers).find((file) => existsSync(join(folder, file)));
    if (lock) return managers[lock];
    if (existsSync(join(folder, "package-lock.json")) || folder === dirname(folder)) return "npm install";
  }
}

/** The command that installs Python's torch, as a sentence. */
function pipAdvice(env = process.env, option = "") {
  const install = `pip install ${option}torch==${pinned.version}`;
  const python = pythons.find((name) => programPath(name, env));
  // An environment that uv has made has no pip.
  const hasPip = !env.VIRTUAL_ENV || programPath("pip", { PATH: join(env.VIRTUAL_ENV, "bin") }) !== undefined;
  if (!hasPip && programPath("uv", env)) return `Run "uv ${install}".`;
  return python ? `Run "${python} -m ${install}".` : `Install Python 3, and run "python3 -m ${install}".`;
}

/** The checkout of Stepwell that this package is in; undefined in an installed package. */
function checkoutFolder() {
  const folder = resolve(__dirname, "..", "..");
  return existsSync(join(folder, "scripts", "setup.mjs")) ? folder : undefined;
}

module.exports = { checkoutFolder, installAdvice, pipAdvice };
