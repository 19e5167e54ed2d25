// The bytes that a page sends, as docs/guides/bundlers.md states them.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { afterAll, expect, it } from "vitest";

// In a folder of this package, so that the programs find the packages.
const folder = mkdtempSync(join(import.meta.dirname, "dist-bundle-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A table with a row for each program. A stale row is written. */
const guide = join(import.meta.dirname, "../../docs/guides/bundlers.md");

const programs = {
  "`@stepwell/sdk`, functions of a training": `
    import { backward, forward, free, module, mse, opt, ready, step, tensor } from "@stepwell/sdk";
    globalThis.run = async () => {
      await ready();
      const m = module(["linear", 1, 1]);
      const o = opt("adam", m);
      const loss = mse(forward(m, tensor([[1]])), [[2]]);
      backward(loss);
      step(o);
      free();
    };`,
  "`@stepwell/sdk`, everything": 'import * as k from "@stepwell/sdk"; globalThis.k = { ...k };',
  "`@stepwell/sdk/inline`, everything": 'import * as k from "@stepwell/sdk/inline"; globalThis.k = { ...k };',
} as const;

/** The files of a page that Vite has built, in kB of 1000 bytes after gzip -9: scripts, and modules of WebAssembly. */
async function sizes(program: string): Promise<readonly [scripts: number, modules: number]> {
  writeFileSync(join(folder, "main.js"), program);
  writeFileSync(join(folder, "index.html"), '<script type="module" src="./main.js"></script>');
  const built = [
    await build({ root: folder, configFile: false, logLevel: "silent", build: { write: false } }),
  ].flat()[0];
  if (!built || !("output" in built)) return expect.fail("nothing was built");
  const bytes = (ending: string) =>
    built.output
      .filter(({ fileName }) => fileName.endsWith(ending))
      .map((file) => gzipSync("code" in file ? file.code : file.source, { level: 9 }).length)
      .reduce((sum, size) => sum + size, 0);
  return [bytes(".js") / 1000, bytes(".wasm") / 1000];
}

it.each(Object.entries(programs))("%s takes what its row says", async (name, program) => {
  const text = readFileSync(guide, "utf8");
  const row = text.split("\n").find((line) => line.startsWith(`| ${name} `)) ?? expect.fail(`no row ${name}`);
  const [entry = "", ...cells] = row.split("|").slice(1, 5);
  const stated = cells.map(Number);
  const [scripts, modules] = await sizes(program);
  const measured = [scripts, modules, scripts + modules];
  // Within 2 kB, so that a small change does not need a new table. The gzip of base64 varies more: by 2 percent.
  const isStale = measured.some((size, index) => Math.abs(size - (stated[index] ?? 0)) > Math.max(2, 0.02 * size));
  const fresh = measured.map((size, index) => ` ${size ? Math.round(size) : ""}`.padEnd(cells[index]?.length ?? 0));
  if (isStale) writeFileSync(guide, text.replace(row, `|${[entry, ...fresh].join("|")}|`));
  expect(isStale, `stated ${stated}, measured ${measured}`).toBe(false);
});
