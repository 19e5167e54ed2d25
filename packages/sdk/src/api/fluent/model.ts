import { renamed, StepwellError } from "../../errors.js";
import { Handle, type ModelHandle } from "../../handle.js";
import { definePrinting, plainStyle, type TextStyle } from "../../inspect.js";
import { partsText } from "../../printing/optimizers.js";
import type { LossName } from "../../types/arguments.js";
import type { Held } from "../../types/objects.js";
import { refuse, refuseReceiver, refuseSurplus } from "../../values/refuse.js";
import { loss } from "../functions/losses.js";
import { model, train } from "../functions/models.js";
import { free } from "../functions/objects.js";
import { schedule } from "../functions/schedules.js";
import { readDataset } from "./dataset.js";
import { evaluation, type TrainingContext } from "./evaluation.js";
import { fit } from "./fit.js";
import { validateBatchSize, validateFitOptions } from "./fit-options.js";
import type { Figures, FitData, FitEvent, FitOptions, MeasureOptions } from "./fit-types.js";
import { checkInstance, classofIn, release } from "./held.js";
import { Module } from "./module.js";
import { Optimizer } from "./optimizer.js";
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
    checkInstance("Model", 1, Module, module);
    if (typeof lossName !== "string") refuse("Model", "the name of a loss as argument 2", lossName);
    checkInstance("Model", 3, Optimizer, optimizer);
    checkLoss(lossName);
    this.module = module;
    this.loss = lossName;
    this.optimizer = optimizer;
  }

  static {
    definePrinting(
      Model.prototype,
      () => "Model",
      (model, style) => (#handle in model ? model.#text(style) : "Model"),
    );
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
    const context = this.#context("fit");
    const validated = validateFitOptions(data, options, this.#handle && train(this.#handle));
    if (validated.advance === "epoch" && schedule(context.optimizer) === undefined) {
      throw new StepwellError("ERR_ARGUMENT", "fit: advance: expected an optimizer with a schedule, given one without");
    }
    checkTraining(context);
    return fit(context, validated);
  }

  /** The loss in use, and the accuracy of a loss of classes. It changes nothing, and settings of `test` do not count. */
  measure(data: FitData, options?: MeasureOptions): Figures;
  measure(data: FitData, options: MeasureOptions = {}, ...surplus: readonly unknown[]): Figures {
    refuseSurplus("measure", surplus);
    Model.#check(this);
    const context = this.#context("measure");
    const size = validateBatchSize(options);
    const work = evaluation(context, readDataset("measure", data), size);
    for (;;) {
      const next = work.next();
      if (next.done) return next.value;
    }
  }

  /** The three parts as text, as `console.log` shows them. */
  toString(): string;
  toString(...surplus: readonly unknown[]): string {
    refuseSurplus("toString", surplus);
    Model.#check(this);
    return this.#text(plainStyle);
  }

  /** The states of the module and of the optimizer, and the loss, as JSON. `module` and `opt` take the states back. */
  toJSON(): unknown {
    Model.#check(this);
    return { module: this.module.toJSON(), loss: { loss: this.loss }, optimizer: this.optimizer.toJSON() };
  }

  /** Frees the module, the optimizer, and the handle if there is one. A second call does nothing. */
  dispose(): void;
  dispose(...surplus: readonly unknown[]): void {
    refuseSurplus("dispose", surplus);
    Model.#check(this);
    this[Symbol.dispose]();
  }

  /** Frees the module, the optimizer, and the handle if there is one, at the end of a `using` block. */
  [Symbol.dispose](): void {
    Model.#check(this);
    if (this.#handle !== undefined) release(this.#handle);
    release(this.optimizer.handle);
    release(this.module.handle);
  }

  /** The parts as text. It makes no handle. */
  #text(style: TextStyle): string {
    if (style.depth < 1) return "Model";
    const inner = { ...style, depth: style.depth - 1 };
    const [module, optimizer] = [this.module, this.optimizer].map(({ handle }) => Handle.textOf(handle, inner));
    return partsText([module as string, `Loss ${this.loss}`, optimizer as string]);
  }

  /** The three for a call, which must be live. */
  #context(where: string): TrainingContext {
    for (const { handle } of [this.module, this.optimizer]) classofIn(where, handle);
    return { module: this.module.handle, loss: this.loss, optimizer: this.optimizer.handle };
  }
}

/** Fails unless there is a loss of a name. The engine has the list of losses. */
function checkLoss(name: LossName): void {
  try {
    free(loss(name));
  } catch (error) {
    throw renamed(error, "loss", "Model");
  }
}

/** The class of models. */
export type ModelClass = typeof Model;
