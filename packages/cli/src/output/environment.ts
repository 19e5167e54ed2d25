// The environment of a command: streams, and the form of its output.

import { printable } from "./printable.js";

/** A stream that a command writes to: `process.stdout` is one. */
export type OutputStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** Where a command writes, and how. */
export interface Environment {
  /** Results. */
  readonly stdout: OutputStream;
  /** Progress and errors. */
  readonly stderr: OutputStream;
  /** Whether results are JSON. */
  readonly json: boolean;
}

/** Writes a result: text for a reader, or one line of JSON. */
export function printResult(environment: Environment, text: string, value: unknown): void {
  environment.stdout.write(environment.json ? `${JSON.stringify(value, jsonNumber)}\n` : `${printable(text)}\n`);
}

/** JSON has no NaN and no infinity, so these are texts. */
export function jsonNumber(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}
