// Entries of a description, with errors that name the attribute.

import { failure } from "./calls.js";
import { describeJson } from "./described.js";
import { entriesIn, type Json, type JsonObject } from "./json.js";

/** The value of a key. */
export function entry(entries: JsonObject, key: string): Json {
  const value = entries.get(key);
  if (value === undefined) throw failure("ERR_FORMAT", `unable to find state attribute: ${key}`);
  return value;
}

/** The list of a key. */
export function list(entries: JsonObject, key: string): readonly Json[] {
  const value = entry(entries, key);
  return Array.isArray(value) ? value : refuse(malformed(key, "a list", value));
}

/** The entries of a value under a key. */
export function dictionary(value: Json, key: string): JsonObject {
  return entriesIn(value) ?? refuse(malformed(key, "a dictionary", value));
}

const malformed = (key: string, expected: string, given: Json) =>
  failure("ERR_FORMAT", `state attribute ${key}: expected ${expected}, given ${describeJson(given)}`);

/** Throws an error, in an expression. */
export function refuse(error: Error): never {
  throw error;
}
