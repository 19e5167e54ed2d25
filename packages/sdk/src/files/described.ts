// Arguments and values of a description in the words of the engine's messages.

import type { BindingArgument, TypedTensor } from "../binding.js";
import { brief } from "../values/describe.js";
import { kindOf as kindOfArray, lengthOf, memoryOf } from "../values/typed-arrays.js";
import { kindOf } from "./calls.js";
import { elementNameOfArray } from "./element-types.js";
import { entriesIn, type Json } from "./json.js";

/** A typed array of an argument as the engine takes it: integers are long. */
export function typedTensor(view: ArrayBufferView): TypedTensor {
  // Properties of the array itself may be false.
  const { buffer, byteOffset } = memoryOf(view);
  const length = lengthOf(view);
  const shape = [length];
  switch (kindOfArray(view)) {
    case "Float32Array":
      return { data: new Float32Array(buffer, byteOffset, length), shape };
    case "Float64Array":
      return { data: new Float64Array(buffer, byteOffset, length), shape };
    case "BigInt64Array":
      return { data: new BigInt64Array(buffer, byteOffset, length), shape };
    default: {
      const numbers = Array.from({ length }, (_, i) => (view as unknown as ArrayLike<number>)[i] as number);
      return { data: BigInt64Array.from(numbers.map(BigInt)), shape };
    }
  }
}

/** A value of JSON in the words of the engine's messages. */
export function describeJson(value: Json): string {
  const entries = entriesIn(value);
  return describeArgument((entries ? Object.fromEntries(entries) : value) as BindingArgument);
}

/** An argument in the words of the engine's messages. */
export function describeArgument(value: BindingArgument): string {
  if (typeof value === "bigint") {
    const kind = kindOf(value);
    return kind ? `${kind} handle` : "an invalid handle";
  }
  if (typeof value === "string") return `string "${value}"`;
  if (value === null || value === undefined) return String(value);
  if (typeof value !== "object") return `${typeof value} ${value}`;
  if (ArrayBuffer.isView(value)) {
    const array = typedTensor(value);
    return `array of ${array.data.length} elements of dtype ${elementNameOfArray(array)}`;
  }
  if (Array.isArray(value)) return `list of ${value.length}`;
  const keys = Object.keys(value);
  return `dictionary of {${brief(keys.slice(0, 20).join(", ") + (keys.length > 20 ? ", ..." : ""))}}`;
}
