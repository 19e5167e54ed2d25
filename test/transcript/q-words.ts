// The words of q itself that the page uses, as far as it uses them.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Sdk } from "./line.js";

/** `20 64#1e`: rows of ones. */
export function ones(rows: number, columns: number): number[][] {
  return Array.from({ length: rows }, () => new Array<number>(columns).fill(1));
}

/** `20?10`: random whole numbers below a bound. */
export function random(k: Sdk, count: number, below: number): number[] {
  return Array.from({ length: count }, () => k.randperm(below)[0] ?? 0);
}

/** `a~'b` of two dictionaries: whether the values of each key are the same. */
export function matchEach(a: object, b: object): { readonly [key: string]: boolean } {
  const other = new Map(Object.entries(b));
  return Object.fromEntries(Object.entries(a).map(([key, value]) => [key, isDeepStrictEqual(value, other.get(key))]));
}

/** `a~''b` of two tables: whether each cell is equal. */
export function matchCells(a: readonly object[], b: readonly object[]): unknown {
  return a.map((row, i) => matchEach(row, b[i] ?? {}));
}

const folder = mkdtempSync(join(tmpdir(), "stepwell-transcript-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const typedArrays = { Float32Array, Float64Array, BigInt64Array } as const;

/** `` `:/tmp/q set value ``: writes plain data to a file in a folder of this run, and returns its name. */
export function set(name: string, value: unknown): string {
  const text = JSON.stringify(value, (_, item) =>
    ArrayBuffer.isView(item)
      ? {
          type: item.constructor.name,
          bytes: Buffer.from(item.buffer, item.byteOffset, item.byteLength).toString("base64"),
        }
      : item,
  );
  writeFileSync(join(folder, basename(name)), text);
  return name;
}

/** `` get`:/tmp/q ``: reads it back. */
export function get<T>(name: string): T {
  return JSON.parse(readFileSync(join(folder, basename(name)), "utf8"), (_, item) => {
    const type = typedArrays[item?.type as keyof typeof typedArrays];
    return type ? new type(Uint8Array.from(Buffer.from(item.bytes, "base64")).buffer) : item;
  });
}
