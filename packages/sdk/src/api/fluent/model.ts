import type { Api } from "../api.js";
import type { LossName } from "../arguments.js";
import type { ModelHandle } from "../handle.js";
import type { Figures, FitData, FitEvent, FitOptions } from "./fit.js";
import { type Held, release } from "./held.js";
import { measuring, type Trained } from "./measure.js";
import type { Module } from "./module.js";
import type { Optimizer } from "./optimizer.js";
import { batchSizeOf, planOf } from "./plan.js";
import { refuseSurplus } from "./refuse.js";
import { rowsOf } from "./rows.js";
import { train } from "./train.js";
import { checkTraining } from "./trainings.js";

/** A module with the loss and the optimizer that train it. */
export interface Model extends Held<ModelHandle> {
  /** The three as a model of the k-api, for its functions; made when it is first asked for. */
  readonly handle: ModelHandle;
  readonly module: Module;
  readonly loss: LossName;
  readonly optimizer: Optimizer;
  /**
   * Trains the module, and tells of it as it goes: nothing happens but while the next event is awaited. Timers and
   * signals have their turn between two steps.
   *
   * A signal ends the training after the step that it is at, with a `done` event whose reason is `aborted`; it throws
   * nothing. Module and optimizer are then as that step left them, and so they are if the loop is left by `break`.
   *
   * Settings that `train` has made for {@link handle} count where the options leave them out, except the order: `fit`
   * shuffles unless its own option says otherwise.
   *
   * While one training is running, another of the same module, optimizer or parameters is an error.
   *
   * @example
   * ```ts
   * for await (const event of model.fit({ inputs, targets }, { epochs: 3, signal })) {
   *   if (event.type === "epoch") console.log(event.loss);
   * }
   * ```
   */
  fit(data: FitData, options?: FitOptions): AsyncGenerator<FitEvent, void, undefined>;
  /** The loss in use, and the accuracy where there is one. Nothing is changed. What `test` has set does not count. */
  measure(data: FitData, options?: Pick<FitOptions, "batchSize">): Figures;
  /** Frees the module, the optimizer, and the handle if there is one. */
  [Symbol.dispose](): void;
}

/** Makes models. */
export interface ModelClass {
  new (module: Module, loss: LossName, optimizer: Optimizer): Model;
}

/** The class of an engine's models. */
export function modelClass(api: Api): ModelClass {
  return class EngineModel implements Model {
    #handle: ModelHandle | undefined;

    constructor(
      readonly module: Module,
      readonly loss: LossName,
      readonly optimizer: Optimizer,
      ...surplus: readonly unknown[]
    ) {
      refuseSurplus("Model", surplus);
      // The engine knows which losses there are.
      api.free(api.loss(loss));
    }

    get handle(): ModelHandle {
      if (this.#handle === undefined) {
        const loss = api.loss(this.loss);
        try {
          this.#handle = api.model(this.module.handle, loss, this.optimizer.handle);
        } finally {
          api.free(loss);
        }
      }
      return this.#handle;
    }

    fit(
      data: FitData,
      options: FitOptions = {},
      ...surplus: readonly unknown[]
    ): AsyncGenerator<FitEvent, void, undefined> {
      // What is wrong is told here, and not when the first event is awaited.
      refuseSurplus("fit", surplus);
      const plan = planOf(api, data, options, this.#handle && api.train(this.#handle));
      checkTraining(this.#trained());
      return train(this.#trained(), plan);
    }

    measure(data: FitData, options: Pick<FitOptions, "batchSize"> = {}, ...surplus: readonly unknown[]): Figures {
      refuseSurplus("measure", surplus);
      const [size, rows] = [batchSizeOf(options), rowsOf(api, "measure", data)];
      const work = measuring(this.#trained(), rows, size);
      for (;;) {
        const next = work.next();
        if (next.done) return next.value;
      }
    }

    [Symbol.dispose](): void {
      if (this.#handle !== undefined) release(api, this.#handle);
      release(api, this.optimizer.handle);
      release(api, this.module.handle);
    }

    #trained(): Trained {
      return { api, module: this.module.handle, loss: this.loss, optimizer: this.optimizer.handle };
    }
  };
}
