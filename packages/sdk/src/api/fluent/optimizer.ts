import type { AnyOptions } from "../../generated/options.js";
import type { ScheduleSpecification } from "../../generated/schedules.js";
import type { LossScale, LossScaleOptions, StepOptions } from "../../generated/settings.js";
import type { OptimizerHandle } from "../../handle.js";
import type { Parameters } from "../../types/arguments.js";
import type { AnyModule, AnyOptimizer, AnyTensor } from "../../types/objects.js";
import type { Definition, ScheduleState, State } from "../../types/results.js";
import { refuseReceiver, refuseSurplus } from "../../values/refuse.js";
import { backward } from "../functions/gradients.js";
import { module } from "../functions/modules.js";
import { objtype, size } from "../functions/objects.js";
import { opt, state } from "../functions/optimizers.js";
import { advance, lr, schedule } from "../functions/schedules.js";
import { average, lossscale, skipped, stepAsync } from "../functions/steps.js";
import { checkedHandle } from "./held.js";
import { HeldObject } from "./held-object.js";
import { Module } from "./module.js";
import { type Closure, stepOf } from "./step.js";

/** An optimizer with its parameter groups and state. `optimizer(name)` starts a builder of one. */
export class Optimizer extends HeldObject<OptimizerHandle> {
  readonly #handle: OptimizerHandle;

  /** The optimizer of a handle, or of another object, whose handle is then shared. */
  constructor(optimizer: AnyOptimizer);
  constructor(optimizer: AnyOptimizer, ...surplus: readonly unknown[]) {
    refuseSurplus("Optimizer", surplus);
    const handle = checkedHandle("Optimizer", "optimizer", optimizer);
    super("optimizer", handle);
    this.#handle = handle;
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

  /** The name: `adamw`, `lamb` and so on. */
  get type(): string {
    return objtype(Optimizer.#handleOf(this));
  }

  /** The number of parameters. */
  get size(): number {
    return size(Optimizer.#handleOf(this));
  }

  /** The schedule with its progress; undefined if there is none. Set one to bind it, null to unbind it. */
  get schedule(): ScheduleState | undefined {
    return schedule(Optimizer.#handleOf(this));
  }

  set schedule(specification: ScheduleSpecification | ScheduleState | null | undefined) {
    schedule(Optimizer.#handleOf(this), specification ?? null);
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

  /** The container of all objects that the parameters came from: the module itself if there is one. */
  module(): Module;
  module(...surplus: readonly unknown[]): Module {
    refuseSurplus("module", surplus);
    return new Module(module(Optimizer.#handleOf(this)));
  }

  /**
   * Adds parameters to a group, and sets the given options. A group whose index is the number of groups is new, and starts with
   * the options that the optimizer was made with.
   */
  addParameters(group: number, parameters: Parameters, options?: AnyOptions): this;
  addParameters(group: number, parameters: Parameters, options: AnyOptions = {}, ...surplus: readonly unknown[]): this {
    refuseSurplus("addParameters", surplus);
    opt(Optimizer.#handleOf(this), group, parameters, options);
    return this;
  }

  /** Updates every parameter that has a gradient. */
  step(options?: StepOptions): void;
  /** Updates every parameter, with a closure; `lbfgs` needs one. Returns the loss before the step. */
  step(closure: Closure, options?: StepOptions): number;
  step(first?: Closure | StepOptions, options?: StepOptions, ...surplus: readonly unknown[]): number | undefined {
    return stepOf(Optimizer.#handleOf(this), first, options, surplus);
  }

  /** Updates every parameter that has a gradient, on a thread of the engine; until it is over, its objects are `ERR_BUSY`. */
  stepAsync(options?: StepOptions): Promise<void>;
  async stepAsync(options?: StepOptions, ...surplus: readonly unknown[]): Promise<void> {
    refuseSurplus("stepAsync", surplus);
    await stepAsync(Optimizer.#handleOf(this), options);
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
}

/** The class of optimizers. */
export type OptimizerClass = typeof Optimizer;
