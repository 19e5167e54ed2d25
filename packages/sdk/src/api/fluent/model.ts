import type { ModelHandle } from "../../handle.js";
import type { LossName } from "../../types/arguments.js";
import { refuseReceiver, refuseSurplus } from "../../values/refuse.js";
import { loss } from "../functions/losses.js";
import { model, train } from "../functions/models.js";
import { free } from "../functions/objects.js";
import { readDataset } from "./dataset.js";
import { evaluation, type TrainingContext } from "./evaluation.js";
import { fit } from "./fit.js";
import { validateBatchSize, validateFitOptions } from "./fit-options.js";
import type { Figures, FitData, FitEvent, FitOptions } from "./fit-types.js";
import { type Held, release } from "./held.js";
import type { Module } from "./module.js";
import type { Optimizer } from "./optimizer.js";
import { checkTraining } from "./running-trainings.js";

/** A module with the loss and the optimizer that train it. */
export class Model implements Held<ModelHandle> {
  #handle: ModelHandle | undefined;
  /** The module that is trained. */
  readonly module: Module;
  /** The name of the loss. */
  readonly loss: LossName;
  /** The optimizer that trains it. */
  readonly optimizer: Optimizer;

  /** A model of a module, the name of a loss and an optimizer. */
  constructor(module: Module, loss: LossName, optimizer: Optimizer);
  constructor(module: Module, lossName: LossName, optimizer: Optimizer, ...surplus: readonly unknown[]) {
    refuseSurplus("Model", surplus);
    // The engine has the list of losses.
    free(loss(lossName));
    this.module = module;
    this.loss = lossName;
    this.optimizer = optimizer;
  }

  /** Fails if a method was called on anything but a model. */
  static #check(receiver: Model): void {
    if (!(#handle in Object(receiver))) refuseReceiver("Model", receiver);
  }

  /** The three as a model of the k-api, for its functions; made when it is first read. */
  get handle(): ModelHandle {
    Model.#check(this);
    if (this.#handle === undefined) {
      const made = loss(this.loss);
      try {
        this.#handle = model(this.module.handle, made, this.optimizer.handle);
      } finally {
        free(made);
      }
    }
    return this.#handle;
  }

  /**
   * Trains the module, and reports its progress. It works only while the next event is awaited, and gives timers and signals a turn
   * between two steps.
   *
   * A signal ends the training after the present step, with a `done` event whose reason is `aborted`; it throws nothing. Module
   * and optimizer are then as that step left them, and so they are if the loop is left by `break`.
   *
   * Settings of `train` for {@link handle} count if the options leave them out. The order is an exception: `fit` shuffles unless
   * its own option forbids it.
   *
   * While one training is running, another one of the same module, optimizer or parameters is an error.
   *
   * @example
   * ```ts
   * for await (const event of model.fit({ inputs, targets }, { epochs: 3, signal })) {
   *   if (event.type === "epoch") console.log(event.loss);
   * }
   * ```
   */
  fit(data: FitData, options?: FitOptions): AsyncGenerator<FitEvent, void, undefined>;
  fit(
    data: FitData,
    options: FitOptions = {},
    ...surplus: readonly unknown[]
  ): AsyncGenerator<FitEvent, void, undefined> {
    // Errors are thrown here, and not when the first event is awaited.
    refuseSurplus("fit", surplus);
    Model.#check(this);
    const validated = validateFitOptions(data, options, this.#handle && train(this.#handle));
    checkTraining(this.#context());
    return fit(this.#context(), validated);
  }

  /** The loss in use, and the accuracy of a loss of classes. It changes nothing, and settings of `test` do not count. */
  measure(data: FitData, options?: Pick<FitOptions, "batchSize">): Figures;
  measure(data: FitData, options: Pick<FitOptions, "batchSize"> = {}, ...surplus: readonly unknown[]): Figures {
    refuseSurplus("measure", surplus);
    Model.#check(this);
    const size = validateBatchSize(options);
    const work = evaluation(this.#context(), readDataset("measure", data), size);
    for (;;) {
      const next = work.next();
      if (next.done) return next.value;
    }
  }

  /** Frees the module, the optimizer, and the handle if there is one. */
  [Symbol.dispose](): void {
    Model.#check(this);
    if (this.#handle !== undefined) release(this.#handle);
    release(this.optimizer.handle);
    release(this.module.handle);
  }

  #context(): TrainingContext {
    return { module: this.module.handle, loss: this.loss, optimizer: this.optimizer.handle };
  }
}

/** The class of models. */
export type ModelClass = typeof Model;
