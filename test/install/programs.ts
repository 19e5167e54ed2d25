// The program that every project of the table runs: the example of the SDK's own page, in each form of a module.

import { readFileSync } from "node:fs";
import { join } from "node:path";

const isCompiled = import.meta.dirname.endsWith(join("dist", "install"));
/** The folder of the repository. */
export const root = join(import.meta.dirname, "..", "..", isCompiled ? ".." : ".");

const page = readFileSync(join(root, "packages", "sdk", "README.md"), "utf8");
const [, example = ""] = /```ts\n(import .*?)```/s.exec(page) ?? [];
if (!example.includes("prints: 0 1 1 0")) throw new Error("packages/sdk/README.md has no example that learns XOR.");

/** The example, which prints its classes, and the engine that ran. */
export const esm = `import { engine } from "@stepwell/sdk";\n${example}console.log(engine);\n`;

/** With `require`. In CommonJS `module` is a name of Node's, so that function is called as a member. */
export const commonJs = esm
  .replaceAll(/^import \{([^}]+)\} from "@stepwell\/sdk";$/gm, (_, names: string) => {
    const others = names.split(",").filter((name) => name.trim() !== "module");
    return `const {${others.join(",")}} = stepwell;`;
  })
  .replace(/^/, `const stepwell = require("@stepwell/sdk");\n`)
  .replaceAll(/\bmodule\(/g, "stepwell.module(");

const worker = `
  import { Worker } from "node:worker_threads";
  new Worker(new URL("./train.mjs", import.meta.url));
`;

/** The files of a project, by the form of the program. */
export const programs = { ESM: "train.mjs", CommonJS: "train.cjs", worker: "worker.mjs" } as const;
export const files: Readonly<Record<string, string>> = {
  "train.mjs": esm,
  "train.cjs": commonJs,
  "worker.mjs": worker,
};

/** The output of the program on an engine. */
export const trained = (engine: "native" | "rust" | "wasm") => `0 1 1 0\n${engine}\n`;
