// Rows of named columns, as CSV and JSON lines have them.

/** A value of a cell: a number, a text, or an array of numbers with its shape. */
export type Cell = number | string | { readonly shape: readonly number[]; readonly data: readonly number[] };

/** A table of a file. */
export interface Table {
  /** Names of the columns. */
  readonly names: readonly string[];
  /** The cells of each row. */
  readonly rows: readonly (readonly Cell[])[];
  /** The line of the file on which a row begins, from 1. */
  readonly lines: readonly number[];
}
