// Finds libtorch on this machine. The folder fetch puts it into the cache that this file reads.

const { existsSync, readFileSync } = require("node:fs");
const { homedir } = require("node:os");
const { join, resolve } = require("node:path");
const { installAdvice } = require("./advice.js");
const { pythons, pythonTorch } = require("./python.js");

const platform = `${process.platform}-${process.arch}`;

/** The version of libtorch that Stepwell is built for, and the wheels that contain it. */
const pinned = JSON.parse(readFileSync(join(__dirname, "libtorch.json"), "utf8"));

/** The library by which processes exchange tensors of GPUs, in the folder of the addon. scripts/nccl.mjs builds it. */
const nccl = "libstepwell_nccl.so";

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

/** A file or folder in the cache of this user. */
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
 * Finds libtorch in the order LIBTORCH, package @stepwell/libtorch, cache, Python's torch.
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
  const packaged = packagedLibtorch();
  const packagedFault = packaged.path && libtorchFault(packaged.path, headers);
  if (packaged.path && !packagedFault) {
    return { path: packaged.path, version: versionOf(packaged.path), source: "package" };
  }
  tried.push(packagedFault ? `in @stepwell/libtorch ${packagedFault.text}` : packaged.problem);

  const cached = join(cacheFolder(env), "torch");
  const fault = libtorchFault(cached, headers);
  if (!fault) return { path: cached, version: versionOf(cached), source: "cache" };
  tried.push(`in the cache ${fault.text}`);

  let denied = false;
  let hasPip = false;
  for (const python of pythons) {
    const answer = pythonTorch(python, env, userFolder("python.json", env));
    const fault = answer.path && libtorchFault(answer.path, headers);
    if (answer.path && !fault) return { path: answer.path, version: versionOf(answer.path), source: "python" };
    tried.push(answer.path ? `${python} has torch in ${answer.path}, but ${fault.text}` : answer.problem);
    denied ||= answer.denied === true;
    hasPip ||= answer.hasPip === true;
  }

  const advice = denied ? "Run Node with --allow-child-process, or set LIBTORCH." : installAdvice(env, hasPip);
  throw failure("ERR_LIBTORCH_NOT_FOUND", `libtorch ${pinned.version} was not found: ${tried.join("; ")}. ${advice}`);
}

/** The folder of an installed package @stepwell/libtorch, or the reason for which there is none. */
function packagedLibtorch() {
  try {
    const { path } = require("@stepwell/libtorch");
    return path ? { path } : { problem: `@stepwell/libtorch has no libtorch for ${platform}` };
  } catch (error) {
    if (error.code === "MODULE_NOT_FOUND") return { problem: "@stepwell/libtorch is not installed" };
    return { problem: `@stepwell/libtorch cannot be read: ${error.message}` };
  }
}

/** The reason why the folder cannot be used as libtorch (`code` and `text`); undefined if it can. */
function libtorchFault(path, headers) {
  const files = [libraryPath(path, "c10"), libraryPath(path, "torch_cpu")];
  const unreadable = files.find((file) => process.permission?.has("fs.read", file) === false);
  if (unreadable) {
    return {
      code: "ERR_LIBTORCH_NOT_FOUND",
      text: `Node may not read ${unreadable}, which --allow-fs-read=${path} allows`,
    };
  }
  const missing = files.find((file) => !existsSync(file));
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

module.exports = {
  cacheFolder,
  failure,
  findLibtorch,
  libtorchFault,
  libraryPath,
  nccl,
  pinned,
  platform,
  userFolder,
};
