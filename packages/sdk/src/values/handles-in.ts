// The handles in a value of the caller: a result that outlives a scope.

import { Handle, parts } from "../handle.js";
import { isRevoked } from "./plain-data.js";

/**
 * The handles in a value: itself, the one that it holds, and those in its elements and enumerable properties, at any depth. Getters
 * are not called, except `handle`.
 */
export function handlesIn(value: unknown): ReadonlySet<Handle> {
  const [handles, seen] = [new Set<Handle>(), new Set<object>()];
  // A list of what is left, since recursion could exhaust the stack.
  const left: unknown[] = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next !== "object" || next === null || ArrayBuffer.isView(next) || isRevoked(next)) continue;
    if (seen.has(next)) continue;
    seen.add(next);
    if (next instanceof Handle) handles.add(next);
    else for (const content of contentsOf(next)) left.push(content);
  }
  return handles;
}

function contentsOf(value: object): Iterable<unknown> {
  if (Array.isArray(value) || value instanceof Set) return value;
  if (value instanceof Map) return [...value.keys(), ...value.values()];
  if (parts in value && typeof value[parts] === "function") return value[parts]() as readonly unknown[];
  const contents: unknown[] = "handle" in value ? [value.handle] : [];
  for (const property of Object.values(Object.getOwnPropertyDescriptors(value))) {
    if (property.enumerable === true && "value" in property) contents.push(property.value);
  }
  return contents;
}
