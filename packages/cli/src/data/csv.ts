// Tables in CSV files.

import { CsvError, parse } from "csv-parse/sync";
import { formatError } from "../command-error.js";
import { type Cell, repeated, type Table } from "./table.js";

/** How a CSV file is read. */
export interface CsvOptions {
  /** The character between cells. */
  readonly delimiter: string;
  /** Whether the first line has the names of the columns. Without it the names are 1, 2 and so on. */
  readonly header: boolean;
}

/** Reads a table. A cell that is a number becomes one; any other stays a text. */
export function parseCsv(path: string, text: string, { delimiter, header }: CsvOptions): Table {
  const records = parseRecords(path, text, delimiter);
  const [first] = records;
  if (!first) throw formatError(path, "expected rows, given an empty file");
  const cells = first.record.map((cell) => cell.trim());
  if (header) checkHeader(path, cells);
  const body = header ? records.slice(1) : records;
  if (body.length === 0) throw formatError(path, "expected rows after the header, given none");
  return {
    names: header ? cells : cells.map((_, index) => String(index + 1)),
    rows: body.map(({ record }) => record.map(cell)),
    texts: body.map(({ record }) => record),
    lines: body.map(({ line }) => line),
  };
}

type Parsed = { readonly record: readonly string[]; readonly line: number };

function parseRecords(path: string, text: string, delimiter: string): readonly Parsed[] {
  try {
    const records = parse(text, { bom: true, delimiter, info: true, skip_empty_lines: true }) as unknown as {
      readonly record: string[];
      readonly info: { readonly lines: number };
    }[];
    return records.map(({ record, info }) => ({ record, line: info.lines }));
  } catch (error) {
    if (error instanceof CsvError) throw formatError(path, error.message);
    throw error;
  }
}

function checkHeader(path: string, names: readonly string[]): void {
  if (names.every((name) => name !== "" && Number.isFinite(Number(name)))) {
    throw formatError(
      path,
      "expected names of columns on line 1, given numbers; a file without names needs --no-header",
    );
  }
  const twice = repeated(names);
  if (twice !== undefined) throw formatError(path, `expected names of columns that differ, given "${twice}" twice`);
}

/** A decimal number, or infinity. Other spellings of JavaScript, such as 0x10, are texts. */
const isNumber = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|Infinity)$/i;

function cell(text: string): Cell {
  const trimmed = text.trim();
  return isNumber.test(trimmed) ? Number(trimmed) : trimmed;
}
