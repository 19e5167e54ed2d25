// The handles in a value of the caller: a result that outlives a scope.

import { StepwellError } from "../errors.js";
import { Handle, parts } from "../handle.js";
import { isRevoked } from "./plain-data.js";
import { refuse } from "./refuse.js";

/** The most values that are looked at, as in a call: a list can have more elements than memory. */
const MAX_VALUES = 2 ** 24;

/**
 * The handles in a value: itself, the one that it holds, and those in its elements and enumerable properties, at any depth. Getters
 * are not called, except `handle`. `where` names the call in messages.
 */
export function handlesIn(value: unknown, where: string): ReadonlySet<Handle> {
  // In another value it is passed over, as it has nothing that anybody could read.
  if (isRevoked(value)) refuse(where, "a value that can be read", value);
  const [handles, seen] = [new Set<Handle>(), new Set<object>()];
  // A list of what is left, since recursion could exhaust the stack.
  const left: unknown[] = [value];
  let count = 0;
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next !== "object" || next === null || ArrayBuffer.isView(next) || isRevoked(next)) continue;
    if (seen.has(next)) continue;
    seen.add(next);
    if (next instanceof Handle) {
      if (Handle.idOf(next) === undefined) {
        throw new StepwellError(
          "ERR_HANDLE_INVALID",
          `${where}: expected handles that this package made, given another object`,
        );
      }
      handles.add(next);
    } else if (Array.isArray(next)) count += addElements(next, left, MAX_VALUES - count);
    else for (const content of contentsOf(next)) if (count++ < MAX_VALUES) left.push(content);
    if (count > MAX_VALUES) {
      throw new StepwellError("ERR_ARGUMENT", `${where}: expected at most ${MAX_VALUES} values, given more`);
    }
  }
  return handles;
}

/** Adds the elements of a list that are objects. Returns the length, or a larger number than `most`. */
function addElements(list: readonly unknown[], left: unknown[], most: number): number {
  const { length } = list;
  // A proxy of a list may give any length.
  if (!(length <= most)) return most + 1;
  for (let i = 0; i < length; i++) {
    const item = list[i];
    if (typeof item === "object" && item !== null) left.push(item);
  }
  return length;
}

function contentsOf(value: object): Iterable<unknown> {
  if (value instanceof Set) return value;
  if (value instanceof Map) return [...value.keys(), ...value.values()];
  if (parts in value && typeof value[parts] === "function") return value[parts]() as readonly unknown[];
  const contents: unknown[] = "handle" in value ? [value.handle] : [];
  for (const property of Object.values(Object.getOwnPropertyDescriptors(value))) {
    if (property.enumerable === true && "value" in property) contents.push(property.value);
  }
  return contents;
}
