import type { LossScale, LossScaleOptions, StepOptions } from "../../generated/settings.js";
import type { OptimizerHandle } from "../../handle.js";
import type { AnyModule, AnyOptimizer, AnyTensor, Held } from "../../types/objects.js";
import type { Definition, State } from "../../types/results.js";
import { refuse, refuseReceiver, refuseSurplus } from "../../values/refuse.js";
import { backward, zerograd } from "../functions/gradients.js";
import { average, lossscale, opt, skipped, state, step } from "../functions/optimizers.js";
import { advance, lr } from "../functions/schedules.js";
import { checkedHandle, release } from "./held.js";

/** Computes the loss and its gradients, and returns the loss: a number, or a tensor that the step then frees. */
export type Closure = () => number | AnyTensor;

/** An optimizer with its parameter groups and state. `optimizer(name)` starts a builder of one. */
export class Optimizer implements Held<OptimizerHandle> {
  readonly #handle: OptimizerHandle;

  /** The optimizer of a handle, or of another object, whose handle is then shared. */
  constructor(optimizer: AnyOptimizer);
  constructor(optimizer: AnyOptimizer, ...surplus: readonly unknown[]) {
    refuseSurplus("Optimizer", surplus);
    this.#handle = checkedHandle("Optimizer", "optimizer", optimizer);
  }

  /** Makes an optimizer from the result of `state`, on the parameters of a module, which are matched by name. */
  static restore(state: State, module: AnyModule): Optimizer;
  static restore(state: State, module: AnyModule, ...surplus: readonly unknown[]): Optimizer {
    refuseSurplus("restore", surplus);
    return new Optimizer(opt(state, module));
  }

  /** The handle of the object that a method was called on, which may be anything. */
  static #handleOf(receiver: Optimizer): OptimizerHandle {
    return #handle in Object(receiver) ? receiver.#handle : refuseReceiver("Optimizer", receiver);
  }

  /** The handle, for the functions of the k-api. */
  get handle(): OptimizerHandle {
    return Optimizer.#handleOf(this);
  }

  /** The learning rate of each group. Set one number for all groups, or one for each. */
  get lr(): readonly number[] {
    return lr(Optimizer.#handleOf(this));
  }

  set lr(rates: number | readonly number[]) {
    lr(Optimizer.#handleOf(this), rates);
  }

  /** The scale of losses; undefined if they are not scaled. Set options to switch it on, null to switch it off. */
  get lossScale(): LossScale | undefined {
    return lossscale(Optimizer.#handleOf(this));
  }

  set lossScale(options: LossScaleOptions | LossScale | null | undefined) {
    lossscale(Optimizer.#handleOf(this), options ?? null);
  }

  /** The number of steps that were left out because a gradient was not finite. */
  get skipped(): number {
    return skipped(Optimizer.#handleOf(this));
  }

  /** Updates every parameter that has a gradient. */
  step(options?: StepOptions): void;
  /** Updates every parameter, with a closure; `lbfgs` needs one. Returns the loss before the step. */
  step(closure: Closure, options?: StepOptions): number;
  step(first?: Closure | StepOptions, options?: StepOptions, ...surplus: readonly unknown[]): number | undefined {
    refuseSurplus("step", surplus);
    if (typeof first === "function") {
      return options === undefined
        ? step(Optimizer.#handleOf(this), first)
        : step(Optimizer.#handleOf(this), first, options);
    }
    if (options !== undefined) refuse("step", "a closure as argument 1, before options", first);
    if (first === undefined) step(Optimizer.#handleOf(this));
    else step(Optimizer.#handleOf(this), first);
    return undefined;
  }

  /** Accumulates the gradients of a loss, multiplied by the loss scale. */
  backward(loss: AnyTensor): void;
  backward(loss: AnyTensor, ...surplus: readonly unknown[]): void {
    refuseSurplus("backward", surplus);
    backward(loss, Optimizer.#handleOf(this));
  }

  /** Exchanges each parameter with its moving average, and back. Returns whether the parameters are now the averages. */
  average(): boolean;
  average(...surplus: readonly unknown[]): boolean {
    refuseSurplus("average", surplus);
    return average(Optimizer.#handleOf(this));
  }

  /** Sets gradients to 0; undefined ones stay undefined. */
  zeroGrad(): void;
  zeroGrad(...surplus: readonly unknown[]): void {
    refuseSurplus("zeroGrad", surplus);
    zerograd(Optimizer.#handleOf(this));
  }

  /** Makes a step of the schedule, which sets the learning rates. */
  advance(metric?: number): void;
  advance(metric?: number, ...surplus: readonly unknown[]): void {
    refuseSurplus("advance", surplus);
    if (metric === undefined) advance(Optimizer.#handleOf(this));
    else advance(Optimizer.#handleOf(this), metric);
  }

  /** The definition with the state of each parameter: plain data, to save and to restore from. */
  state(all?: boolean): State;
  state(all?: boolean, ...surplus: readonly unknown[]): State {
    refuseSurplus("state", surplus);
    return all === undefined ? state(Optimizer.#handleOf(this)) : state(Optimizer.#handleOf(this), all);
  }

  /** The name, the options of each group and a row for each parameter. */
  definition(all?: boolean): Definition;
  definition(all?: boolean, ...surplus: readonly unknown[]): Definition {
    refuseSurplus("definition", surplus);
    return all === undefined ? opt(Optimizer.#handleOf(this)) : opt(Optimizer.#handleOf(this), all);
  }

  /** Frees the optimizer. A second call does nothing. */
  [Symbol.dispose](): void {
    release(Optimizer.#handleOf(this));
  }
}

/** The class of optimizers. */
export type OptimizerClass = typeof Optimizer;
