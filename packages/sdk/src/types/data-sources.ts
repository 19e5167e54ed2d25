// Data that come item by item: samples or batches of an iterable, an asynchronous iterable or a stream.

import type { TypedTensor } from "../binding.js";
import type { AnyTensor } from "./objects.js";
import type { TensorData } from "./tensor-data.js";

/** An input or a target: a number, nested numbers, a typed array, one with a shape as `data` returns it, or a tensor. */
export type SampleNumbers = AnyTensor | TensorData | TypedTensor;

/** An input with its target. */
export type Sample =
  | readonly [input: SampleNumbers, target: SampleNumbers]
  | {
      /** The input, without a dimension of samples. */
      readonly input: SampleNumbers;
      /** Its target. */
      readonly target: SampleNumbers;
    };

/** Inputs along dimension 0, with a target for each. */
export type SampleBatch =
  | readonly [inputs: SampleNumbers, targets: SampleNumbers]
  | {
      /** Inputs along dimension 0. */
      readonly inputs: SampleNumbers;
      /** As many targets along dimension 0. */
      readonly targets: SampleNumbers;
    };

/** A stream of the web, which some browsers cannot iterate. */
export interface WebStream<Item> {
  /** The reader of the stream. */
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Item | undefined }>;
    cancel(reason?: unknown): Promise<void>;
  };
}

/** Items in an order: an array, an iterable, an asynchronous iterable, a stream of Node in object mode, or a stream of the web. */
export type Items<Item> = Iterable<Item | PromiseLike<Item>> | AsyncIterable<Item> | WebStream<Item>;

/** Where a pass over a source begins. */
export interface SourceStart {
  /** The epoch, from 1. Of data for validation, the number of the measurement. */
  readonly epoch: number;
  /** Items to be left out at the beginning, if the source says by `skips` that it does. Otherwise 0. */
  readonly skip: number;
  /** Aborts when the items are not needed any more: the pass is over, was aborted, or has failed. */
  readonly signal: AbortSignal;
}

/** Options of sources of samples and of batches. */
export interface SourceOptions {
  /** The number of items of a pass. A pass with more or fewer is an error then, and events tell how many steps there will be. */
  readonly count?: number;
  /** Whether the function leaves out `skip` items itself. Otherwise these are read and dropped. Default false. */
  readonly skips?: boolean;
}

/** Samples one by one. They become batches of `batchSize`, in memory for one batch after the other. */
export interface SampleSource extends SourceOptions {
  /** The samples, or a function that begins them again for each epoch. */
  readonly samples: Items<Sample> | ((start: SourceStart) => Items<Sample> | PromiseLike<Items<Sample>>);
}

/** Batches of any sizes. With `accumulate`, the batches of a step have one size, except that one batch may be smaller. */
export interface BatchSource extends SourceOptions {
  /** The batches, or a function that begins them again for each epoch. */
  readonly batches: Items<SampleBatch> | ((start: SourceStart) => Items<SampleBatch> | PromiseLike<Items<SampleBatch>>);
}

/**
 * Data that need not fit into memory. Each item is copied when it is read, so that a source may use its arrays again. A function begins
 * them again for each epoch; an iterator or a stream has one epoch.
 */
export type DataSource = SampleSource | BatchSource;

/** How items are shuffled. */
export interface ShuffleOptions {
  /**
   * Items in memory, of which the next one is drawn and then replaced, as in `tf.data`. With as many as there are, every order is equally
   * likely. A whole number >= 1. Default 1000.
   */
  readonly buffer?: number;
  /** Draws the orders by this number instead of the generator of the session. A whole number from 0 to 2^53 - 1. */
  readonly seed?: number;
}
