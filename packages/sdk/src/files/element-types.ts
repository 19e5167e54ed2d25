// The element types of safetensors, and the typed arrays of those that tensors have here.

import type { TypedTensor } from "../binding.js";

/** Bits of an element, by the word of its type. */
const bits: ReadonlyMap<string, number> = new Map([
  ...["F4"].map((word) => [word, 4] as const),
  ...["F6_E2M3", "F6_E3M2"].map((word) => [word, 6] as const),
  ...["BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"].map(
    (word) => [word, 8] as const,
  ),
  ...["I16", "U16", "F16", "BF16"].map((word) => [word, 16] as const),
  ...["I32", "U32", "F32"].map((word) => [word, 32] as const),
  ...["C64", "F64", "I64", "U64"].map((word) => [word, 64] as const),
]);

/** The bits of an element of a type; undefined for a word that the format does not have. */
export const bitsOf = (word: string): number | undefined => bits.get(word);

const words = { float: "F32", double: "F64", half: "F16", bfloat16: "BF16", long: "I64", bool: "BOOL" } as const;

/** An element type that tensors have here. */
export type ElementName = keyof typeof words;

/** The word of safetensors for an element type. */
export const wordOf = (name: ElementName): string => words[name];

/** The element type of a word; undefined if tensors do not have it. */
export const elementNameOf = (word: string): ElementName | undefined =>
  (Object.keys(words) as ElementName[]).find((name) => words[name] === word);

/** The element type of an array. */
export function elementNameOfArray({ data, dtype }: TypedTensor): ElementName {
  if (dtype !== undefined) return dtype;
  return data instanceof BigInt64Array ? "long" : data instanceof Float64Array ? "double" : "float";
}

/** The bytes of elements, the lowest of each first. */
export function bytesOf(array: TypedTensor): Uint8Array {
  const { data } = array;
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** An array of bytes, which are copied, so that elements are where a typed array can have them. */
export function arrayOf(name: ElementName, bytes: Uint8Array, shape: readonly number[]): TypedTensor {
  const copy = bytes.slice();
  switch (name) {
    case "float":
      return { data: new Float32Array(copy.buffer), shape };
    case "double":
      return { data: new Float64Array(copy.buffer), shape };
    case "long":
      return { data: new BigInt64Array(copy.buffer), shape };
    case "bool":
      return { data: copy.map((byte) => (byte === 0 ? 0 : 1)), shape, dtype: name };
    case "bfloat16":
      return {
        data: new Float32Array(Uint32Array.from(new Uint16Array(copy.buffer), (x) => x << 16).buffer),
        shape,
        dtype: name,
      };
    case "half":
      return { data: Float32Array.from(new Uint16Array(copy.buffer), widened), shape, dtype: name };
  }
}

/** The value of the bits of a number of 16 bits, IEEE 754. */
function widened(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(half >> 10) & 31, half & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}
