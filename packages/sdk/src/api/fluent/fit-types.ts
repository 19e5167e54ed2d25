// What a training takes and what it tells.

import type { NonFinitePolicy } from "../arguments.js";
import type { TensorData } from "../arrays.js";
import type { AnyTensor } from "./held.js";

/** Inputs with a target for each: rows of tensors, or plain numbers that become one. */
export interface FitData {
  readonly inputs: AnyTensor | TensorData;
  readonly targets: AnyTensor | TensorData;
}

/** How a model is trained. */
export interface FitOptions {
  /** How often it sees all of the data. Default 1. */
  readonly epochs?: number;
  /** How many rows a step is made from; the last batch of an epoch may have fewer. Default 32. */
  readonly batchSize?: number;
  /** Whether each epoch has the rows in an order of its own, drawn from the session's generator. Default true. */
  readonly shuffle?: boolean;
  /** When a schedule that is bound to the optimizer advances, with the loss as the metric. Default `step`. */
  readonly advance?: "step" | "epoch";
  /** Largest norm of all gradients as one vector. A number > 0. Excludes `clipvalue`. Default null. */
  readonly clipnorm?: number | null;
  /** Largest element of a gradient. A number > 0. Excludes `clipnorm`. Default null. */
  readonly clipvalue?: number | null;
  /**
   * What becomes of a step whose gradients are not finite. A schedule counts it all the same, and so do the figures of its
   * epoch. Default `propagate`.
   */
  readonly nonfinite?: NonFinitePolicy;
  /** Stops the training after the step that it is at. */
  readonly signal?: AbortSignal;
  /** Data that the model is measured on after each epoch. */
  readonly validation?: FitData;
}

/** What a model does on data. */
export interface Figures {
  /** The mean over all rows; for `ce` and `nll` over all classes but -100, and 0 of none. */
  readonly loss: number;
  /**
   * The share of rows that are put in the right class, without those of class -100; NaN of none. A row with an output that is
   * not a number is not. There only for `ce` and `nll` with a class for each row.
   */
  readonly accuracy?: number;
}

/** A step was made. */
export interface StepEvent {
  readonly type: "step";
  /** From 1. */
  readonly epoch: number;
  /** Steps made so far, in all epochs. */
  readonly step: number;
  /** Steps there will be if nothing stops the training. */
  readonly steps: number;
  /** The loss of the batch before the step. */
  readonly loss: number;
}

/** An epoch is over. The figures are those of its batches, each before its step. */
export interface EpochEvent extends Figures {
  readonly type: "epoch";
  /** From 1. */
  readonly epoch: number;
  /** The model after the epoch, on the validation data; there only if there is some. */
  readonly validation?: Figures;
}

/** Always the last event. */
export interface DoneEvent {
  readonly type: "done";
  readonly reason: "finished" | "aborted";
}

/** What `fit` tells of. */
export type FitEvent = StepEvent | EpochEvent | DoneEvent;
