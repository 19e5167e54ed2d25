// Tables in Markdown.

import type { Figure } from "./figures.js";

/** A table of padded cells, as the formatter wants it. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** The median, and the least and the largest in parentheses. */
export function range({ median, min, max }: Figure): string {
  return `${short(median)} (${short(min)} to ${short(max)})`;
}

/** Three digits, or as many as stand before the point. */
export function short(number: number): string {
  if (number === 0) return "0";
  return Math.abs(number) < 1000 ? Number(number.toPrecision(3)).toString() : Math.round(number).toLocaleString("en");
}
