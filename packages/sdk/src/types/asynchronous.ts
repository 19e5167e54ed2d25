// Options of asynchronous calls.

import type { BatchReport } from "./results.js";

/** Options of an asynchronous call. */
export interface AsyncOptions {
  /** Ends the call after the present batch. */
  readonly signal?: AbortSignal;
  /**
   * Takes the figures of each batch, in a turn of the event loop after it. The call does not wait for it. If it throws, the call ends after
   * the present batch, and rejects with the exception.
   */
  readonly progress?: (report: BatchReport) => void;
}
