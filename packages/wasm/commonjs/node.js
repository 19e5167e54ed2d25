// The engine for Node, which reads the module from the folder of this package, or from the folder of a bundle.

const { engineOf } = require("./dist/engine.js");
const { failure } = require("./dist/failure.js");

// A bundle of ES modules has no `require` for modules of Node.
const { existsSync, readFileSync } = process.getBuiltinModule("node:fs");
const { createRequire } = process.getBuiltinModule("node:module");
const { dirname, join, resolve } = process.getBuiltinModule("node:path");

/** The folder of this file, or of the script that a bundler has moved it to. */
const folder = typeof __dirname === "string" ? __dirname : dirname(resolve(process.argv[1] ?? ""));

/** The path of stepwell.wasm: in this package, next to a bundle, or in the package that a bundle finds. */
function find() {
  const near = [join(folder, "..", "built", "stepwell.wasm"), join(folder, "stepwell.wasm")].find(existsSync);
  if (near) return near;
  try {
    return createRequire(join(folder, "bundle.js")).resolve("@stepwell/wasm/stepwell.wasm");
  } catch (error) {
    const advice = "external for the bundler, or copy node_modules/@stepwell/wasm/built/stepwell.wasm into that folder";
    throw failure(
      "ERR_ENGINE",
      `stepwell.wasm is not in ${folder}: make @stepwell/sdk and @stepwell/wasm ${advice}`,
      error,
    );
  }
}

function read() {
  const path = find();
  try {
    return readFileSync(path);
  } catch (error) {
    throw failure("ERR_ENGINE", `${path} cannot be read: ${error.message}`, error);
  }
}

exports.open = engineOf({ read }).open;
