// The work of the processes of a group, and their times.

/** A perceptron of square layers, and the samples of each process. */
export interface Work {
  readonly width: number;
  readonly layers: number;
  readonly batch: number;
  readonly rounds: number;
}

/** Times of each round in milliseconds, of the slowest process. */
export interface Times {
  readonly forward: readonly number[];
  readonly backward: readonly number[];
  readonly optimizer: readonly number[];
  /** Gradients that are there are reduced. */
  readonly communication: readonly number[];
  /** A step that reduces after the backward. */
  readonly after: readonly number[];
  /** A step that reduces during the backward. */
  readonly step: readonly number[];
  /** One number of each process goes to all, twenty times, with the comparison of the calls. */
  readonly gathers: readonly number[];
}
