// Steps of an optimizer, loss scaling, and swapped averages.

import { callAsync } from "../../client/asynchronous-calls.js";
import type { LossScale, LossScaleOptions, StepOptions } from "../../generated/settings.js";
import type { AnyFunction, StepArgument } from "../../types/arguments.js";
import type { AnyModel, AnyModule, AnyOptimizer } from "../../types/objects.js";
import { withJson } from "../../values/json.js";
import { isFunction } from "../../values/plain-data.js";
import { refuse } from "../../values/refuse.js";
import { client } from "../client.js";
import { lossOf } from "./closure-loss.js";

/**
 * Updates every parameter that has a gradient and is not frozen (see {@link gradflag}), in one call and in place. Gradients are
 * clipped for the update, and stay as they are. Parameters of `half` and `bfloat16` are updated through weights of 32 bits, which are
 * state: `master_param`.
 *
 * A module stands for the one optimizer that updates parameters of it, and no others. It is an error if there is none or several.
 * An optimizer whose handle was forgotten is not kept alive by its module.
 *
 * A closure computes the loss and its gradients and returns the loss. The loss is a number, or a tensor of one element that the step
 * then frees; any other tensor is an error and stays. `lbfgs` needs a closure, and calls it as often as its line search asks.
 *
 * An exception of the closure arrives as it was thrown, and the step has then changed no parameter and no state. Changes that the
 * closure itself has made stay, such as a parameter that it wrote or running statistics of a `forward`.
 *
 * A closure is synchronous: a promise is an error. It may call any function, and its changes of the optimizer count for this step;
 * for `lbfgs` from its next step on. Four things are errors, and change nothing:
 *
 * - to step or free the optimizer, also through a model;
 * - to free everything, or `reset`;
 * - to nest steps more than 16 deep;
 * - to add to, write or convert the parameters of `lbfgs`, which its line search sets.
 *
 * @param given - a closure, or options of a step without one
 * @param options - after a closure; for `lbfgs`, whose closure clips and zeroes its gradients itself, only `nonfinite`
 * @returns with a closure, the loss before the step
 * @example
 * ```ts
 * step(o, { zerograd: true, clipnorm: 1 });
 * step(o, { nonfinite: "skip" });
 * const loss = step(o, () => {
 *   zerograd(o);
 *   const loss = mse(forward(m, x), y);
 *   backward(loss);
 *   return loss;
 * });
 * ```
 */
export function step<Given = undefined>(
  optimizer: AnyOptimizer | AnyModel | AnyModule,
  given?: StepArgument<Given>,
  options?: StepOptions,
): Given extends AnyFunction ? number : void;
export function step(...args: readonly unknown[]): unknown {
  const [optimizer, closure, options, ...surplus] = args;
  if (!isFunction(closure)) return client.call("step", args);
  if (surplus.length > 0) refuse("step", "options as the last argument after a closure", surplus[0]);
  return client.stepWithClosure(optimizer, () => lossOf(closure()), options);
}

/**
 * Makes a step as {@link step} does without a closure, on a thread of the engine. Until it is over, the optimizer, its parameters and all
 * that shares them are `ERR_BUSY` for other calls, and the event loop goes on. In WebAssembly the step is made in the next turn of the event loop.
 *
 * @param options - options of the step
 * @example
 * ```ts
 * await stepAsync(o, { zerograd: true });
 * ```
 */
export function stepAsync(optimizer: AnyOptimizer | AnyModel | AnyModule, options?: StepOptions): Promise<void>;
export function stepAsync(...args: readonly unknown[]): Promise<unknown> {
  return callAsync(client, "step", args, { name: "stepAsync" });
}

/**
 * The number of steps that an optimizer has left out since it was made or restored. A step is left out if a gradient is not finite,
 * with `nonfinite: "skip"` or with a loss scale. Two readings show whether the step between them was made.
 */
export function skipped(optimizer: AnyOptimizer | AnyModel): number;
export function skipped(...args: readonly unknown[]): unknown {
  return client.call("skipped", args);
}

/** The scale of the losses of an optimizer; undefined if they are not scaled. */
export function lossscale(optimizer: AnyOptimizer | AnyModel): LossScale | undefined;
/**
 * Scales losses, so that small gradients do not vanish in 16 bits. `backward(loss, optimizer)` multiplies the gradients by the scale,
 * and `step` divides them by it. A step whose gradients are not finite is skipped: it changes only the scale, which backs off. The
 * rule is the one of `torch.amp.GradScaler`, with an optional smallest scale `min`. A step with another policy for such gradients is an
 * error.
 *
 * Gradients of the parameters of the optimizer are stored multiplied by the scale. Functions show them without it: `grad` reads and
 * sets them, and `clip` and `clipv` clip them, as if there were no scale. If a step changes the scale, gradients that it does not zero
 * change with it.
 *
 * While there are gradients that are not 0, it is an error to change, add or remove the scale here, or to add a parameter. Step, and
 * then call `zerograd` or `nograd`. `grad` and `clip` of a parameter of two optimizers with different scales are errors too, and so is
 * `clip` of scaled gradients together with others.
 *
 * `step` divides all gradients of its parameters. A `backward` without the optimizer adds gradients that count, and are shown,
 * divided by the scale. A step of another optimizer, and `grad` after this one is freed, use them multiplied.
 *
 * The scale is part of the state. {@link run} and {@link batch} of a model with the optimizer scale, too. A scale beyond the range of
 * the loss, 65504 for `half`, makes infinite gradients, so that the step is skipped. `lbfgs` and `fused: false` take no scale.
 *
 * @param options - null switches it off
 * @example
 * ```ts
 * lossscale(o, { init: 65536, growth: 2, backoff: 0.5, interval: 2000 });
 * backward(loss, o);
 * step(o, { zerograd: true });
 * console.log(lossscale(o)?.scale);
 * ```
 */
export function lossscale(optimizer: AnyOptimizer | AnyModel, options: LossScaleOptions | LossScale | null): void;
export function lossscale(...args: readonly unknown[]): unknown {
  return withJson(client.call("lossscale", args));
}

/**
 * Swaps each parameter with its moving average, in place, so that a module can be used with the averages. A second call swaps
 * them back. A step between the two is an error.
 *
 * The option `average` of an optimizer makes averages; it is the share of the past. They are part of its state: `param_average`. A
 * parameter without an average stays as it is. As `torch.optim.swa_utils.AveragedModel` with `get_ema_multi_avg_fn`, except that a
 * parameter without a gradient keeps its average.
 *
 * @returns whether the parameters are now the averages
 * @example
 * ```ts
 * const o = opt("adam", m, { average: 0.999 });
 * // ... steps ...
 * average(o);
 * const y = evaluate(m, inputs);
 * average(o);
 * ```
 */
export function average(optimizer: AnyOptimizer | AnyModel): boolean;
export function average(...args: readonly unknown[]): unknown {
  return client.call("average", args);
}
