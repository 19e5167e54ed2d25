// Arguments as text, for a program that shows a failure.

import * as k from "@stepwell/sdk";
import { hostileName } from "./hostile.js";
import type { Shadow } from "./shadow.js";

/** An argument as a program would have it, or near enough for a person. */
export function programText(value: unknown, shadow: Shadow, depth = 0): string {
  try {
    return text(value, shadow, depth);
  } catch {
    return "<cannot be read>";
  }
}

function text(value: unknown, shadow: Shadow, depth: number): string {
  if (depth > 6) return "..";
  switch (typeof value) {
    case "string":
      return value.length > 80 ? `"x".repeat(${value.length})` : JSON.stringify(value);
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "bigint":
      return `${value}n`;
    case "function":
      if (hostileName(value)) return `<${hostileName(value)}>`;
      return value.name ? `<${value.name}>` : "() => ..";
    case "object":
      break;
    default:
      return String(value);
  }
  if (value === null) return "null";
  const name = hostileName(value);
  if (name !== undefined) return `<${name}>`;
  if (value instanceof k.Handle) {
    const entry = shadow.entry(value);
    return entry ? `h${entry.number}` : "<unknown handle>";
  }
  const inner = (item: unknown) => programText(item, shadow, depth + 1);
  if (ArrayBuffer.isView(value)) {
    const { length = 0 } = value as unknown as { length?: number };
    const items = length > 20 ? `${length}` : `[${String(value)}]`;
    return `new ${Object.prototype.toString.call(value).slice(8, -1)}(${items})`;
  }
  if (Array.isArray(value)) {
    return value.length > 40 ? `Array(${value.length}).fill(..)` : `[${Array.from(value, inner).join(", ")}]`;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  const owner = prototype === null ? "null " : prototype === Object.prototype ? "" : `${value.constructor?.name} `;
  const entries = Object.entries(value).slice(0, 20);
  return `${owner}{ ${entries.map(([key, item]) => `${JSON.stringify(key)}: ${inner(item)}`).join(", ")} }`;
}
