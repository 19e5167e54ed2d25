// The engine for Node, which reads the module from the folder of this package, or from the folder of a bundle.

// A bundle of ES modules has no `require` for modules of Node.
const { TextDecoder, TextEncoder } = process.getBuiltinModule("node:util");
// The environment jsdom of test runners lacks these classes, which the JavaScript side of the module needs.
globalThis.TextDecoder ??= TextDecoder;
globalThis.TextEncoder ??= TextEncoder;

const { engineOf } = require("./dist/engine.js");
const { failure } = require("./dist/failure.js");

const { existsSync, readFileSync } = process.getBuiltinModule("node:fs");
const { createRequire } = process.getBuiltinModule("node:module");
const { dirname, join, resolve } = process.getBuiltinModule("node:path");

/** The folder of the script that Node was started with. */
const main = dirname(resolve(process.argv[1] ?? ""));
/** The folder of this file, or of the script that a bundler has put it in. */
const folder = typeof __dirname === "string" ? __dirname : main;
// Some bundlers keep the path of a source, in a folder that does not exist.
const isBundled = !(/[\\/]wasm[\\/]commonjs$/.test(folder) && existsSync(folder));

/** The path of stepwell.wasm: in this package, next to a bundle, or in the package that a bundle finds. */
function find() {
  const places = [join(folder, "..", "built", "stepwell.wasm"), join(folder, "stepwell.wasm")];
  const found = [...places.filter(existsSync), ...[folder, main].map(installed)].find(Boolean);
  if (found) return found;
  const copy = "node_modules/@stepwell/wasm/built/stepwell.wasm into that folder";
  const advice = isBundled
    ? `Make @stepwell/sdk external for the bundler, or copy ${copy}.`
    : "Install @stepwell/wasm again.";
  const reason = `${isBundled ? join(folder, "stepwell.wasm") : places[0]} does not exist`;
  throw failure("ERR_ENGINE", `the WebAssembly engine cannot be started: ${reason}. ${advice}`);
}

/** The module of the package that files of a folder find. */
function installed(from) {
  try {
    return createRequire(join(from, "bundle.js")).resolve("@stepwell/wasm/stepwell.wasm");
  } catch {
    return undefined;
  }
}

function read() {
  const path = find();
  try {
    return readFileSync(path);
  } catch (error) {
    throw failure("ERR_ENGINE", `the WebAssembly engine cannot be started: ${error.message}`, error);
  }
}

exports.open = engineOf({ read }).open;
