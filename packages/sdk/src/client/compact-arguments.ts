// Arguments of operations as a few doubles. Most operations take handles and numbers, which need no conversion in the binding.

import { Handle } from "../handle.js";
import { isList } from "../values/plain-data.js";

/** Tags of arguments, as in `crates/session/src/commands/compact_call.rs`. A value follows the tag. */
const tags = { undefined: 0, null: 1, number: 2, handle: 3, flag: 4, list: 5 } as const;
/** In numbers, 512 bytes: more than any operation takes, except for one that is given a long list. */
export const compactLength = 64;
/** Limit of a list that is copied number by number. */
const MAX_LIST = 16;

/** The result of {@link encodeCompact} for arguments with a list that is not copied. */
export const listGiven = -2;

/** A copy of a list. Reading a list may run code of the caller, which must run once. */
class CopiedList extends Array<unknown> {
  readonly #isCopy = true;

  /** Whether a value is a copy. `instanceof` would run code of a proxy. */
  static is(value: object): value is CopiedList {
    return #isCopy in value;
  }
}

/** The arguments with copies of the short lists among them. */
export function withCopiedLists(args: readonly unknown[]): readonly unknown[] {
  return args.map(copied);
}

/**
 * Writes arguments to memory, and returns how many numbers they take. -1 if an argument is of another kind than numbers, booleans,
 * copied lists of numbers, and handles of the owner. Runs no code of the caller: the first list that is not copied is
 * {@link listGiven}.
 */
export function encodeCompact(owner: object, args: readonly unknown[], to: Float64Array): number {
  let length = 0;
  // By index: an iterator of a replaced prototype would be code of the caller.
  for (let i = 0; i < args.length; i++) {
    const value = args[i];
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
        if (!CopiedList.is(value)) return isList(value) ? listGiven : -1;
        if (value.length === 0) return -1;
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
