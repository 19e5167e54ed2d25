// The method `step` of the classes that have one.

import type { StepOptions } from "../../generated/settings.js";
import type { AnyModule, AnyOptimizer, AnyTensor } from "../../types/objects.js";
import { isFunction } from "../../values/plain-data.js";
import { refuse, refuseSurplus } from "../../values/refuse.js";
import { step } from "../functions/steps.js";

/** Computes the loss and its gradients, and returns the loss: a number, or a tensor that the step then frees. */
export type Closure = () => number | AnyTensor;

/** Makes a step, with a closure or without. Returns the loss before the step if there is a closure. */
export function stepOf(
  object: AnyOptimizer | AnyModule,
  first: Closure | StepOptions | undefined,
  options: StepOptions | undefined,
  surplus: readonly unknown[],
): number | undefined {
  refuseSurplus("step", surplus);
  if (isFunction(first)) {
    return options === undefined ? step(object, first) : step(object, first, options);
  }
  if (options !== undefined) refuse("step", "a closure as argument 1, before options", first);
  if (first === undefined) step(object);
  else step(object, first);
  return undefined;
}
