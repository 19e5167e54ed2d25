import type { Api } from "../api.js";
import type { LossScaleOptions, StepOptions } from "../arguments.js";
import type { OptimizerHandle } from "../handle.js";
import type { Definition, LossScale, State } from "../results.js";
import { type AnyModule, type AnyTensor, type Held, release, unheld } from "./held.js";
import { refuse, refuseSurplus } from "./refuse.js";

/** Computes the loss and its gradients, and returns the loss: a number, or a tensor that the step then frees. */
export type Closure = () => number | AnyTensor;

/** An optimizer with its parameter groups and state. */
export interface Optimizer extends Held<OptimizerHandle> {
  /** The learning rate of each group. Set one number for all groups, or one for each. */
  get lr(): readonly number[];
  set lr(rates: number | readonly number[]);
  /** How losses are scaled; undefined if they are not. Set options to switch it on, null to switch it off. */
  get lossScale(): LossScale | undefined;
  set lossScale(options: LossScaleOptions | LossScale | null | undefined);
  /** How many steps were left out because a gradient was not finite. */
  get skipped(): number;
  /** Updates every parameter that has a gradient. */
  step(options?: StepOptions): void;
  /** Updates every parameter, with a closure; `lbfgs` needs one. Returns the loss before the step. */
  step(closure: Closure, options?: StepOptions): number;
  /** Accumulates the gradients of a loss times the loss scale. */
  backward(loss: AnyTensor): void;
  /** Exchanges each parameter with its moving average, and back. Returns whether the parameters are now the averages. */
  average(): boolean;
  /** Sets gradients to 0; undefined ones stay undefined. */
  zeroGrad(): void;
  /** Makes a step of the schedule, which sets the learning rates. */
  advance(metric?: number): void;
  /** The definition with the state of each parameter: plain data, to save and to restore from. */
  state(all?: boolean): State;
  /** The name, the options of each group and a row for each parameter. */
  definition(all?: boolean): Definition;
}

/** Makes optimizers; `optimizer(name)` starts a builder of one. */
export interface OptimizerClass {
  /** The optimizer of a handle. */
  new (handle: OptimizerHandle): Optimizer;
  /** Makes an optimizer as it was when its `state` was told, on a module's parameters of the same names. */
  restore(state: State, module: AnyModule): Optimizer;
}

/** The class of an engine's optimizers. */
export function optimizerClass(api: Api): OptimizerClass {
  return class EngineOptimizer implements Optimizer {
    readonly #handle: OptimizerHandle;

    constructor(handle: OptimizerHandle, ...surplus: readonly unknown[]) {
      refuseSurplus("Optimizer", surplus);
      this.#handle = handle;
    }

    static restore(state: State, module: AnyModule, ...surplus: readonly unknown[]): Optimizer {
      refuseSurplus("restore", surplus);
      return new EngineOptimizer(api.opt(state, unheld(module)));
    }

    get handle(): OptimizerHandle {
      return this.#handle;
    }

    get lr(): readonly number[] {
      return api.lr(this.#handle);
    }

    set lr(rates: number | readonly number[]) {
      api.lr(this.#handle, rates);
    }

    get lossScale(): LossScale | undefined {
      return api.lossscale(this.#handle);
    }

    set lossScale(options: LossScaleOptions | LossScale | null | undefined) {
      api.lossscale(this.#handle, options ?? null);
    }

    get skipped(): number {
      return api.skipped(this.#handle);
    }

    step(options?: StepOptions): void;
    step(closure: Closure, options?: StepOptions): number;
    step(first?: Closure | StepOptions, options?: StepOptions, ...surplus: readonly unknown[]): number | undefined {
      refuseSurplus("step", surplus);
      if (typeof first === "function") {
        const closure = () => unheld(first());
        return options === undefined ? api.step(this.#handle, closure) : api.step(this.#handle, closure, options);
      }
      if (options !== undefined) refuse("step", "a closure as argument 1, before options", first);
      if (first === undefined) api.step(this.#handle);
      else api.step(this.#handle, first);
      return undefined;
    }

    backward(loss: AnyTensor, ...surplus: readonly unknown[]): void {
      refuseSurplus("backward", surplus);
      api.backward(unheld(loss), this.#handle);
    }

    average(...surplus: readonly unknown[]): boolean {
      refuseSurplus("average", surplus);
      return api.average(this.#handle);
    }

    zeroGrad(...surplus: readonly unknown[]): void {
      refuseSurplus("zeroGrad", surplus);
      api.zerograd(this.#handle);
    }

    advance(metric?: number, ...surplus: readonly unknown[]): void {
      refuseSurplus("advance", surplus);
      if (metric === undefined) api.advance(this.#handle);
      else api.advance(this.#handle, metric);
    }

    state(all?: boolean, ...surplus: readonly unknown[]): State {
      refuseSurplus("state", surplus);
      return all === undefined ? api.state(this.#handle) : api.state(this.#handle, all);
    }

    definition(all?: boolean, ...surplus: readonly unknown[]): Definition {
      refuseSurplus("definition", surplus);
      return all === undefined ? api.opt(this.#handle) : api.opt(this.#handle, all);
    }

    [Symbol.dispose](): void {
      release(api, this.#handle);
    }
  };
}
