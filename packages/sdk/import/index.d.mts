// Types of the package, for `import`: those that `require` gives.

export * from "../commonjs/dist/node/index.js";
