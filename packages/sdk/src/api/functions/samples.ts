// The data of a model: its inputs and targets, their order, and the place in a pass over them.

import type { TensorHandle } from "../../handle.js";
import type { AnyModel } from "../../types/objects.js";
import { client } from "../client.js";

/** The inputs on which a model is trained, shared with the model. `train` sets them. */
export function input(model: AnyModel): TensorHandle;
export function input(...args: readonly unknown[]): unknown {
  return client.call("input", args);
}

/** The targets on which a model is trained, shared with the model. `train` sets them. */
export function target(model: AnyModel): TensorHandle;
export function target(...args: readonly unknown[]): unknown {
  return client.call("target", args);
}

/** The number of samples on which a model is trained. */
export function datasize(model: AnyModel): number;
export function datasize(...args: readonly unknown[]): unknown {
  return client.call("datasize", args);
}

/**
 * Ends a pass over the batches for training that has begun, and forgets its metrics. The next `batch` is the first one.
 *
 * @returns the number of batches of a pass
 */
export function batchinit(model: AnyModel): number;
export function batchinit(...args: readonly unknown[]): unknown {
  return client.call("batchinit", args);
}

/**
 * Ends a pass over the batches for training before its last one, as {@link batchinit} does, and keeps its metrics.
 *
 * @returns the number of samples
 */
export function restore(model: AnyModel): number;
export function restore(...args: readonly unknown[]): unknown {
  return client.call("restore", args);
}

/**
 * Draws an order of the samples for training, by the generator of the session, and ends a pass that has begun. All passes have this
 * order until {@link unshuffle} or new data; with the option `shuffle` of `train`, each pass draws its own.
 */
export function shuffle(model: AnyModel): void;
export function shuffle(...args: readonly unknown[]): unknown {
  return client.call("shuffle", args);
}

/** Gives the samples for training the order of the data again, and ends a pass that has begun. */
export function unshuffle(model: AnyModel): void;
export function unshuffle(...args: readonly unknown[]): unknown {
  return client.call("unshuffle", args);
}

/** The inputs on which a model is tested, shared with the model. `test` sets them. */
export function testinput(model: AnyModel): TensorHandle;
export function testinput(...args: readonly unknown[]): unknown {
  return client.call("testinput", args);
}

/** The targets on which a model is tested, shared with the model. `test` sets them. */
export function testtarget(model: AnyModel): TensorHandle;
export function testtarget(...args: readonly unknown[]): unknown {
  return client.call("testtarget", args);
}

/** The number of samples on which a model is tested. */
export function testsize(model: AnyModel): number;
export function testsize(...args: readonly unknown[]): unknown {
  return client.call("testsize", args);
}

/** Ends a pass over the batches for testing, as {@link batchinit} does for training. */
export function testinit(model: AnyModel): number;
export function testinit(...args: readonly unknown[]): unknown {
  return client.call("testinit", args);
}

/** Ends a pass over the batches for testing, as {@link restore} does for training. */
export function testrestore(model: AnyModel): number;
export function testrestore(...args: readonly unknown[]): unknown {
  return client.call("testrestore", args);
}
