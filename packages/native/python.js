// The torch of a Python program. The answer of Python is remembered in a file, since starting Python takes up to a second.

const { accessSync, closeSync, constants, fstatSync, openSync, readFileSync, readSync } = require("node:fs");
const { realpathSync, renameSync, rmSync, statSync, writeFileSync } = require("node:fs");
const { delimiter, dirname, isAbsolute, join } = require("node:path");
const { makeFolder } = require("./make-folder.js");

/** In entries: the Pythons of a user and their virtual environments, the newest first. */
const maxEntries = 32;
/** In bytes; 2 KiB for each entry. A larger file is not one of ours. */
const maxBytes = maxEntries * 2048;
/** In milliseconds; Python has hung if it takes longer. */
const timeout = 30_000;

/** Names of the Python 3 program, in the order in which they are tried. */
const pythons = ["python3", "python"];

/** Environment variables that change where Python looks for packages, or which Python a script of pyenv starts. */
const variables = ["PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "PYENV_VERSION"];

/** The path of a program, as a shell finds it; undefined if there is none. */
function programPath(name, env) {
  const file = process.platform === "win32" ? `${name}.exe` : name;
  const folders = (env.PATH ?? env.Path ?? "").split(delimiter).filter(isAbsolute);
  return folders.map((folder) => join(folder, file)).find(isProgram);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * The folder of the torch that this Python would import: `path`; otherwise `problem`, and `denied` if Node may not start Python.
 * `hasPip` says whether it has pip. `memory` is the file with the answers.
 */
function pythonTorch(name, env, memory) {
  const program = programPath(name, env);
  if (!program) return { problem: `there is no ${name}` };
  const key = keyOf(program, env);
  const entries = readEntries(memory);
  const known = key && entries.find((entry) => entry.key === key);
  if (known && versionTime(known.path) === known.time) return { path: known.path, hasPip: known.hasPip };

  const { path, hasPip, denied } = ask(program, env);
  if (denied) return { denied, problem: `Node may not start ${program}` };
  if (!path) return { hasPip, problem: `${program} has no torch` };
  const time = versionTime(path);
  if (key && time !== undefined) {
    const others = entries.filter((entry) => entry.key !== key);
    writeEntries(memory, [{ key, path, hasPip, time }, ...others].slice(0, maxEntries));
  }
  return { path, hasPip };
}

/**
 * Identifies the program by its path, its real path and the time of its last change. The Python of a virtual environment is a link
 * to the Python that made it, so the real path alone would not do. A script, as in pyenv, chooses a Python by the current folder.
 */
function keyOf(program, env) {
  try {
    const file = realpathSync(program);
    const folder = isScript(file) ? process.cwd() : null;
    return JSON.stringify([
      program,
      file,
      statSync(file).mtimeMs,
      folder,
      ...variables.map((name) => env[name] ?? null),
    ]);
  } catch {
    return undefined;
  }
}

function isScript(file) {
  const descriptor = openSync(file, "r");
  try {
    const start = Buffer.alloc(2);
    return readSync(descriptor, start) === 2 && start.toString("latin1") === "#!";
  } finally {
    closeSync(descriptor);
  }
}

/** The time of the last change of torch's version, which an installation writes; undefined if it cannot be read. */
function versionTime(path) {
  try {
    return statSync(join(path, "version.py")).mtimeMs;
  } catch {
    return undefined;
  }
}

/** Asks Python for the folder, and whether it has pip. torch is not imported, which would take seconds. */
function ask(program, env) {
  const { spawnSync } = require("node:child_process");
  // Without the current folder, which Python puts first on its path: a folder "torch" in it would be taken for the package.
  const code =
    "import sys; sys.path = [p for p in sys.path if p]\n" +
    "from importlib.util import find_spec; s = find_spec('torch'); print(s.submodule_search_locations[0] if s else '')\n" +
    "print('pip' if find_spec('pip') else '')";
  try {
    const { status, stdout } = spawnSync(program, ["-c", code], {
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout,
      killSignal: "SIGKILL",
    });
    const [path = "", pip] = status === 0 ? stdout.split(/\r?\n/) : [];
    return { path: isAbsolute(path) ? path : undefined, hasPip: pip === "pip" };
  } catch (error) {
    return { denied: error.code === "ERR_ACCESS_DENIED" };
  }
}

/** The entries of the file; none if it is damaged, or if another user can write it: it names code that is loaded. */
function readEntries(file) {
  let descriptor;
  try {
    // Neither a link nor a pipe, which would block.
    const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
    descriptor = openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const stat = fstatSync(descriptor);
    const isPrivate = !process.getuid || (stat.uid === process.getuid() && (stat.mode & 0o022) === 0);
    if (!stat.isFile() || stat.size > maxBytes || !isPrivate) return [];
    const { entries } = JSON.parse(readFileSync(descriptor, "utf8"));
    return entries.filter(isEntry).map(({ key, path, hasPip, time }) => ({ key, path, hasPip, time }));
  } catch {
    return [];
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function isEntry({ key, path, hasPip, time }) {
  const isAnswer = typeof path === "string" && isAbsolute(path) && typeof hasPip === "boolean";
  return typeof key === "string" && isAnswer && Number.isFinite(time);
}

/** Replaces the file by a rename. If it cannot be written, Python is asked again at the next start. */
function writeEntries(file, entries) {
  const fresh = `${file}.${process.pid}-${Math.random().toString(36).slice(2)}`;
  try {
    makeFolder(dirname(file));
    writeFileSync(fresh, JSON.stringify({ entries }), { flag: "wx", mode: 0o600 });
    renameSync(fresh, file);
  } catch {
    removeIfThere(fresh);
  }
}

function removeIfThere(file) {
  try {
    rmSync(file, { force: true });
  } catch {
    // No permission to write here at all.
  }
}

module.exports = { programPath, pythons, pythonTorch, timeout };
