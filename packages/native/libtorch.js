// Finds libtorch on this machine. scripts/libtorch.mjs fetches it into the cache that this file reads.

const { spawnSync } = require("node:child_process");
const { existsSync, readFileSync } = require("node:fs");
const { homedir } = require("node:os");
const { join, resolve } = require("node:path");

const platform = `${process.platform}-${process.arch}`;

/** The version of libtorch that Stepwell is built for, and the wheels that contain it. */
const pinned = JSON.parse(readFileSync(join(__dirname, "libtorch.json"), "utf8"));

/** Names of the Python 3 program, in the order in which they are tried. */
const pythons = ["python3", "python"];

const libraryPrefix = process.platform === "win32" ? "" : "lib";
const librarySuffix = { win32: ".dll", darwin: ".dylib" }[process.platform] ?? ".so";

/** The path of a library of libtorch, such as "torch_cpu". */
function libraryPath(libtorch, name) {
  return join(libtorch, "lib", libraryPrefix + name + librarySuffix);
}

/** An Error with a stable code, by which callers distinguish failures. */
function failure(code, message) {
  return Object.assign(new Error(message), { code });
}

/** A folder in the cache of this user. */
function userFolder(name, env = process.env) {
  const base =
    process.platform === "win32"
      ? env.LOCALAPPDATA || join(homedir(), "AppData", "Local")
      : process.platform === "darwin"
        ? join(homedir(), "Library", "Caches")
        : env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return join(base, "stepwell", name);
}

/** The folder of the fetched libtorch: torch/ and, on Linux, nvidia/. */
function cacheFolder(env = process.env) {
  return userFolder(`libtorch-${pinned.version}-${platform}`, env);
}

/**
 * Finds libtorch in the order LIBTORCH, Python's torch, cache.
 *
 * If LIBTORCH is set but does not fit, throws instead of trying the next, since the user chose it. With `headers`, finds one that
 * can be built against.
 */
function findLibtorch({ env = process.env, headers = false } = {}) {
  if (env.LIBTORCH) {
    const path = resolve(env.LIBTORCH);
    const fault = libtorchFault(path, headers);
    if (fault) {
      const advice = `Point it at libtorch ${pinned.version} or unset it.`;
      throw failure(fault.code, `LIBTORCH is set to ${path}, but ${fault.text}. ${advice}`);
    }
    return { path, version: versionOf(path), source: "LIBTORCH" };
  }

  const tried = ["LIBTORCH is not set"];
  for (const python of pythons) {
    const path = pythonTorch(python, env);
    const fault = path && libtorchFault(path, headers);
    if (path && !fault) return { path, version: versionOf(path), source: "python" };
    tried.push(path ? `${python} has torch in ${path}, but ${fault.text}` : `no torch in ${python}`);
  }

  const path = join(cacheFolder(env), "torch");
  const fault = libtorchFault(path, headers);
  if (!fault) return { path, version: versionOf(path), source: "cache" };
  tried.push(`the cache: ${fault.text}`);

  throw failure(
    "ERR_LIBTORCH_NOT_FOUND",
    `libtorch ${pinned.version} was not found. Tried: ${tried.join("; ")}. ` +
      `Set LIBTORCH to an unpacked libtorch ${pinned.version}, or run "pip install torch==${pinned.version}", ` +
      `or, in Stepwell's repository, "npm run setup", which fetches it.`,
  );
}

/** The reason why the folder cannot be used as libtorch (`code` and `text`); undefined if it can. */
function libtorchFault(path, headers) {
  const missing = [libraryPath(path, "c10"), libraryPath(path, "torch_cpu")].find((file) => !existsSync(file));
  if (missing) return { code: "ERR_LIBTORCH_NOT_FOUND", text: `${missing} does not exist` };

  const version = versionOf(path);
  if (!version) {
    return {
      code: "ERR_LIBTORCH_VERSION",
      text: "it has neither build-version nor version.py, which state its version",
    };
  }
  // "2.11.0+cu130" and "2.11.0+cpu" both fit: the part after + is the build.
  if (version.split("+")[0] !== pinned.version) {
    return { code: "ERR_LIBTORCH_VERSION", text: `its version is ${version} where ${pinned.version} is needed` };
  }

  const header = join(path, "include", "torch", "csrc", "api", "include", "torch", "torch.h");
  if (headers && !existsSync(header)) return { code: "ERR_LIBTORCH_NOT_FOUND", text: `${header} does not exist` };
  return undefined;
}

/** The version, from a file of the libtorch archive, or from one of the Python wheel. */
function versionOf(path) {
  const archive = join(path, "build-version");
  if (existsSync(archive)) return readFileSync(archive, "utf8").trim();
  const wheel = join(path, "version.py");
  if (existsSync(wheel)) return /^__version__ = '(.+)'/m.exec(readFileSync(wheel, "utf8"))?.[1];
  return undefined;
}

/** The folder of the torch that this Python would import. It is not imported, which would take seconds. */
function pythonTorch(python, env) {
  // Without the current folder, which Python puts first on its path: a folder "torch" in it would be taken for the package.
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

module.exports = {
  cacheFolder,
  failure,
  findLibtorch,
  libtorchFault,
  libraryPath,
  pinned,
  platform,
  pythons,
  userFolder,
};
