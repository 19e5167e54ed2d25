// A rig: a check that injects one kind of fault many times, and that fails for a subject with a planted bug.

/** How much a run does: `quick` in `npm test`, `full` for the bars of CI, `long` for the bars of a release. */
export type Scale = "quick" | "full" | "long";

export interface Context {
  readonly scale: Scale;
  readonly seed: number;
  /** An empty folder for files of the rig. */
  readonly folder: string;
  /** In seconds: what is left of the time limit of the rig. Without a limit, about three centuries. */
  readonly remaining: () => number;
  /** Whether the time limit of the rig has passed. It is asked between two faults. */
  readonly isOver: () => boolean;
}

export interface Outcome {
  /** Injected faults, or checked cases. */
  readonly count: number;
  /** The first failures, in words. */
  readonly failures: readonly string[];
  /** Other figures of the run. */
  readonly figures?: Readonly<Record<string, number | string>>;
}

export interface Rig {
  /** The row of the table in docs/reliability.md. */
  readonly fault: string;
  readonly name: string;
  readonly about: string;
  /** The reason why this machine cannot run it; undefined if it can. */
  readonly problem?: () => string | undefined;
  /** The test of `npm test` that runs a small part of it; undefined if faults.test.ts does. */
  readonly smallRun?: string;
  readonly run: (context: Context) => Promise<Outcome>;
  /** The check on subjects with a planted bug, each of which must fail. */
  readonly planted: Readonly<Record<string, (context: Context) => Promise<Outcome>>>;
}

/** In failures that a rig keeps; the count of all is in the figures. */
const maxFailures = 20;

/** Collects failures and counts. */
export class Tally {
  count = 0;
  found = 0;
  readonly failures: string[] = [];

  fail(text: string): void {
    this.found += 1;
    if (this.failures.length < maxFailures) this.failures.push(text);
  }

  /** Counts a case, and keeps what it says about a failure. */
  check(problem: string | undefined): void {
    this.count += 1;
    if (problem !== undefined) this.fail(problem);
  }

  outcome(figures: Readonly<Record<string, number | string>> = {}): Outcome {
    return { count: this.count, failures: this.failures, figures: { ...figures, failures: this.found } };
  }
}

/** The number for a scale. */
export const sized = <Value>(scale: Scale, quick: Value, full: Value, long: Value): Value =>
  ({ quick, full, long })[scale];
