// Values of an engine that belongs to another realm, as under Jest and in the contexts of `node:vm`. Its arrays are not
// instances of `Array` of this realm.

import type { BindingResult } from "../binding.js";

const typedArrays = { Float32Array, Float64Array, BigInt64Array, Uint8Array };

/** A value of an engine, made of arrays and objects of this realm. Elements are not copied. */
export function toThisRealm(value: BindingResult): BindingResult {
  if (typeof value !== "object" || value === null || value instanceof Object) return value;
  if (ArrayBuffer.isView(value)) return view(value);
  if (Array.isArray(value)) return Array.from(value, toThisRealm);
  const entries = Object.entries(value as { readonly [key: string]: BindingResult });
  return Object.fromEntries(
    entries.map(([key, item]) => [key, ArrayBuffer.isView(item) ? view(item) : toThisRealm(item)]),
  );
}

function view(array: ArrayBufferView): BindingResult {
  const name = Object.prototype.toString.call(array).slice(8, -1) as keyof typeof typedArrays;
  const { buffer, byteOffset, byteLength } = array;
  const Local = typedArrays[name];
  return new Local(buffer as ArrayBuffer, byteOffset, byteLength / Local.BYTES_PER_ELEMENT) as never;
}
