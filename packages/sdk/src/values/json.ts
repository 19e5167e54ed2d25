// Definitions and states through JSON, exactly. JSON has no typed arrays, no numbers that are not finite and no -0, and would
// change them. Results of the engine therefore have a `toJSON` if JSON would change them, and arguments accept the values that
// it made.

import type { TypedTensor } from "../binding.js";
import { StepwellError } from "../errors.js";

/** A tensor in JSON: the bytes of its elements, the lowest of each first, in base64. */
export interface JsonTensor {
  readonly dtype: "float" | "double" | "half" | "bfloat16" | "long" | "bool";
  readonly shape: readonly number[];
  readonly data: string;
}

/** A number that JSON cannot write. */
export interface JsonNumber {
  readonly number: "NaN" | "Infinity" | "-Infinity" | "-0";
}

/** The class of the array that holds elements of a type. Elements of 16 bits are held in 32. */
const arrays = {
  float: Float32Array,
  double: Float64Array,
  half: Float32Array,
  bfloat16: Float32Array,
  long: BigInt64Array,
  bool: Uint8Array,
} as const;

const numbers: ReadonlyMap<unknown, number> = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["-0", -0],
]);

/** Bytes that are converted at once: 24 KiB, in groups of three bytes, each of which base64 writes as four letters. */
const BYTES = 3 * 2 ** 13;
/** The letters of as many bytes. */
const LETTERS = (BYTES / 3) * 4;

/** A result of the engine, with a `toJSON` wherever JSON would change it. The property is neither copied nor compared. */
export function withJson<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  if (isTensor(value)) return withMethod(value, tensorToJson);
  const items: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  if (items.some(isUnknownToJson)) withMethod(value, numbersToJson);
  for (const item of items) withJson(item);
  return value;
}

/** The value that `toJSON` has converted; any other value as it is. `where` is the call whose argument it is. */
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
    // A spread would go through an iterator and take ten times as long.
    pieces.push(btoa(Reflect.apply(String.fromCharCode, undefined, bytes.subarray(start, start + BYTES))));
  }
  return { dtype: dtype ?? own, shape, data: pieces.join("") };
}

function numbersToJson(this: object): unknown {
  const written = (value: unknown): unknown =>
    isUnknownToJson(value) ? { number: Object.is(value, -0) ? "-0" : String(value) } : value;
  if (Array.isArray(this)) return this.map(written);
  return Object.fromEntries(Object.entries(this).map(([key, value]) => [key, written(value)]));
}

function tensorFromJson(where: string, data: string, shape: readonly unknown[], dtype: unknown): TypedTensor {
  const isName = typeof dtype === "string" && Object.hasOwn(arrays, dtype);
  const Elements = isName ? arrays[dtype as keyof typeof arrays] : undefined;
  if (!Elements) throw malformed(where, "`dtype` is none of float, double, half, bfloat16, long and bool");
  const isSize = (size: unknown) => Number.isSafeInteger(size) && (size as number) >= 0;
  if (!shape.every(isSize)) throw malformed(where, "`shape` is not a list of whole numbers");
  const sizes = shape as readonly number[];
  const length = sizes.reduce((product, size) => product * size, Elements.BYTES_PER_ELEMENT);
  // Check before memory of that size is allocated.
  if (Math.ceil(length / 3) * 4 !== data.length)
    throw malformed(where, "`data` does not have the length that `shape` gives");
  const bytes = new Uint8Array(length);
  let place = 0;
  for (let start = 0; start < data.length; start += LETTERS) {
    const piece = decoded(where, data.slice(start, start + LETTERS));
    if (place + piece.length > length) throw malformed(where, "`data` does not have the length that `shape` gives");
    for (let i = 0; i < piece.length; i++) bytes[place++] = piece.charCodeAt(i);
  }
  if (place !== length) throw malformed(where, "`data` does not have the length that `shape` gives");
  const tensor = { data: new Elements(bytes.buffer), shape: sizes };
  return dtype === "half" || dtype === "bfloat16" || dtype === "bool" ? { ...tensor, dtype } : tensor;
}

function decoded(where: string, letters: string): string {
  let bytes: string | undefined;
  try {
    bytes = atob(letters);
  } catch {
    // Letters that are not of base64.
  }
  // `atob` passes over white space, missing padding and spare bits.
  if (bytes === undefined || btoa(bytes) !== letters) throw malformed(where, "`data` is not base64");
  return bytes;
}

function malformed(where: string, problem: string): StepwellError {
  const instead =
    "pass the result of `state` or `data` itself to JSON.stringify, or keep it with structuredClone or v8.serialize";
  return new StepwellError("ERR_FORMAT", `${where}: a tensor that went through JSON: ${problem}; ${instead}`);
}
