// Prints the milliseconds that a fresh process takes to load libtorch_cpu alone, or to import the SDK.

import { createRequire } from "node:module";
import { findLibtorch, libraryPath, platform } from "@stepwell/native/libtorch";

const starts: Readonly<Record<string, () => () => Promise<unknown>>> = {
  libtorch: () => {
    const native = new URL(import.meta.resolve("@stepwell/native"));
    const require = createRequire(native);
    const { preload } = require(`./addon/${platform}/preload.node`) as { preload(path: string): void };
    const library = libraryPath(findLibtorch().path, "torch_cpu");
    return async () => preload(library);
  },
  sdk: () => () => import("@stepwell/sdk"),
};

const prepare = starts[process.argv[2] ?? ""];
if (!prepare) throw new Error(`expected one of ${Object.keys(starts).join(", ")}`);
const run = prepare();
const start = performance.now();
await run();
console.log(performance.now() - start);
