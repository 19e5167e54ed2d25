// The engine for Node, for `import`: the one that `require` gives.

export { open } from "./commonjs/node.js";
