// The one command that brings libtorch to this machine.

const { existsSync, readFileSync } = require("node:fs");
const { basename, dirname, join, resolve } = require("node:path");
const { programPath, pythons } = require("./python.js");

const read = (file) => JSON.parse(readFileSync(join(__dirname, file), "utf8"));
const platform = `${process.platform}-${process.arch}`;
const pinned = read("libtorch.json");

/** The file of a package manager in a project, its command, and the command for a project in another folder. */
const managers = {
  "pnpm-lock.yaml": ["pnpm add", (folder) => `pnpm add --dir ${folder}`],
  "yarn.lock": ["yarn add", (folder) => `yarn --cwd ${folder} add`],
  "bun.lock": ["bun add", (folder) => `bun add --cwd ${folder}`],
  "bun.lockb": ["bun add", (folder) => `bun add --cwd ${folder}`],
  "package-lock.json": ["npm install", (folder) => `npm install --prefix ${folder}`],
};

/** Programs of an operating system that bring pip, each with its commands. */
const systems = {
  "apt-get": ["apt-get update", "apt-get install -y python3-pip"],
  dnf: ["dnf install -y python3-pip"],
};

/**
 * The command that brings libtorch to this machine, as a sentence: its programs and files are here. `hasPip` says whether a Python with
 * pip was found.
 */
function installAdvice(env = process.env, hasPip = false) {
  const checkout = checkoutFolder();
  if (checkout) return `Run "npm run setup" in ${checkout}.`;
  if (!pinned.platforms[platform]) return `Set LIBTORCH to the folder of a libtorch ${pinned.version} for ${platform}.`;
  if (hasPip || programPath("uv", env)) return `Run "${fetchCommand()}".`;
  const spec = isFromFiles() ? libtorchTarball() : "@stepwell/libtorch";
  if (spec) return `Run "${addCommand()} ${quoted(spec)}".`;
  const commands = systemCommands(env);
  if (commands) return `Run "${[...commands, fetchCommand()].join(" && ")}".`;
  return `Nothing here can fetch it: install uv, or Python 3 with pip, and run "${fetchCommand()}".`;
}

/** Whether this package was installed from a file: it has the addon in itself, and a registry may not have it. */
const isFromFiles = () => existsSync(join(__dirname, "addon"));

/** The command that fetches libtorch by pip or uv. A registry has the program `stepwell` for npx, if the project has not. */
function fetchCommand() {
  const isHere = foldersUp(process.cwd()).some((folder) =>
    existsSync(join(folder, "node_modules", ".bin", "stepwell")),
  );
  if (isHere || !isFromFiles()) return "npx stepwell doctor --fetch";
  return `node ${quoted(join(__dirname, "fetch", "main.js"))}`;
}

/** The tarball of @stepwell/libtorch next to the ones that this project was installed from; undefined if there is none. */
function libtorchTarball() {
  const name = `stepwell-libtorch-${read("package.json").version}.tgz`;
  const projects = [projectFolder(), ...foldersUp(process.cwd())].filter((folder) => folder !== undefined);
  const folders = [process.cwd(), ...projects.flatMap((folder) => [folder, ...tarballFolders(folder)])];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** The folders of the tarballs that a project depends on. */
function tarballFolders(project) {
  let manifest;
  try {
    manifest = JSON.parse(readFileSync(join(project, "package.json"), "utf8"));
  } catch {
    return [];
  }
  const specs = ["dependencies", "devDependencies", "optionalDependencies"].flatMap((key) =>
    Object.values(manifest[key] ?? {}),
  );
  return specs
    .filter((spec) => typeof spec === "string" && spec.endsWith(".tgz") && !/^https?:/.test(spec))
    .map((spec) => dirname(resolve(project, spec.replace(/^file:/, ""))));
}

/** The folder of the project that this package is installed in; undefined for a link to a folder elsewhere. */
function projectFolder() {
  const folders = foldersUp(__dirname);
  const modules = folders.findLast((folder) => basename(folder) === "node_modules");
  return modules && dirname(modules);
}

/** The command by which the project adds a package, for the current folder. */
function addCommand() {
  const here = process.cwd();
  const project = projectFolder();
  const isInside = project === undefined || foldersUp(here).includes(project);
  const folder = foldersUp(isInside ? here : project).find((folder) => lockFile(folder));
  const [inside, elsewhere] = managers[(folder && lockFile(folder)) ?? "package-lock.json"];
  return isInside ? inside : elsewhere(quoted(project));
}

const lockFile = (folder) => Object.keys(managers).find((file) => existsSync(join(folder, file)));

/** A folder and those that it is in. */
function foldersUp(folder) {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...foldersUp(parent)];
}

/** The commands by which this user brings pip; undefined if there are none. */
function systemCommands(env) {
  const name = Object.keys(systems).find((name) => programPath(name, env));
  if (name === undefined) return undefined;
  if (process.getuid?.() === 0) return systems[name];
  return programPath("sudo", env) && systems[name].map((command) => `sudo ${command}`);
}

/** A path as a word of a shell. */
const quoted = (path) => (/^[\w@%+=:,./\\-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);

/** The command that installs Python's torch, as a sentence. */
function pipAdvice(env = process.env, option = "") {
  const install = `pip install ${option}torch==${pinned.version}`;
  const python = pythons.find((name) => programPath(name, env));
  // An environment that uv has made has no pip.
  const hasPip = python && (!env.VIRTUAL_ENV || programPath("pip", { PATH: join(env.VIRTUAL_ENV, "bin") }));
  if (!hasPip && programPath("uv", env)) return `Run "uv ${install}".`;
  return python ? `Run "${python} -m ${install}".` : `Install Python 3, and run "python3 -m ${install}".`;
}

/** The checkout of Stepwell that this package is in; undefined in an installed package. */
function checkoutFolder() {
  const folder = resolve(__dirname, "..", "..");
  return existsSync(join(folder, "scripts", "setup.mjs")) ? folder : undefined;
}

module.exports = { checkoutFolder, installAdvice, pipAdvice };
