// Data, options, events and the history of a training.

import type { MetricName, TestOptions, TrainOptions } from "../../generated/settings.js";
import type { NonFinitePolicy } from "../../types/arguments.js";
import type { AnyTensor } from "../../types/objects.js";
import type { Metrics } from "../../types/results.js";
import type { TensorData } from "../../types/tensor-data.js";

/** Inputs with a target for each: tensors, or plain numbers that become tensors. */
export interface FitData {
  /** Inputs along dimension 0. */
  readonly inputs: AnyTensor | TensorData;
  /** As many targets along dimension 0. */
  readonly targets: AnyTensor | TensorData;
}

/** Data on which a model is measured after an epoch, with options of `test`. */
export interface ValidationData extends FitData, Omit<TestOptions, "metrics"> {
  /** Measures after each epoch whose number is a multiple of this, and after the last one. A whole number >= 1. Default 1. */
  readonly every?: number;
}

/**
 * When a training ends before its last epoch. The metric is the one of the validation if there is any, and else the one of the
 * training.
 */
export interface EarlyStopOptions {
  /** The metric that has to improve. Default `loss`. */
  readonly metric?: Exclude<MetricName, "batchloss">;
  /** Measured epochs in a row without an improvement after which the training ends. A whole number >= 1. Default 1. */
  readonly patience?: number;
  /** A change counts as an improvement if it is larger. A finite number >= 0. Default 0. */
  readonly mindelta?: number;
  /** Whether an improvement is a smaller or a larger value. Default `min` for `loss`, `max` for the others. */
  readonly mode?: "min" | "max";
  /**
   * Sets parameters and buffers of the module back to the best epoch when the training ends, whichever way. A copy is kept in
   * memory. The state of the optimizer stays. Default false.
   */
  readonly restorebest?: boolean;
}

/** How a model is trained: the options of `train`, and options of a training of several epochs. */
export interface FitOptions extends Omit<TrainOptions, "nonfiniteloss" | "metrics"> {
  /** The number of passes over the data. A whole number >= 1. Default 1. */
  readonly epochs?: number;
  /**
   * How a loss that is not finite is treated. `stop` ends the training before the step, so that parameters and state stay as the
   * last step left them. The other words are as in `train`. Default `stop`, but `propagate` if `nonfinite` is given or set, or if
   * losses are scaled: then gradients decide.
   */
  readonly nonfiniteloss?: "stop" | NonFinitePolicy;
  /**
   * Metrics of each epoch and of the validation, in addition to the loss. Default: `accuracy` for `ce` and `nll`, since figures of a
   * training are for a reader.
   */
  readonly metrics?: TrainOptions["metrics"] & {};
  /** When a bound schedule advances, with the loss as the metric. Default `step`. */
  readonly advance?: "step" | "epoch";
  /** Stops the training after the present step. */
  readonly signal?: AbortSignal;
  /** Data on which the model is measured after an epoch. */
  readonly validation?: ValidationData;
  /** Ends the training if a metric does not improve any more. Default: never. */
  readonly earlystop?: EarlyStopOptions;
}

/** How a model is measured: the options of `test`. */
export interface MeasureOptions extends Omit<TestOptions, "metrics"> {
  /** Metrics in addition to the loss. Default: `accuracy` for `ce` and `nll`. */
  readonly metrics?: TestOptions["metrics"] & {};
}

/** The loss and other metrics of a model on data. Accuracy is there for a loss of classes unless `metrics` is given or set. */
export interface Figures extends Metrics {
  /** The mean of the losses of the batches, weighted by the number of losses that each is the mean of. */
  readonly loss: number;
}

/** A step was made, or left out. */
export interface StepEvent {
  /** The kind of event. */
  readonly type: "step";
  /** From 1. */
  readonly epoch: number;
  /** Steps so far, in all epochs. */
  readonly step: number;
  /** Steps of the whole training, if nothing stops it. */
  readonly steps: number;
  /** The loss of the batches of the step, before it. */
  readonly loss: number;
  /** Whether the step was left out, because a gradient or the loss was not finite. */
  readonly skipped: boolean;
}

/** The figures of an epoch, each batch measured before its step. */
export interface EpochFigures extends Figures {
  /** From 1. */
  readonly epoch: number;
  /** The model after the epoch on the validation data, if it was measured then. */
  readonly validation?: Figures;
}

/** An epoch is over. */
export interface EpochEvent extends EpochFigures {
  /** The kind of event. */
  readonly type: "epoch";
}

/** How a training ended. */
export interface TrainingEnd {
  /**
   * `finished`: all epochs are over. `aborted`: a signal ended it. `earlystop`: the metric did not improve any more. `nonfinite`: a
   * loss was not finite.
   */
  readonly reason: "finished" | "aborted" | "earlystop" | "nonfinite";
  /** The epoch with the best metric; present only with `earlystop`, after a measured epoch. */
  readonly best?: number;
}

/** Always the last event. */
export interface DoneEvent extends TrainingEnd {
  /** The kind of event. */
  readonly type: "done";
}

/** An event of `fit`. */
export type FitEvent = StepEvent | EpochEvent | DoneEvent;

/** The result of a training. */
export interface FitHistory extends TrainingEnd {
  /** The figures of each epoch. */
  readonly epochs: readonly EpochFigures[];
  /** Steps in all epochs, with those that were left out, such as the last one before the reason `nonfinite`. */
  readonly steps: number;
}
