// Rows of named columns, as CSV and JSON lines have them.

/** A value of a cell: a number, a text, or an array of numbers with its shape. */
export type Cell = number | string | { readonly shape: readonly number[]; readonly data: readonly number[] };

/** A table of a file. */
export interface Table {
  /** Names of the columns. */
  readonly names: readonly string[];
  /** The cells of each row. */
  readonly rows: readonly (readonly Cell[])[];
  /** The texts of the cells, where a file has texts alone: `01` and `1` are one number. */
  readonly texts?: readonly (readonly string[])[];
  /** The line of the file on which a row begins, from 1. */
  readonly lines: readonly number[];
}

/** The first name that is in a list twice. */
export function repeated(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}
