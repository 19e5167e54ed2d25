// Tables in files with a JSON object on each line.

import { formatError } from "../command-error.js";
import type { Cell, Table } from "./table.js";

/** Reads a table. Every object has the same keys, whose values are numbers, texts, booleans or rectangular lists of numbers. */
export function parseJsonLines(path: string, text: string): Table {
  let names: readonly string[] | undefined;
  let known = new Set<string>();
  const rows: Cell[][] = [];
  const lines: number[] = [];
  for (const [index, line] of text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .entries()) {
    if (line.trim() === "") continue;
    const at = `line ${index + 1}`;
    const row = parseObject(path, at, line);
    if (!names) {
      names = Object.keys(row);
      known = new Set(names);
    }
    const keys = Object.keys(row);
    const absent = names.find((name) => !Object.hasOwn(row, name));
    const surplus = keys.find((name) => !known.has(name));
    if (absent !== undefined) throw formatError(path, `${at}: expected the key "${absent}", as on the first line`);
    if (surplus !== undefined) throw formatError(path, `${at}: the key "${surplus}" is not on the first line`);
    rows.push(names.map((name) => cell(path, `${at}, "${name}"`, row[name])));
    lines.push(index + 1);
  }
  if (!names) throw formatError(path, "expected a JSON object on each line, given an empty file");
  return { names, rows, lines };
}

function parseObject(path: string, at: string, line: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw formatError(path, `${at}: expected JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw formatError(path, `${at}: expected an object, given ${JSON.stringify(value).slice(0, 40)}`);
  }
  return value as Readonly<Record<string, unknown>>;
}

function cell(path: string, at: string, value: unknown): Cell {
  if (typeof value === "number" || typeof value === "string") return value;
  if (typeof value === "boolean") return Number(value);
  if (Array.isArray(value)) {
    const shape: number[] = [];
    for (let level: unknown = value; Array.isArray(level); level = level[0]) shape.push(level.length);
    const data: number[] = [];
    flatten(value, shape, data, () => formatError(path, `${at}: expected a rectangular list of numbers`));
    return { shape, data };
  }
  throw formatError(path, `${at}: expected a number, a text or a list of numbers, given ${JSON.stringify(value)}`);
}

function flatten(value: unknown, shape: readonly number[], data: number[], refuse: () => Error): void {
  if (shape.length === 0) {
    if (typeof value !== "number") throw refuse();
    data.push(value);
    return;
  }
  if (!Array.isArray(value) || value.length !== shape[0]) throw refuse();
  for (const part of value) flatten(part, shape.slice(1), data, refuse);
}
