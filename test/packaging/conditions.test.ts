// The files that Node's resolver takes under the conditions of each platform.

import { spawnSync } from "node:child_process";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const packages = fileURLToPath(new URL("../../packages/", import.meta.url));

/** For pages and workers, for `import` elsewhere, and for `require`. */
const entries = [
  ["@stepwell/sdk", "sdk/dist/api/wasm.js", "sdk/import/index.mjs", "sdk/commonjs/dist/node/index.js"],
  ["@stepwell/sdk/wasm", "sdk/dist/api/wasm.js", "sdk/import/wasm.mjs", "sdk/commonjs/dist/wasm/wasm.js"],
  ["@stepwell/sdk/inline", "sdk/dist/api/inline.js", "sdk/import/wasm.mjs", "sdk/commonjs/dist/wasm/wasm.js"],
  ["@stepwell/wasm", "wasm/browser.js", "wasm/node.mjs", "wasm/commonjs/node.js"],
  ["@stepwell/wasm/inline", "wasm/inline.js", "wasm/node.mjs", "wasm/commonjs/node.js"],
] as const;

/** The file of a package, for `import` and for `require`, under a condition next to the default ones of Node. */
function resolved(name: string, condition: string): readonly string[] {
  const program = `
    import { createRequire } from "node:module";
    import { fileURLToPath } from "node:url";
    const from = ${JSON.stringify(import.meta.url)};
    console.log(fileURLToPath(import.meta.resolve("${name}")));
    console.log(createRequire(from).resolve("${name}"));
  `;
  const args = [...(condition ? ["--conditions", condition] : []), "--input-type=module", "--eval", program];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: import.meta.dirname, encoding: "utf8" });
  if (!stdout) expect.fail(stderr);
  return stdout
    .trimEnd()
    .split("\n")
    .map((path) => relative(packages, path).replaceAll("\\", "/"));
}

describe.each(entries)("%s", (name, page, imported, required) => {
  it.each(["browser", "worker"])("is the one of pages under the condition %s", (condition) => {
    expect(resolved(name, condition)).toEqual([page, page]);
  });

  it.each(["", "node", "deno", "bun"])("is the one of Node under the condition %j", (condition) => {
    expect(resolved(name, condition)).toEqual([imported, required]);
  });

  it("states each condition by name", async () => {
    const [, folder = "", ...rest] = name.split("/");
    const { default: manifest } = await import(`../../packages/${folder}/package.json`, { with: { type: "json" } });
    const conditions = manifest.exports[[".", ...rest].join("/")];
    expect(Object.keys(conditions)).toEqual(["browser", "worker", "deno", "bun", "node", "default"]);
  });
});
