// Data, options and events of a training.

import type { NonFinitePolicy } from "../../types/arguments.js";
import type { AnyTensor } from "../../types/objects.js";
import type { TensorData } from "../../types/tensor-data.js";

/** Inputs with a target for each: tensors, or plain numbers that become tensors. */
export interface FitData {
  /** Inputs along dimension 0. */
  readonly inputs: AnyTensor | TensorData;
  /** As many targets along dimension 0. */
  readonly targets: AnyTensor | TensorData;
}

/** How a model is trained. */
export interface FitOptions {
  /** The number of passes over the data. Default 1. */
  readonly epochs?: number;
  /** Samples of a batch; the last batch of an epoch may have fewer. Default: the `batchsize` of `train`, or 32. */
  readonly batchSize?: number;
  /** The name that `train` has for `batchSize`. Only one of them may be given. */
  readonly batchsize?: number;
  /**
   * Whether each epoch draws a new order of the samples from the generator of the session. Default true, whatever `train` sets;
   * `run` and `batch` of a model do not shuffle by default.
   */
  readonly shuffle?: boolean;
  /** When a bound schedule advances, with the loss as the metric. Default `step`. */
  readonly advance?: "step" | "epoch";
  /** Largest norm of all gradients as one vector. A number > 0. Excludes `clipvalue`. Default null. */
  readonly clipnorm?: number | null;
  /** Largest element of a gradient. A number > 0. Excludes `clipnorm`. Default null. */
  readonly clipvalue?: number | null;
  /**
   * How a step treats gradients that are not finite. A schedule and the figures of the epoch count such a step too. Default
   * `propagate`.
   */
  readonly nonfinite?: NonFinitePolicy;
  /** Stops the training after the present step. */
  readonly signal?: AbortSignal;
  /** Data on which the model is measured after each epoch. */
  readonly validation?: FitData;
}

/** How a model is measured. */
export type MeasureOptions = Pick<FitOptions, "batchSize" | "batchsize">;

/** Loss and accuracy of a model on data. */
export interface Figures {
  /** The mean over all samples; for `ce` and `nll` over all classes except -100, and 0 without any. */
  readonly loss: number;
  /**
   * The share of samples whose class is right, in [0, 1], without samples of class -100; NaN without any. A sample with an output that is not a
   * number is wrong. `run` and `testrun` of the k-api give a percentage instead. Present only for `ce` and `nll` with a class for each sample.
   */
  readonly accuracy?: number;
}

/** A step was made. */
export interface StepEvent {
  /** The kind of event. */
  readonly type: "step";
  /** From 1. */
  readonly epoch: number;
  /** Steps made so far, in all epochs. */
  readonly step: number;
  /** Steps of the whole training, if nothing stops it. */
  readonly steps: number;
  /** The loss of the batch before the step. */
  readonly loss: number;
}

/** An epoch is over. The figures are means over its batches, each before its step. */
export interface EpochEvent extends Figures {
  /** The kind of event. */
  readonly type: "epoch";
  /** From 1. */
  readonly epoch: number;
  /** The model after the epoch, on the validation data if there is any. */
  readonly validation?: Figures;
}

/** Always the last event. */
export interface DoneEvent {
  /** The kind of event. */
  readonly type: "done";
  /** Whether all epochs are over, or a signal ended the training. */
  readonly reason: "finished" | "aborted";
}

/** An event of `fit`. */
export type FitEvent = StepEvent | EpochEvent | DoneEvent;
