// The engine for Node, which reads the module from the folder of this package.

const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { engineOf } = require("./dist/engine.js");

exports.open = engineOf(() => readFileSync(join(__dirname, "..", "built", "stepwell.wasm"))).open;
