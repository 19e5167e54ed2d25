// Finds libtorch on this machine. Nothing is fetched here: scripts/libtorch.mjs fills the cache that this file reads.

const { spawnSync } = require("node:child_process");
const { existsSync, readFileSync } = require("node:fs");
const { homedir } = require("node:os");
const { join, resolve } = require("node:path");

const platform = `${process.platform}-${process.arch}`;

/** The libtorch that Stepwell is built for, and the wheels that hold it. */
const pinned = JSON.parse(readFileSync(join(__dirname, "libtorch.json"), "utf8"));

/** The names under which Python 3 is asked for, the likelier first. */
const pythons = ["python3", "python"];

const libraryPrefix = process.platform === "win32" ? "" : "lib";
const librarySuffix = { win32: ".dll", darwin: ".dylib" }[process.platform] ?? ".so";

/** The path of one of libtorch's libraries, "torch_cpu" for example. */
function libraryPath(libtorch, name) {
  return join(libtorch, "lib", libraryPrefix + name + librarySuffix);
}

/** An Error that carries the stable code by which callers tell failures apart. */
function failure(code, message) {
  return Object.assign(new Error(message), { code });
}

/** The folder of this user for something that Stepwell keeps. */
function userFolder(name, env = process.env) {
  const base =
    process.platform === "win32"
      ? env.LOCALAPPDATA || join(homedir(), "AppData", "Local")
      : process.platform === "darwin"
        ? join(homedir(), "Library", "Caches")
        : env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return join(base, "stepwell", name);
}

/** The folder of this user that keeps the fetched libtorch: torch/ and, on Linux, nvidia/ beside it. */
function cacheFolder(env = process.env) {
  return userFolder(`libtorch-${pinned.version}-${platform}`, env);
}

/**
 * Finds libtorch in the order LIBTORCH, Python's torch, cache.
 * A LIBTORCH that does not fit is refused, never passed over: somebody chose it. Set `headers` to find one to build with.
 */
function findLibtorch({ env = process.env, headers = false } = {}) {
  if (env.LIBTORCH) {
    const path = resolve(env.LIBTORCH);
    const flaw = flawOf(path, headers);
    if (flaw) {
      const advice = `Point it at libtorch ${pinned.version} or unset it.`;
      throw failure(flaw.code, `LIBTORCH is set to ${path}, but ${flaw.text}. ${advice}`);
    }
    return { path, version: versionOf(path), source: "LIBTORCH" };
  }

  const tried = ["LIBTORCH is not set"];
  for (const python of pythons) {
    const path = pythonTorch(python, env);
    const flaw = path && flawOf(path, headers);
    if (path && !flaw) return { path, version: versionOf(path), source: "python" };
    tried.push(path ? `${python} has torch in ${path}, but ${flaw.text}` : `no torch in ${python}`);
  }

  const path = join(cacheFolder(env), "torch");
  const flaw = flawOf(path, headers);
  if (!flaw) return { path, version: versionOf(path), source: "cache" };
  tried.push(`the cache: ${flaw.text}`);

  throw failure(
    "ERR_LIBTORCH_NOT_FOUND",
    `libtorch ${pinned.version} was not found. Tried: ${tried.join("; ")}. ` +
      `Set LIBTORCH to an unpacked libtorch ${pinned.version}, or run "pip install torch==${pinned.version}", ` +
      `or, in Stepwell's repository, "npm run setup", which fetches it.`,
  );
}

/** Why the folder cannot serve as libtorch (`code` and `text`), or undefined when it can. */
function flawOf(path, headers) {
  const missing = [libraryPath(path, "c10"), libraryPath(path, "torch_cpu")].find((file) => !existsSync(file));
  if (missing) return { code: "ERR_LIBTORCH_NOT_FOUND", text: `${missing} does not exist` };

  const version = versionOf(path);
  if (!version) {
    return { code: "ERR_LIBTORCH_VERSION", text: "it has neither build-version nor version.py to tell its version" };
  }
  // "2.11.0+cu130" and "2.11.0+cpu" are the same libtorch to us: the part after + names its build.
  if (version.split("+")[0] !== pinned.version) {
    return { code: "ERR_LIBTORCH_VERSION", text: `its version is ${version} where ${pinned.version} is needed` };
  }

  const header = join(path, "include", "torch", "csrc", "api", "include", "torch", "torch.h");
  if (headers && !existsSync(header)) return { code: "ERR_LIBTORCH_NOT_FOUND", text: `${header} does not exist` };
  return undefined;
}

/** The version, from the file of a libtorch archive or else from that of a Python wheel. */
function versionOf(path) {
  const archive = join(path, "build-version");
  if (existsSync(archive)) return readFileSync(archive, "utf8").trim();
  const wheel = join(path, "version.py");
  if (existsSync(wheel)) return /^__version__ = '(.+)'/m.exec(readFileSync(wheel, "utf8"))?.[1];
  return undefined;
}

/** The folder of the torch that this Python would import. It is not imported: that takes seconds. */
function pythonTorch(python, env) {
  // Python puts the current folder first on its path, where a folder named "torch" would pass for the package.
  const program =
    "import sys; sys.path = [p for p in sys.path if p]\n" +
    "from importlib.util import find_spec; s = find_spec('torch'); print(s.submodule_search_locations[0] if s else '')";
  const { status, stdout } = spawnSync(python, ["-c", program], {
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return (status === 0 && stdout.trim()) || undefined;
}

module.exports = { cacheFolder, failure, findLibtorch, flawOf, libraryPath, pinned, platform, pythons, userFolder };
