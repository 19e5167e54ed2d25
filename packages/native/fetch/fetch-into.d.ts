import type { Wheel } from "./wheels.js";

/** A fetch. */
export interface Fetch {
  /** The folder for the unpacked files. */
  readonly final: string;
  /** Whether that folder is there, with all of its files. */
  readonly isWhole: () => boolean;
  readonly wheels: readonly Wheel[];
  /** The name for messages. */
  readonly what: string;
  /** Gets a line for each part. */
  readonly log: (line: string) => void;
  /** The bytes of the unpacked files, about. */
  readonly unpacked?: number;
  /** The stream for the progress. */
  readonly output?: NodeJS.WritableStream;
}

/** Fetches wheels, and unpacks their files into `final`, unless `isWhole()` is true. */
export function fetchInto(fetch: Fetch): Promise<void>;
