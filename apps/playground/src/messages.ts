// The messages between the page and its worker.

import type { OptimizerName, OptionRow } from "@stepwell/sdk";
import type { TrainingSettings } from "./digits.js";
import type { RaceSettings } from "./race.js";
import type { Edit } from "./racer.js";
import type { LayerStep } from "./trust.js";

/** From the page to the worker that races. */
export type RaceRequest =
  /** Replaces the race by a new one, and reports its state after `clock` evaluations. */
  | { readonly type: "start"; readonly settings: RaceSettings; readonly clock: number; readonly until: number }
  /** Continues on its own, at this number of evaluations a second. */
  | { readonly type: "play"; readonly speed: number }
  | { readonly type: "pause" }
  /** Makes one evaluation. */
  | { readonly type: "step" }
  | { readonly type: "edit"; readonly optimizer: OptimizerName; readonly group: number; readonly options: OptionRow }
  /** Saves the race, for `restore`. */
  | { readonly type: "save" }
  /** Restores the saved race. */
  | { readonly type: "restore" };

/** The state of a racer, and the new points of its path: x, y, loss and evaluations of each. */
export interface RacerFrame {
  readonly optimizer: OptimizerName;
  readonly points: Float64Array;
  /** The step of the first of the points; 0 is the start. */
  readonly from: number;
  readonly isRacing: boolean;
  readonly arrival: number | undefined;
  readonly edits: readonly Edit[];
}

/** From the worker that races to the page. */
export type RaceReply =
  /** The engine is there. */
  | { readonly type: "ready" }
  | {
      readonly type: "frame";
      /** The number of the race, one more for each start. */
      readonly race: number;
      readonly clock: number;
      readonly racers: readonly RacerFrame[];
      readonly isPlaying: boolean;
    }
  | { readonly type: "saved"; readonly clock: number; readonly bytes: number }
  | { readonly type: "restored"; readonly clock: number }
  /** A setting was refused, and nothing has changed. */
  | { readonly type: "refused"; readonly optimizer: OptimizerName | undefined; readonly message: string };

/** From the page to the worker that trains. */
export type TrainingRequest =
  /** Makes a training, in place of the one before. */
  | { readonly type: "train"; readonly settings: TrainingSettings }
  | { readonly type: "train on" }
  | { readonly type: "train off" }
  /** One batch. */
  | { readonly type: "train once" }
  | { readonly type: "rate"; readonly optimizer: OptimizerName; readonly lr: number }
  /** Grey values from 0 (paper) to 1 (ink), to be read. */
  | { readonly type: "read"; readonly image: Float32Array }
  /** A digit of those for testing, to be read. */
  | { readonly type: "show"; readonly index: number };

/** The state of one contender. */
export interface ContenderFrame {
  readonly optimizer: OptimizerName;
  /** Losses of the new batches. */
  readonly losses: Float64Array;
  readonly lr: number;
  /** The share of the test digits that it reads, where that was measured again. */
  readonly accuracy: number | undefined;
  /** The result of its last measured step. */
  readonly layers: readonly LayerStep[];
}

/** From the worker that trains to the page. */
export type TrainingReply =
  | {
      readonly type: "trained";
      /** The number of the training, one more for each. */
      readonly run: number;
      readonly step: number;
      readonly steps: number;
      readonly epoch: number;
      readonly contenders: readonly ContenderFrame[];
      readonly isPlaying: boolean;
    }
  | {
      readonly type: "reading";
      readonly image: Float32Array;
      /** The digit, where it is known. */
      readonly label: number | undefined;
      readonly readings: readonly { readonly optimizer: OptimizerName; readonly probabilities: Float64Array }[];
    }
  | { readonly type: "training refused"; readonly message: string };

export type Request = RaceRequest | TrainingRequest;
export type Reply = RaceReply | TrainingReply;
