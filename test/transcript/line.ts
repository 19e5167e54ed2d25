import type * as sdk from "@stepwell/sdk";
import type { Look } from "./q-console.js";

/** The SDK that the page is played on: the package, or a mutant that should fail. */
export type Sdk = typeof sdk;

/** A line of the page with what it does in TypeScript. */
export interface Line {
  /** The line as on the page. */
  readonly q: string;
  /** The output that the page shows below it; default nothing. */
  readonly seed?: readonly string[];
  /** The line in TypeScript. Its result is shown as the q console shows it. */
  readonly run: () => unknown;
  /** Fails unless what the line is to do was done. A line that shows nothing has one. */
  readonly check?: () => void;
  /** How to show it, unless as elsewhere on the page. */
  readonly look?: Look;
  /** Rows of the output whose numbers depend on random weights or targets; only how many there are is compared. */
  readonly random?: RegExp;
}
