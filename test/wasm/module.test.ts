import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";

const file = fileURLToPath(import.meta.resolve("@stepwell/wasm/stepwell.wasm"));
const bytes = readFileSync(file);
const disassembler = fileURLToPath(new URL("../node_modules/.bin/wasm-dis", import.meta.url));
const text = execFileSync(disassembler, ["--all-features", file], { encoding: "utf8", maxBuffer: 2 ** 30 });

// A standard library that came with the compiler says where in it a panic was. Ours says nothing, and is smaller.
const isOurs = !bytes.includes("library/core/src");

it("is small enough for a page", () => {
  expect(bytes.length).toBeLessThanOrEqual(isOurs ? 895_000 : 938_000);
  expect(gzipSync(bytes, { level: 9 }).length).toBeLessThanOrEqual(isOurs ? 329_900 : 347_700);
});

it.runIf(isOurs)("has the bytes of each part of the crates that families.json states", () => {
  const read = (url: string | URL): Record<string, number> => JSON.parse(readFileSync(new URL(url), "utf8"));
  const stated = read(new URL("families.json", import.meta.url));
  const found = read(new URL("../built/families.json", import.meta.resolve("@stepwell/wasm/stepwell.wasm")));
  // In bytes: compilers of other versions differ, and so do families whose functions are put into their callers.
  const most = (family: string) => Math.max(512, 0.03 * (stated[family] ?? 0));
  const families = [...new Set([...Object.keys(stated), ...Object.keys(found)])];
  const changed = families.filter((family) => Math.abs((found[family] ?? 0) - (stated[family] ?? 0)) > most(family));
  const update = "if this is meant, copy packages/wasm/built/families.json to test/wasm/families.json";
  const changes = changed.map((family) => `${family}: ${stated[family] ?? 0} stated, ${found[family] ?? 0} found`);
  expect(changes, update).toEqual([]);
});

it("formats numbers of floating point by JavaScript alone", () => {
  // The first powers of ten of Rust's own formatting, which takes 4,500 bytes after gzip. `Number` in messages avoids it.
  expect(bytes.includes(Buffer.from("df451a3d03cf1ae6", "hex"))).toBe(false);
});

it("computes with vectors, and not with the relaxed ones that Node 20 refuses", () => {
  const count = (instruction: RegExp) => text.match(instruction)?.length ?? 0;
  // Eleven formulas take a root, in each of two types; one that is not made of vectors would be missing here.
  expect(count(/\bf32x4\.sqrt\b/g)).toBeGreaterThanOrEqual(11);
  expect(count(/\bf64x2\.sqrt\b/g)).toBeGreaterThanOrEqual(11);
  expect(count(/\bf32x4\.mul\b/g)).toBeGreaterThan(100);
  expect(count(/\brelaxed_/g)).toBe(0);
});

it("may grow to 4 GiB less a page, and asks nobody for memory", () => {
  const imports = text.match(/\(import .*/g) ?? [];
  expect(imports.length).toBeGreaterThan(10);
  expect(imports.filter((line) => !line.includes("(func "))).toEqual([]);
  expect(text).toMatch(/\(memory (\$\S+ )?\d+ 65535\)/);
});

it("comes in a script too, for bundlers", async () => {
  const { default: base64 } = await import(
    new URL("inline.js", import.meta.resolve("@stepwell/wasm/stepwell.wasm")).href
  );
  expect(Buffer.from(base64, "base64").equals(bytes)).toBe(true);
});

it("evaluates no text as code", () => {
  for (const name of ["../built/engine.js", "../engine.js", "../inline.js", "../page.js", "../stack-probe.js"]) {
    const script = readFileSync(new URL(name, import.meta.resolve("@stepwell/wasm/stepwell.wasm")), "utf8");
    expect(script.match(/\beval\(|new Function\b|import\.meta|\bdocument\./), name).toBeNull();
  }
});
