import type { TypedTensor } from "../binding.js";
import { isList } from "./plain-data.js";

/** Maximum number of dimensions of a tensor, as in the session. */
const MAX_DIMENSIONS = 64;

/** One boolean, or booleans nested to a rectangular shape, as the elements of a tensor; undefined for anything else. */
export function flagsOf(given: unknown): TypedTensor | undefined {
  const shape: number[] = [];
  let first = given;
  while (isList(first) && shape.length < MAX_DIMENSIONS) {
    shape.push(first.length);
    // An element is read once. A getter may give anything, and is left to the numbers.
    first = Object.getOwnPropertyDescriptor(first, 0)?.value;
  }
  if (typeof first !== "boolean") return undefined;
  const flags: number[] = [];
  const collect = (value: unknown, dimension: number): boolean => {
    if (dimension === shape.length) return typeof value === "boolean" && flags.push(Number(value)) > 0;
    if (!isList(value) || value.length !== shape[dimension]) return false;
    // By index, since an iteration over a list with holes skips them.
    for (let i = 0; i < value.length; i++) if (!collect(value[i], dimension + 1)) return false;
    return true;
  };
  return collect(given, 0) ? { dtype: "bool", data: Uint8Array.from(flags), shape } : undefined;
}
