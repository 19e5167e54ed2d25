// Data, options, events and the history of a training.

import type { TypedTensor } from "../../binding.js";
import type { DistributedOptions, MetricName, TestOptions, TrainOptions } from "../../generated/settings.js";
import type { NonFinitePolicy } from "../../types/arguments.js";
import type { RunObjects } from "../../types/checkpoints.js";
import type { BatchSource, SampleSource, ShuffleOptions } from "../../types/data-sources.js";
import type { AnyTensor } from "../../types/objects.js";
import type { Metrics } from "../../types/results.js";
import type { TensorData } from "../../types/tensor-data.js";
import type { GeneratorState } from "../../values/generator.js";
import type { Checkpoints } from "./checkpoints.js";

/** Inputs with a target for each: tensors, or plain numbers that become tensors. */
export interface FitData {
  /** Inputs along dimension 0. */
  readonly inputs: AnyTensor | TensorData;
  /** As many targets along dimension 0. */
  readonly targets: AnyTensor | TensorData;
}

/** How a model is measured on validation data: options of `test`, and how often. */
export interface ValidationOptions extends Omit<TestOptions, "metrics"> {
  /** Measures after each epoch whose number is a multiple of this, and after the last one. A whole number >= 1. Default 1. */
  readonly every?: number;
  /** Batches of a source that are made ready while another one is measured. A whole number >= 0. Default 2. */
  readonly prefetch?: number;
}

/** Data on which a model is measured after an epoch: in memory, or a source that begins again for each measurement. */
export type ValidationData = (FitData | SampleSource | BatchSource) & ValidationOptions;

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

/** When a training saves itself, and whether it goes on. */
export interface CheckpointSettings {
  /** Saves after so many steps since the last save. A whole number >= 1. */
  readonly steps?: number;
  /** Saves after the first step that ends so many seconds after the last save. A number > 0. */
  readonly seconds?: number;
  /**
   * Goes on from the file, if there is one, in the middle of an epoch too. The data have to be the same, in the same order. A position in
   * data of another kind is an error, after objects were set from the file. Default false.
   */
  readonly resume?: boolean;
  /** More objects and plain data for the file, as for `save`. If the training goes on from the file, objects are set from it. */
  readonly objects?: RunObjects;
}

/**
 * Where and when a training saves itself. A file has `module`, `optimizer` and `training`, the position in the data. It is a file of `save`
 * with the generator of random numbers, so that a training goes on to the bit.
 */
export type CheckpointOptions = CheckpointSettings &
  (
    | {
        /** The file, which each save replaces. */
        readonly path: string;
        readonly folder?: undefined;
      }
    | {
        /**
         * The folder, of which the newest and the best files stay. Scores are figures of the last epoch that is over, of the validation if
         * there is any: the metric of `earlystop`, or else the loss. Until there is one, they are NaN, which is never the best.
         */
        readonly folder: Checkpoints;
        readonly path?: undefined;
      }
  );

/**
 * Where a training is in its epochs and its data, as plain data for the file of a run or for `structuredClone`. Its training goes on from
 * there, to the bit, once module, optimizer and generator are as they were.
 */
export interface TrainingPosition {
  /** The version of this object. */
  readonly version: 1;
  /** The epoch that goes on, from 1; one more than all epochs after the last one. */
  readonly epoch: number;
  /** Steps so far, in all epochs. */
  readonly step: number;
  /** Items of the epoch so far: samples, or batches of a source of batches. */
  readonly taken: number;
  /** The kind of the data. */
  readonly data: "memory" | "samples" | "batches";
  /** Items of the buffer of a shuffle; 1 if there is none. */
  readonly buffer: number;
  /** The key of the order of the epoch, of a source. Empty in the order of the source, and before the key is drawn. */
  readonly key: readonly number[];
  /** The number of items of the epoch, if it is known. */
  readonly total: number | null;
  /** The generator at the beginning of the epoch, if it has drawn the order of data in memory. */
  readonly generator: GeneratorState | null;
  /** Sums of the figures of the epoch: loss, weight, matches, classes, and the losses of the batches if they are a metric. */
  readonly sums: {
    /** Of losses, each multiplied by its weight. */
    readonly loss: number;
    /** Of weights. */
    readonly weight: number;
    /** Of classes that were right. */
    readonly matches: number;
    /** Of classes. */
    readonly classes: number;
    /** Losses of batches. */
    readonly batchloss: readonly number[];
  };
  /** The figures of the epochs that are over. */
  readonly epochs: readonly EpochFigures[];
  /** The best epoch of an early stop, with its weights if these are to be restored. */
  readonly best: {
    /** Its number. */
    readonly epoch: number;
    /** Its metric. */
    readonly value: number;
    /** Parameters and buffers by name; null unless they are kept. */
    readonly weights: { readonly [name: string]: TypedTensor } | null;
  } | null;
  /** Measured epochs in a row without an improvement. */
  readonly waited: number;
}

/**
 * How a model is trained: the options of `train`, and options of a training of several epochs. With a source of batches, these have their own
 * sizes.
 */
export interface FitOptions extends Omit<TrainOptions, "nonfiniteloss" | "metrics" | "shuffle"> {
  /**
   * Draws a new order for each epoch, from the generator of the session. Of a source, items are drawn from a buffer: of 1000, unless
   * options state another number. Default false.
   */
  readonly shuffle?: boolean | ShuffleOptions;
  /**
   * Steps of a source whose data are made ready while another step runs. In memory are the items of the shuffle's buffer, and the items of
   * two steps more than these. A whole number >= 0. Default 2.
   */
  readonly prefetch?: number;
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
  /**
   * Saves the training to a file: when the options say, and at its end, whatever its reason. Unless they say, after each epoch. A `break` of
   * a loop over the events and an error save nothing more. A file that cannot be written is an error before the first step.
   */
  readonly checkpoint?: CheckpointOptions;
  /** Goes on from a position. Module, optimizer and the generator have to be as they were, which `load` does for a file. */
  readonly resume?: TrainingPosition;
  /**
   * Trains with the other processes of the group, or of the environment that `stepwell launch` and `torchrun` set. Without any, this process
   * trains alone. All have the same data and options: options that differ are `ERR_PARAMETER` on each, before the first step. Rank 0
   * decides the order of the samples and the random numbers of all. It tells the events and writes the files; the others have the event
   * `done` alone. A signal of any of them ends the training of all. With `{ sharded: true }`, each process has a part of the state of
   * the optimizer, as for `distributed`. Default false.
   */
  readonly distributed?: boolean | DistributedOptions;
}

/** How a model is measured: the options of `test`. */
export interface MeasureOptions extends Omit<TestOptions, "metrics"> {
  /** Metrics in addition to the loss. Default: `accuracy` for `ce` and `nll`. */
  readonly metrics?: TestOptions["metrics"] & {};
}

/** How a model is measured on a source. */
export interface MeasureSourceOptions extends MeasureOptions {
  /** Batches that are made ready while another one is measured. A whole number >= 0. Default 2. */
  readonly prefetch?: number;
  /** Stops the measurement: the promise rejects with the reason of the signal. */
  readonly signal?: AbortSignal;
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
  /** Steps of the whole training, if nothing stops it. Undefined for a source that does not tell its number of items. */
  readonly steps: number | undefined;
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

/** The training was saved. */
export interface CheckpointEvent {
  /** The kind of event. */
  readonly type: "checkpoint";
  /** From 1. After the last step of an epoch, but before its end, it is this epoch. */
  readonly epoch: number;
  /** Steps so far, in all epochs. */
  readonly step: number;
  /** The file. */
  readonly path: string;
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
export type FitEvent = StepEvent | CheckpointEvent | EpochEvent | DoneEvent;

/** The result of a training. */
export interface FitHistory extends TrainingEnd {
  /** The figures of each epoch. */
  readonly epochs: readonly EpochFigures[];
  /** Steps in all epochs, with those that were left out, such as the last one before the reason `nonfinite`. */
  readonly steps: number;
}
