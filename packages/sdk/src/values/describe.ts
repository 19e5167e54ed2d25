// Values of a caller in the words of a message.

import { isForeignHandle } from "../handle.js";
import { isDictionary, isRevoked } from "./plain-data.js";

/** Characters of a text that a message shows: more than any name has, and few enough for one line of a log. */
const MAX_SHOWN = 200;

/** The first characters of a text, and dots if there are more. */
export const brief = (text: string): string => (text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text);

/** A value as a message gives it, such as `string "adm"`, `list of 3` or `a Map`. */
export function describeValue(value: unknown): string {
  if (isRevoked(value)) return "a revoked proxy";
  switch (typeof value) {
    case "string":
      return `string "${brief(value)}"`;
    case "object":
      return Array.isArray(value) ? `list of ${value.length}` : describeKind(value);
    case "number":
    case "boolean":
      return `${typeof value} ${value}`;
    default:
      return typeof value;
  }
}

/** The kind of a value as a message gives it, such as `a Map` or `a handle of another copy of Stepwell`. */
export function describeKind(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== "object") return withArticle(typeof value);
  if (isRevoked(value)) return "a revoked proxy";
  if (isForeignHandle(value)) return "a handle of another copy of Stepwell";
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (/^(Boolean|Number|String|Symbol|BigInt)$/.test(tag)) return `${withArticle(tag)} object`;
  if (tag !== "Object") return withArticle(tag.slice(0, 80));
  if (isDictionary(value)) return "a dictionary";
  const name: unknown = value.constructor?.name;
  return typeof name === "string" && name !== "" ? `an instance of ${name.slice(0, 80)}` : "an instance of a class";
}

function withArticle(noun: string): string {
  return `${/^[AEIOUaeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}
