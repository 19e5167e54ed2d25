// The results of a run, as lines between processes and as text for a person.

import type { Failure } from "./sequence.js";
import type { Counts } from "./world.js";

/** A line that a child writes. */
export type Line =
  // A sequence begins, after so many operations.
  | { readonly type: "sequence"; readonly seed: number; readonly operations: number }
  | { readonly type: "failure"; readonly failure: Failure; readonly program: readonly string[] }
  | {
      readonly type: "counts";
      readonly operations: number;
      readonly calls: Table;
      readonly successes: Table;
      readonly errors: Table;
    };

type Table = readonly (readonly [name: string, count: number])[];

export const linesOf = (counts: Counts): Line => ({
  type: "counts",
  operations: counts.operations,
  calls: [...counts.calls],
  successes: [...counts.successes],
  errors: [...counts.errors],
});

/** Adds the counts that a child reports. */
export function addCounts(counts: Counts, line: Line): void {
  if (line.type !== "counts") return;
  for (const name of ["calls", "successes", "errors"] as const) {
    for (const [key, count] of line[name]) counts[name].set(key, (counts[name].get(key) ?? 0) + count);
  }
}

/** Two failures of one call by one invariant are one. */
export const keyOf = ({ call, invariant }: Failure): string => `${call}: ${invariant}`;

/** Two failures by one invariant with like words are one fault, most often, whatever the call. */
export const faultOf = ({ invariant, message }: Failure): string => {
  const words = message.slice(message.indexOf(invariant) + invariant.length + 2);
  return `${invariant}: ${words.replaceAll(/\d+/g, "0").slice(0, 50)}`;
};

/** The command that makes a failure again. */
export const replayCommand = (engine: string, seed: number, places: readonly number[]): string =>
  `node test/dist/random-operations/main.js --engine ${engine} --replay ${seed} --places ${places.join(",")}`;

/** A failure for a person. */
export function written(engine: string, failure: Failure, program: readonly string[]): string {
  return [
    failure.message,
    `  ${replayCommand(engine, failure.seed, failure.places)}`,
    ...program.map((line) => `  ${line}`),
  ]
    .map((line) => (line.length > 500 ? `${line.slice(0, 500)}...` : line))
    .join("\n");
}
