import type { Look } from "./q-console.js";

/** A line of the page with what it does in TypeScript. */
export interface Line {
  /** The line as on the page. */
  readonly q: string;
  /** What the page shows below it; without it, nothing. */
  readonly seed?: readonly string[];
  /** The line in TypeScript. What it returns is shown as the q console shows it. */
  readonly run: () => unknown;
  /** How to show it, where that is not as elsewhere on the page. */
  readonly look?: Look;
  /** Rows of the output whose numbers depend on random weights or targets; only how many there are is compared. */
  readonly random?: RegExp;
}
