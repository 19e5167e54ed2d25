// The result of each training, as a table for the terminal.

import { decimals, percent, whole } from "./numbers.js";
import type { RunReport } from "./report.js";

const columns: readonly { readonly title: string; readonly cell: (run: RunReport) => string }[] = [
  { title: "optimizer", cell: (run) => run.optimizer },
  { title: "test accuracy", cell: (run) => percent(run.testAccuracy) },
  { title: "final loss", cell: (run) => decimals(run.finalLoss, 4) },
  { title: "seconds", cell: (run) => decimals(run.seconds, 1) },
  {
    title: "steps/s",
    cell: (run) => (run.stepsPerSecond < 10 ? decimals(run.stepsPerSecond, 1) : whole(run.stepsPerSecond)),
  },
];

/** A line of titles, a rule, and a line for each training. */
export function table(runs: readonly RunReport[]): string {
  const rows = [columns.map(({ title }) => title), ...runs.map((run) => columns.map(({ cell }) => cell(run)))];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((text, column) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0)))
      .join("  ");
  const [titles = [], ...body] = rows;
  return [line(titles), widths.map((width) => "-".repeat(width)).join("  "), ...body.map(line)].join("\n");
}
