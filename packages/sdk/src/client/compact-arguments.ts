// Arguments of operations as a few doubles. Most operations take handles and numbers, which need no conversion in the binding.

import { Handle } from "../handle.js";
import { isList } from "./plain-numbers.js";

/** Tags of arguments, as in `crates/session/src/commands/compact_call.rs`. A value follows the tag. */
const tags = { undefined: 0, null: 1, number: 2, handle: 3, flag: 4, list: 5 } as const;
/** In numbers, 512 bytes: more than any operation takes, except for one that is given a long list. */
export const compactLength = 64;
/** Limit of a list that is copied number by number. */
const MAX_LIST = 16;

/** A copy of a list. Reading a list may run code of the caller, which must run once. */
class CopiedList extends Array<unknown> {}

/** The arguments with copies of the short lists among them. */
export function withCopiedLists(args: readonly unknown[]): readonly unknown[] {
  return args.some((arg) => typeof arg === "object" && isList(arg)) ? args.map(copied) : args;
}

/**
 * Writes arguments to memory, and returns how many numbers they take. -1 if an argument is of another kind than numbers, booleans,
 * copied lists of numbers, and handles of the owner.
 */
export function encodeCompact(owner: object, args: readonly unknown[], memory: () => Float64Array): number {
  const to = memory();
  let length = 0;
  for (const value of args) {
    if (length > compactLength - MAX_LIST - 2) return -1;
    switch (typeof value) {
      case "number":
        to[length++] = tags.number;
        to[length++] = value;
        break;
      case "object": {
        if (value === null) {
          to[length++] = tags.null;
          break;
        }
        const id = Handle.idOf(value);
        if (id !== undefined) {
          if (!Handle.isOf(value as Handle, owner)) return -1;
          to[length++] = tags.handle;
          to[length++] = id;
          break;
        }
        if (!(value instanceof CopiedList) || value.length === 0) return -1;
        to[length++] = tags.list;
        to[length++] = value.length;
        for (const item of value) {
          if (typeof item !== "number") return -1;
          to[length++] = item;
        }
        break;
      }
      case "boolean":
        to[length++] = tags.flag;
        to[length++] = Number(value);
        break;
      case "undefined":
        to[length++] = tags.undefined;
        break;
      default:
        return -1;
    }
  }
  return length;
}

/** A copy of a short list, holes included; any other value as it is. */
function copied(value: unknown): unknown {
  if (!isList(value)) return value;
  const { length } = value;
  if (!(Number.isInteger(length) && length >= 0 && length <= MAX_LIST)) return value;
  const items = new CopiedList();
  for (let i = 0; i < length; i++) {
    const item = value[i];
    if (item !== undefined || i in value) items[i] = item;
  }
  items.length = length;
  return items;
}
