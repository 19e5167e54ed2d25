// Options as text.

import type { TextStyle } from "../inspect.js";
import { brief } from "../values/describe.js";
import { numberText } from "./elements.js";

/** `(in: 2, out: 16)`; an empty text without options. */
export function optionsText(options: object, style: TextStyle): string {
  const texts = Object.entries(options).map(([name, value]) => `${name}: ${valueText(value, style)}`);
  return texts.length === 0 ? "" : `(${texts.join(", ")})`;
}

/** The value of an option; a dictionary in braces. */
function valueText(value: unknown, style: TextStyle): string {
  if (typeof value === "string") return style.paint(JSON.stringify(brief(value)), "string");
  if (typeof value === "number") return style.paint(numberText(value), "number");
  if (Array.isArray(value)) return `[${value.map((item) => valueText(item, style)).join(", ")}]`;
  if (typeof value !== "object" || value === null) return style.paint(String(value), "number");
  const texts = Object.entries(value).map(([name, item]) => `${name}: ${valueText(item, style)}`);
  return `{ ${texts.join(", ")} }`;
}
