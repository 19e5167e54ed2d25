import { isSource } from "../../data/checked-source.js";
import { SourceFailure } from "../../data/source-failure.js";
import { renamed } from "../../errors.js";
import type { LossOptionsOf, ModelLossName } from "../../generated/losses.js";
import { Handle, type LossHandle, type ModelHandle, parts, type TensorHandle } from "../../handle.js";
import { definePrinting, plainStyle, type TextStyle } from "../../inspect.js";
import { partsText } from "../../printing/optimizers.js";
import { optionsText } from "../../printing/options.js";
import type { LossName } from "../../types/arguments.js";
import type { DataSource } from "../../types/data-sources.js";
import type { AnyLoss, AnyModule, AnyOptimizer, Held } from "../../types/objects.js";
import type { LossFunction } from "../../types/own-modules.js";
import { isFunction, isInstance, isList, isRevoked } from "../../values/plain-data.js";
import { refuse, refuseReceiver, refuseSurplus } from "../../values/refuse.js";
import { client } from "../client.js";
import { loss } from "../functions/losses.js";
import { model, test, testrun } from "../functions/models.js";
import { free, objtype } from "../functions/objects.js";
import { batchCalls } from "./batch-calls.js";
import { fit, measured, renamedCalls, type TrainingPlan } from "./fit.js";
import { readData, refuseOthers, requireBatch, setData } from "./fit-data.js";
import { readMeasureOptions, wantsOthers } from "./fit-options.js";
import { planTraining } from "./fit-plan.js";
import type { Figures, FitData, FitOptions, MeasureOptions, MeasureSourceOptions } from "./fit-types.js";
import { checkedHandle, classofIn, release, toHandle } from "./held.js";
import { Module } from "./module.js";
import { Optimizer } from "./optimizer.js";
import { figuresOf } from "./pass.js";
import { planSource } from "./source-plan.js";
import { type SourcePlan, SourceTest } from "./source-steps.js";
import { Tensor } from "./tensor.js";
import { Training } from "./training.js";
import { beforeMeeting } from "./training-processes.js";

/** A loss: its name, its name with options as `loss` takes them, the result of `loss`, or a function of output and target. */
export type LossChoice =
  | ModelLossName
  | LossFunction<Tensor>
  | { readonly [Name in ModelLossName]: readonly [name: Name, options?: LossOptionsOf[Name]] }[ModelLossName]
  | AnyLoss;

/** A module with the loss and the optimizer that train it. */
export class Model implements Held<ModelHandle> {
  #handle: ModelHandle | undefined;
  readonly #loss: LossChoice;
  /** The module that is trained. */
  readonly module: Module;
  /** The name of the loss. */
  readonly loss: LossName | "callback";
  /** The optimizer that trains it. */
  readonly optimizer: Optimizer;

  /**
   * A model of a module, a loss and an optimizer, of either layer. The loss is a name, a name with options such as
   * `["smoothl1", { beta: 0.5 }]`, or a handle, which has to live as long as the model. It may be a function of the output and the
   * target, as for the function `model`; {@link loss} is then `callback`.
   */
  constructor(module: AnyModule, loss: LossChoice, optimizer: AnyOptimizer);
  constructor(module: AnyModule, given: LossChoice, optimizer: AnyOptimizer, ...surplus: readonly unknown[]) {
    refuseSurplus("Model", surplus);
    this.module = isInstance<Module>(module, Module) ? module : new Module(checkedHandle("Model", "module", module));
    this.#loss = isList(given) ? ([...given] as const as LossChoice) : given;
    this.loss = nameOf(this.#loss);
    this.optimizer = isInstance(optimizer, Optimizer)
      ? optimizer
      : new Optimizer(checkedHandle("Model", "optimizer", optimizer, 3));
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
    this.#handle ??= this.#make();
    return this.#handle;
  }

  /**
   * Trains the module. The result is a promise of the history: `await model.fit(data)`. Iterated instead, it is a stream of events,
   * and trains only while the next one is awaited. Each takes place once. The training begins when it is awaited or iterated, and
   * else by itself in the next turn of the event loop. Timers and signals get a turn between two steps.
   *
   * A signal ends the training after the present step, with the reason `aborted`; it throws nothing. A loss that is not finite ends
   * it before its step. Module and optimizer are as the last step left them, and so they are if the iteration is left by `break`.
   *
   * Settings of `train` and `test` for {@link handle} count where options leave them out. Its data and its place in a pass stay.
   * Tensors are shared, not copied. Nested lists are read before the first step, many numbers in slices.
   *
   * Samples or batches of a source are read item by item, ahead of the steps, and copied. They need not fit into memory.
   *
   * While one training is running, another one of the same module, optimizer or parameters is an error. Natively its batches and files are calls on a
   * thread of the engine. During one, the model and all that shares parameters with it are `ERR_BUSY` for other calls, as of a timer or a
   * server. A `clone` of the module predicts then. In the body of a loop over the events nothing runs.
   *
   * @example
   * ```ts
   * const { epochs } = await model.fit({ inputs, targets }, { epochs: 3, shuffle: true });
   * for await (const event of model.fit({ inputs, targets }, { epochs: 3, signal })) {
   *   if (event.type === "epoch") console.log(event.loss);
   * }
   * const source = { samples: () => readSamples("digits.csv") };
   * await model.fit(source, { shuffle: { buffer: 10_000 }, checkpoint: { path, steps: 500, resume: true } });
   * ```
   */
  fit(data: FitData | DataSource, options?: FitOptions): Training;
  fit(data: FitData | DataSource, options: FitOptions = {}, ...surplus: readonly unknown[]): Training {
    // Errors are thrown here, and not when the first event is awaited.
    const plan = beforeMeeting(
      () => wantsOthers(options),
      () => {
        refuseSurplus("fit", surplus);
        Model.#check(this);
        return this.#plan(data, options);
      },
    );
    return new Training(fit(plan), plan);
  }

  /**
   * The loss of the model in use, and the accuracy in percent if the loss is one of classes, unless `metrics` asks for others. It
   * changes nothing. Settings of `test` for {@link handle} count where options leave them out.
   */
  measure(data: FitData, options?: MeasureOptions): Figures;
  /** As before, on samples or batches of a source, with turns of the event loop between batches. */
  measure(data: DataSource, options?: MeasureSourceOptions): Promise<Figures>;
  measure(data: FitData | DataSource, options: MeasureOptions = {}, ...surplus: readonly unknown[]): unknown {
    refuseSurplus("measure", surplus);
    Model.#check(this);
    if (isSource(data)) return this.#measureSource(data, options);
    return this.#with("measure", (own) => {
      test(own, readMeasureOptions(options, test(this.#handle ?? own), this.loss, false)[0]);
      const [samples, others] = readData("measure", data);
      refuseOthers("measure", others);
      requireBatch("measure", setData(test, own, samples));
      const figures = figuresOf(testrun(own));
      free(own);
      return figures;
    });
  }

  async #measureSource(data: DataSource, options: MeasureSourceOptions): Promise<Figures> {
    const [own, plan, signal] = this.#with("measure", (own) => {
      const [forTesting, settings, signal] = readMeasureOptions(options, test(this.#handle ?? own), this.loss, true);
      test(own, forTesting);
      const [plan, others] = planSource("measure", data, settings, test(own), 1) as readonly [SourcePlan, object];
      refuseOthers("measure", others);
      return [own, plan, signal] as const;
    });
    try {
      const figures = await measured(new SourceTest("measure", own, plan, 1, batchCalls(), signal), signal);
      if (figures === undefined) throw signal?.reason;
      return figures;
    } catch (error) {
      throw SourceFailure.unwrapped(renamedCalls(error, "measure"));
    } finally {
      release(own);
    }
  }

  /** The objects that the model holds. @internal */
  [parts](): readonly unknown[] {
    return [this.module, this.optimizer, this.#loss, this.#handle];
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
    const given = toHandle(this.#loss);
    const loss = given instanceof Handle ? given.toJSON() : { loss: this.loss, ...this.#lossOptions() };
    return { module: this.module.toJSON(), loss, optimizer: this.optimizer.toJSON() };
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
    const given = toHandle(this.#loss);
    const loss =
      given instanceof Handle
        ? Handle.textOf(given, inner)
        : `Loss ${this.loss}${optionsText(this.#lossOptions(), inner)}`;
    return partsText([module as string, loss, optimizer as string]);
  }

  /** The options that the loss was given with. */
  #lossOptions(): object {
    return Array.isArray(this.#loss) ? (this.#loss[1] ?? {}) : {};
  }

  /** A new model of the k-api. It belongs to this object, and so to no scope. */
  #make(): ModelHandle {
    return client.withoutScope(() => this.#makeModel());
  }

  #makeModel(): ModelHandle {
    const own = this.#loss;
    if (typeof own === "function") {
      const loss = (output: TensorHandle, target: TensorHandle) => own(new Tensor(output), new Tensor(target));
      return model(this.module, loss, this.optimizer);
    }
    const given = toHandle(own);
    if (given instanceof Handle) return model(this.module, given, this.optimizer);
    const made = makeLoss(given);
    try {
      return model(this.module, made, this.optimizer);
    } finally {
      free(made);
    }
  }

  /** Calls a function with a model of its own, which is freed if the call fails. */
  #with<Result>(where: string, use: (own: ModelHandle) => Result): Result {
    for (const { handle } of [this.module, this.optimizer]) classofIn(where, handle);
    let own: ModelHandle | undefined;
    try {
      own = this.#make();
      return use(own);
    } catch (error) {
      if (own !== undefined) release(own);
      throw renamedCalls(error, where);
    }
  }

  /** Validates the arguments of `fit`. Nothing is trained yet. */
  #plan(data: FitData | DataSource, options: FitOptions): TrainingPlan {
    return this.#with("fit", (own) => {
      const [module, optimizer] = [this.module.handle, this.optimizer.handle];
      return planTraining({ model: own, set: this.#handle ?? own, module, optimizer, loss: this.loss }, data, options);
    });
  }
}

/** The name of a loss, which must exist. The engine has the list of losses. */
function nameOf(given: LossChoice): LossName | "callback" {
  if (isFunction(given)) return "callback";
  const handle = toHandle(given);
  try {
    if (!isRevoked(handle) && handle instanceof Handle) {
      return objtype(checkedHandle("Model", "loss", handle as LossHandle, 2)) as LossName;
    }
    if (typeof given !== "string" && !isList(given)) {
      refuse("Model", "a loss as argument 2: a name, a name with options, or a handle", given);
    }
    const made = makeLoss(given as Exclude<LossChoice, AnyLoss>);
    try {
      return objtype(made) as LossName;
    } finally {
      free(made);
    }
  } catch (error) {
    throw renamed(error, "loss", "Model");
  }
}

function makeLoss(given: unknown): LossHandle {
  const call = loss as (...args: readonly unknown[]) => LossHandle;
  return isList(given) ? call(...given) : call(given);
}

/** The class of models. */
export type ModelClass = typeof Model;
