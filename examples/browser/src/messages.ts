// Messages between the page and its worker.

/** From the page: to pause or go on, and to forget the checkpoint and start anew. */
export type Request = "pause" | "resume" | "restart";

/** From the worker, after some steps. */
export interface Progress {
  /** Steps of the training. */
  readonly steps: number;
  /** The step at which this page found the training; 0 without a checkpoint. */
  readonly resumedAt: number;
  /** Steps in the checkpoint. */
  readonly saved: number;
  readonly loss: number;
  /** The share of points that are classified rightly. */
  readonly accuracy: number;
  /** Probabilities of the second spiral on a square grid, row by row. */
  readonly grid: Float32Array;
}

/** Width and height of the grid. */
export const side = 96;
