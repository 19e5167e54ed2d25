import type { Api } from "../api.js";
import type { OptimizerHandle } from "../handle.js";
import type { Definition, State } from "../results.js";
import { type AnyModule, type AnyTensor, type Held, release, unheld } from "./held.js";
import { refuse } from "./refuse.js";

/** Computes the loss and its gradients, and returns the loss: a number, or a tensor that the step then frees. */
export type Closure = () => number | AnyTensor;

/** An optimizer with its parameter groups and state. */
export interface Optimizer extends Held<OptimizerHandle> {
  /** The learning rate of each group. Set one number for all groups, or one for each. */
  get lr(): readonly number[];
  set lr(rates: number | readonly number[]);
  /** Updates every parameter that has a gradient. */
  step(): void;
  /** Updates every parameter, with a closure; `lbfgs` needs one. Returns the loss before the step. */
  step(closure: Closure): number;
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

    constructor(handle: OptimizerHandle) {
      this.#handle = handle;
    }

    static restore(state: State, module: AnyModule): Optimizer {
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

    step(): void;
    step(closure: Closure): number;
    step(closure?: Closure): number | undefined {
      if (closure !== undefined && typeof closure !== "function") refuse("step", "a function", closure);
      if (closure !== undefined) return api.step(this.#handle, () => unheld(closure()));
      api.step(this.#handle);
      return undefined;
    }

    zeroGrad(): void {
      api.zerograd(this.#handle);
    }

    advance(metric?: number): void {
      if (metric === undefined) api.advance(this.#handle);
      else api.advance(this.#handle, metric);
    }

    state(all?: boolean): State {
      return all === undefined ? api.state(this.#handle) : api.state(this.#handle, all);
    }

    definition(all?: boolean): Definition {
      return all === undefined ? api.opt(this.#handle) : api.opt(this.#handle, all);
    }

    [Symbol.dispose](): void {
      release(api, this.#handle);
    }
  };
}
