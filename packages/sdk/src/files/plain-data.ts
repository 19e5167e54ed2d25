// Plain data of a run: arguments as JSON with arrays apart, and back.
//
// In the place of an array stands `{"$tensor": name}`. A key that begins with `$` gets another one in front.

import type { BindingArgument, BindingResult, TypedTensor } from "../binding.js";
import { Handle } from "../handle.js";
import { brief } from "../values/describe.js";
import { failure } from "./calls.js";
import { describeArgument, typedTensor } from "./described.js";
import { bytesOf, elementNameOfArray, wordOf } from "./element-types.js";
import { entriesIn, type Json, objectOf } from "./json.js";
import type { TensorToWrite } from "./safetensors.js";

const TENSOR = "$tensor";
const ESCAPE = "$";

/** A dotted name. Either part may be empty. */
export const joined = (path: string, name: string): string => (path && name ? `${path}.${name}` : path || name);

/** The object that stands for the array of a name. */
export const reference = (name: string): Json => objectOf({ [TENSOR]: name });

/** The name of the array that a value stands for; undefined for any other value. */
export function referenced(value: Json | undefined): string | undefined {
  const entries = entriesIn(value);
  const name = entries?.size === 1 ? entries.get(TENSOR) : undefined;
  return typeof name === "string" ? name : undefined;
}

/** Fails if two places stand for one array: a small file would become any number of large objects. */
export function checkUnique(value: Json, names = new Set<string>()): void {
  const name = referenced(value);
  if (name === undefined) {
    const items = Array.isArray(value) ? value : (entriesIn(value)?.values() ?? []);
    for (const item of items) checkUnique(item as Json, names);
    return;
  }
  if (names.has(name)) throw failure("ERR_FORMAT", `tensor \`${brief(name)}\` is named twice`);
  names.add(name);
}

/** An array as a tensor of the file. */
export function tensorOf(name: string, array: TypedTensor): TensorToWrite {
  return { name, word: wordOf(elementNameOfArray(array)), shape: array.shape, bytes: bytesOf(array) };
}

/** Whether a result of the engine is an array. */
export const isArray = (value: unknown): value is TypedTensor =>
  typeof value === "object" && value !== null && "data" in value && ArrayBuffer.isView(value.data);

/** A result of the engine as JSON. `array` gives what stands for an array with the keys on the way to it. */
export function resultJson(value: BindingResult, array: (array: TypedTensor, keys: readonly string[]) => Json): Json {
  const convert = (item: BindingResult, keys: readonly string[]): Json => {
    if (isArray(item)) return array(item, keys);
    if (typeof item !== "object" || item === null) return item as Json;
    if (Array.isArray(item)) return item.map((one: BindingResult, i) => convert(one, [...keys, String(i)]));
    return new Map(Object.entries(item).map(([key, one]) => [key, convert(one as BindingResult, [...keys, key])]));
  };
  return convert(value, []);
}

/** The most levels of lists and dictionaries, as in the native engine: a reader of JSON takes few more. */
const MAX_LEVELS = 100;

/** An argument of the caller as JSON, with its arrays under names. Throws for handles and `undefined`, which no file holds. */
export function takenJson(value: BindingArgument, name: string, arrays: TensorToWrite[], level = 0): Json {
  if (value === undefined || typeof value === "bigint") {
    throw failure("ERR_ARGUMENT", `expected plain data, given ${describeArgument(value)}`);
  }
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value)) {
    arrays.push(tensorOf(name, typedTensor(value)));
    return reference(name);
  }
  if (level === MAX_LEVELS) {
    const object = name.slice(0, name.indexOf("."));
    throw failure("ERR_ARGUMENT", `\`${object}\`: expected plain data of at most ${MAX_LEVELS} levels, given more`);
  }
  if (Array.isArray(value)) {
    return value.map((item: BindingArgument, i) => takenJson(item, `${name}.${i}`, arrays, level + 1));
  }
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return new Map(
    entries.map(([key, item]) => {
      const taken = takenJson(item as BindingArgument, `${name}.${key}`, arrays, level + 1);
      return [key.startsWith(ESCAPE) ? ESCAPE + key : key, taken];
    }),
  );
}

/** A loaded run with plain data as it was saved: in results of an engine, a typed array is `{ data, shape }`. Handles stay. */
export function withTypedArrays(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withTypedArrays);
  if (typeof value !== "object" || value === null || value instanceof Handle) return value;
  if (isArray(value)) return value.data;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withTypedArrays(item)]));
}

/** Data of the file with arrays in their places, as `array` gives them. */
export function putBack<Value>(value: Json, array: (name: string) => Value): unknown {
  const name = referenced(value);
  if (name !== undefined) return array(name);
  if (Array.isArray(value)) return value.map((item: Json) => putBack(item, array));
  const entries = entriesIn(value);
  if (!entries) return value;
  // Defines properties instead of setting them, so that `__proto__` is an ordinary name.
  return Object.fromEntries(
    Array.from(entries, ([key, item]) => {
      if (!key.startsWith(ESCAPE)) return [key, putBack(item, array)];
      if (!key.startsWith(ESCAPE, 1)) throw failure("ERR_FORMAT", `unknown key \`${brief(key)}\``);
      return [key.slice(1), putBack(item, array)];
    }),
  );
}
