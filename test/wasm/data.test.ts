import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const { withMarkedWords } = (await import(join(root, "scripts/wasm-data.mjs"))) as {
  withMarkedWords: (wasm: Uint8Array) => { marked: Uint8Array; start: string };
};
/** A global whose types are in the library of browsers, which the tests do not have. */
const { Instance, Module } = Reflect.get(globalThis, "WebAssembly") as {
  Module: new (code: Uint8Array) => object;
  Instance: new (module: object) => { exports: { memory: { buffer: ArrayBuffer } } };
};

const address = 4096;

/** The words of data as a module stores them, and as its memory has them after the start. */
function storedAndRestored(words: number[], rest = "") {
  const folder = mkdtempSync(join(tmpdir(), "stepwell-data-"));
  const path = (name: string) => join(folder, name);
  const program = (name: string, args: string[]) => execFileSync(join(root, "node_modules/.bin", name), args);
  try {
    const escaped = [...new Uint8Array(Uint32Array.from(words).buffer)].map(
      (byte) => `\\${byte.toString(16).padStart(2, "0")}`,
    );
    const declared = '(memory (export "memory") 1)';
    writeFileSync(
      path("engine.wat"),
      `(module ${declared} (data (i32.const ${address}) "${escaped.join("")}${rest}"))`,
    );
    program("wasm-as", [path("engine.wat"), "-o", path("engine.wasm")]);
    const before = readFileSync(path("engine.wasm"));
    const { marked, start } = withMarkedWords(before);
    writeFileSync(path("marked.wasm"), marked);
    writeFileSync(path("start.wat"), start);
    program("wasm-merge", [path("marked.wasm"), "engine", path("start.wat"), "start", "-o", path("merged.wasm")]);
    const { memory } = new Instance(new Module(readFileSync(path("merged.wasm")))).exports;
    const bytes = new Uint8Array(Uint32Array.from(words).buffer);
    const place = before.indexOf(bytes);
    const stored = Uint8Array.from(marked.subarray(place, place + bytes.length));
    return {
      stored: [...new Uint32Array(stored.buffer)],
      restored: [...new Uint32Array(memory.buffer, address, words.length)],
      text: Buffer.from(memory.buffer, address + bytes.length, rest.length).toString(),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it("stores an index after the last one, and an address after the last text, as a mark", () => {
  const text = address + 16;
  const words = [text, 3, 300, text + 3, 5, 301, text, 3, 301, text + 8, 4, 302, 7, 0, 303, 2 ** 32 - 1];
  const { stored, restored, text: after } = storedAndRestored(words, "add");
  const [index, next] = [1, 2];
  expect(stored).toEqual([text, 3, 300, next, 5, index, text, 3, 301, text + 8, 4, index, 7, 0, index, 2 ** 32 - 1]);
  expect(restored).toEqual(words);
  expect(after).toBe("add");
});

it("restores words of other data", () => {
  const few = Array.from({ length: 254 }, (_, word) => word);
  const ascending = Array.from({ length: 2048 }, (_, word) => 1000 + word);
  let seed = 1;
  const random = Array.from({ length: 4000 }, () => {
    seed = (seed * 48271) % 2147483647;
    return 256 + (seed % (seed % 3 === 0 ? 150 : address + 16000));
  });
  const words = [...few, ...ascending, ...random];
  expect(storedAndRestored(words).restored).toEqual(words);
});
