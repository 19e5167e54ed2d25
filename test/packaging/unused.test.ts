// A bundler drops functions and classes that a program does not import, and keeps the start of the engine.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";
import { afterAll, expect, it } from "vitest";

// In a folder of this package, so that the programs find the packages.
const folder = mkdtempSync(join(import.meta.dirname, "dist-bundle-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Bundles a program for a page, without the engine, and returns the text of the bundle. */
async function bundle(name: string, program: string): Promise<string> {
  writeFileSync(join(folder, `${name}.js`), program);
  const [output] = [
    await build({
      root: folder,
      configFile: false,
      logLevel: "silent",
      build: {
        write: false,
        minify: false,
        lib: { entry: join(folder, `${name}.js`), formats: ["es"] },
        rollupOptions: { external: ["@stepwell/wasm"] },
      },
    }),
  ].flat();
  if (!output || !("output" in output)) return expect.fail("nothing was built");
  return output.output.map((chunk) => ("code" in chunk ? chunk.code : "")).join("\n");
}

const sum = "const x = tensor([1, 2]);\nconsole.log(JSON.stringify(tensor(x)));\n";

/** Texts of the bundle that only some imports need. */
const parts = {
  "a training": "a training of this module, optimizer or parameters is running",
  "regular expressions": "expected a regular expression without references back",
  "options of fit": "fit: earlystop",
  schedules: "schedules.onecycle",
  "a loss": 'call("bcewithlogits"',
};

const rows: readonly (readonly [name: string, program: string, has: readonly (keyof typeof parts)[]])[] = [
  ["functions", `import { tensor } from "@stepwell/sdk";\n${sum}`, []],
  ["wasm", `import { tensor } from "@stepwell/sdk/wasm";\n${sum}`, []],
  ["namespace", `import * as k from "@stepwell/sdk";\n${sum.replaceAll("tensor(", "k.tensor(")}`, []],
  ["tensors", `import { Tensor, tensor } from "@stepwell/sdk";\nglobalThis.Tensor = Tensor;\n${sum}`, ["a loss"]],
  [
    "builders",
    `import { optimizer, tensor } from "@stepwell/sdk";\nglobalThis.optimizer = optimizer;\n${sum}`,
    ["a loss", "regular expressions"],
  ],
  [
    "models",
    `import { Model, tensor } from "@stepwell/sdk";\nglobalThis.Model = Model;\n${sum}`,
    ["a loss", "a training", "options of fit"],
  ],
];

it.each(rows)("a program of %s has the parts that it needs, and runs", async (name, program, has) => {
  const text = await bundle(name, program);
  const found = Object.entries(parts).filter(([, part]) => text.includes(part));
  expect(found.map(([what]) => what).sort()).toEqual([...has].sort());
  const file = join(folder, `${name}.bundle.mjs`);
  writeFileSync(file, text);
  expect(execFileSync(process.execPath, [file], { encoding: "utf8" })).toBe("[1,2]\n");
});
