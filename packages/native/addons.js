// Finds and loads the addons of this platform. A file that is at fault is an error with a remedy.

const { existsSync, readdirSync } = require("node:fs");
const { join } = require("node:path");
const { checkoutFolder } = require("./advice.js");
const { elfFault } = require("./elf.js");
const { failure, platform } = require("./libtorch.js");
const { loadFault } = require("./load-errors.js");

/** The path of an addon: in this package, or in the package of this platform, which a registry serves. */
function addonPath(file) {
  const own = join(__dirname, "addon", platform, file);
  if (existsSync(own)) return own;
  try {
    return require.resolve(`@stepwell/native-${platform}/${file}`);
  } catch {
    return own;
  }
}

/** The remedy for an addon that is absent or at fault. */
function addonAdvice() {
  const checkout = checkoutFolder();
  if (checkout) return `Run "npm run setup" in ${checkout}.`;
  return `Install a package @stepwell/native that was packed for ${platform}.`;
}

/** Requires one of the addons. */
function addon(file) {
  const path = addonPath(file);
  if (!existsSync(path)) throw failure("ERR_ADDON_NOT_FOUND", `${absence(path)}. ${addonAdvice()}`);
  return load(() => require(path), path, "ERR_ADDON_LOAD", addonAdvice);
}

/** Says which addons the package has instead. */
function absence(path) {
  const folder = join(__dirname, "addon");
  const others = existsSync(folder) ? readdirSync(folder).filter((name) => name !== platform) : [];
  const has = others.length > 0 ? `, only for ${others.join(", ")}` : "";
  return `@stepwell/native has no addon for ${platform}${has}: ${path} does not exist`;
}

/** Calls `open`, which loads a library. `advice` is the remedy if the file is at fault. */
function load(open, path, code, advice) {
  refuseFaulty(path, code, advice);
  try {
    return open();
  } catch (error) {
    const { reason, remedy = advice() } = loadFault(error);
    throw failure(code, `${path} cannot be loaded: ${reason}. ${remedy}`);
  }
}

/** Throws if the file is not a complete library for this process. */
function refuseFaulty(path, code, advice) {
  const fault = elfFault(path);
  if (fault) throw failure(code, `${path} cannot be loaded: it ${fault}. ${advice()}`);
}

exports.addon = addon;
exports.addonPath = addonPath;
exports.load = load;
exports.refuseFaulty = refuseFaulty;
