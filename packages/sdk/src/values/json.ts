// Definitions and states through JSON, exactly. JSON has no typed arrays, no numbers that are not finite and no -0, and would
// keep something else of them. So what the engine tells has a `toJSON` where JSON would change it, and what that made is
// understood where arguments are taken.

import type { TypedTensor } from "./binding.js";
import { StepwellError } from "./errors.js";

/** A tensor in JSON: the bytes of its elements, the lowest of each first, in base64. */
export interface JsonTensor {
  readonly dtype: "float" | "double" | "half" | "bfloat16" | "long";
  readonly shape: readonly number[];
  readonly data: string;
}

/** A number that JSON has no word for. */
export interface JsonNumber {
  readonly number: "NaN" | "Infinity" | "-Infinity" | "-0";
}

/** The arrays that elements of a type come in; those of 16 bits come in one of 32. */
const arrays = {
  float: Float32Array,
  double: Float64Array,
  half: Float32Array,
  bfloat16: Float32Array,
  long: BigInt64Array,
} as const;

const numbers: ReadonlyMap<unknown, number> = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["-0", -0],
]);

/** Whole groups of three bytes, of which base64 makes four letters. */
const BYTES = 3 * 2 ** 13;
const LETTERS = (BYTES / 3) * 4;

/** What the engine has told, with a `toJSON` wherever JSON would change it. It is no property that is copied or compared. */
export function withJson<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  if (isTensor(value)) return withMethod(value, tensorToJson);
  const items: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  if (items.some(isUnknownToJson)) withMethod(value, numbersToJson);
  for (const item of items) withJson(item);
  return value;
}

/** What `toJSON` made, as it was, for a call; anything else as it is. */
export function fromJson<Value extends object>(where: string, given: Value): Value | TypedTensor | number {
  const own = (key: string): unknown => (Object.hasOwn(given, key) ? given[key as keyof Value] : undefined);
  const [data, shape, number] = [own("data"), own("shape"), own("number")];
  if (number !== undefined && Object.keys(given).length === 1) return numbers.get(number) ?? given;
  if (!Array.isArray(shape)) return given;
  if (typeof data === "string") return tensorFromJson(where, data, shape, own("dtype"));
  if (typeof data !== "object" || data === null || Array.isArray(data) || ArrayBuffer.isView(data)) return given;
  if (!Object.hasOwn(data, 0) && Object.keys(data).length > 0) return given;
  throw malformed(
    where,
    "of a typed array it has made an object with a key for each element, and of some numbers nothing",
  );
}

function isTensor(value: object): value is TypedTensor {
  return "data" in value && "shape" in value && ArrayBuffer.isView(value.data);
}

function isUnknownToJson(value: unknown): boolean {
  return typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0));
}

function withMethod<Value extends object>(value: Value, toJSON: (this: Value) => unknown): Value {
  return Object.defineProperty(value, "toJSON", { value: toJSON, configurable: true, writable: true });
}

function tensorToJson(this: TypedTensor): JsonTensor {
  const { data, shape, dtype } = this;
  const own = data instanceof BigInt64Array ? "long" : data instanceof Float64Array ? "double" : "float";
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const pieces: string[] = [];
  for (let start = 0; start < bytes.length; start += BYTES) {
    // Not with dots, which would go through an iterator: ten times the time.
    pieces.push(btoa(Reflect.apply(String.fromCharCode, undefined, bytes.subarray(start, start + BYTES))));
  }
  return { dtype: dtype ?? own, shape, data: pieces.join("") };
}

function numbersToJson(this: object): unknown {
  const told = (value: unknown): unknown =>
    isUnknownToJson(value) ? { number: Object.is(value, -0) ? "-0" : String(value) } : value;
  if (Array.isArray(this)) return this.map(told);
  return Object.fromEntries(Object.entries(this).map(([key, value]) => [key, told(value)]));
}

function tensorFromJson(where: string, data: string, shape: readonly unknown[], dtype: unknown): TypedTensor {
  const Elements = Object.hasOwn(arrays, dtype as PropertyKey) ? arrays[dtype as keyof typeof arrays] : undefined;
  if (!Elements) throw malformed(where, "`dtype` is none of float, double, half, bfloat16 and long");
  const isSize = (size: unknown) => Number.isSafeInteger(size) && (size as number) >= 0;
  if (!shape.every(isSize)) throw malformed(where, "`shape` is no list of whole numbers");
  const sizes = shape as readonly number[];
  const length = sizes.reduce((product, size) => product * size, Elements.BYTES_PER_ELEMENT);
  // Before anything of that size is made.
  if (Math.ceil(length / 3) * 4 !== data.length) throw malformed(where, "`data` has not the length that `shape` tells");
  const bytes = new Uint8Array(length);
  let place = 0;
  for (let start = 0; start < data.length; start += LETTERS) {
    const piece = decoded(where, data.slice(start, start + LETTERS));
    if (place + piece.length > length) throw malformed(where, "`data` has not the length that `shape` tells");
    for (let i = 0; i < piece.length; i++) bytes[place++] = piece.charCodeAt(i);
  }
  if (place !== length) throw malformed(where, "`data` has not the length that `shape` tells");
  const tensor = { data: new Elements(bytes.buffer), shape: sizes };
  return dtype === "half" || dtype === "bfloat16" ? { ...tensor, dtype } : tensor;
}

function decoded(where: string, letters: string): string {
  try {
    return atob(letters);
  } catch {
    throw malformed(where, "`data` is not base64");
  }
}

function malformed(where: string, problem: string): StepwellError {
  const instead =
    "give JSON.stringify what `state` or `data` returned itself, or keep it with structuredClone or v8.serialize";
  return new StepwellError("ERR_FORMAT", `${where}: a tensor that went through JSON: ${problem}; ${instead}`);
}
