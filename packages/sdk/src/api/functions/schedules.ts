// Learning rates and the schedules that set them.

import type { ScheduleSpecification } from "../../generated/schedules.js";
import type { AnyModel, AnyOptimizer } from "../../types/objects.js";
import type { ScheduleState } from "../../types/results.js";
import { withJson } from "../../values/json.js";
import { client } from "../client.js";

/** The learning rate of each group. */
export function lr(optimizer: AnyOptimizer | AnyModel): readonly number[];
/** Sets one learning rate for all groups, or one for each. */
export function lr(optimizer: AnyOptimizer | AnyModel, rates: number | readonly number[]): void;
export function lr(...args: readonly unknown[]): unknown {
  return client.call("lr", args);
}

/** The schedule of an optimizer with its progress, as plain data that restores it exactly; undefined if there is none. */
export function schedule(optimizer: AnyOptimizer): ScheduleState | undefined;
/**
 * Binds a schedule in place of the former one, and sets the learning rates to its first rates. It starts from the present rates,
 * unless its `base` has others. Null unbinds, and leaves the rates as they are.
 *
 * The rate of each group is a function of its base rate and of the progress of the schedule. A rate that is set by hand therefore
 * holds until the next `advance`; to change the level, bind anew. The base rate of a group that is added later is the rate that
 * it is added with. It follows the schedule as if it had been there from the beginning.
 *
 * `warmup` is PyTorch's `SequentialLR` of a `LinearLR` and another schedule. It rises to the base rate, and before `onecycle` to the
 * rate that the cycle begins with, its `max / div`.
 *
 * `chained` is the product of its factors. It equals PyTorch's `ChainedScheduler` for `step`, `multistep`, `exponential`, `linear`,
 * `polynomial` and `cosine` with min 0. With `onecycle` or `restarts` in the chain, PyTorch discards the factors of the others in
 * each step; here they stay.
 *
 * @param specification - plain data; `schedules` has a function for each kind
 * @example
 * ```ts
 * schedule(o, schedules.warmup({ steps: 100 }, schedules.cosine({ steps: 900, min: 1e-5 })));
 * ```
 */
export function schedule(optimizer: AnyOptimizer, specification: ScheduleSpecification | ScheduleState | null): void;
export function schedule(...args: readonly unknown[]): unknown {
  return withJson(client.call("schedule", args));
}

/**
 * Makes a schedule step: sets the learning rate of each group. As PyTorch's `scheduler.step()` it follows `step`, once for each
 * batch or once for each epoch, whichever the schedule counts.
 *
 * @param metric - the number that `plateau` watches, and other schedules ignore; one that is not finite is not an improvement
 */
export function advance(optimizer: AnyOptimizer, metric?: number): void;
export function advance(...args: readonly unknown[]): unknown {
  return client.call("advance", args);
}
