// Marks in a trace of system calls.

import { accessSync } from "node:fs";
import { marks } from "../strace.js";

const mark = (path: string) => {
  try {
    accessSync(path);
  } catch {
    // It does not exist.
  }
};

/** Runs a function between two marks. */
export function marked<Result>(run: () => Result): Result {
  mark(marks[0]);
  try {
    return run();
  } finally {
    mark(marks[1]);
  }
}
