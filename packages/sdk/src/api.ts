// The contract: every function with its types and its documentation, and nothing else.

import type {
  ClassLossOptions,
  Device,
  Dtype,
  Implementation,
  LoadOptions,
  LossName,
  LossOptions,
  LossScaleOptions,
  ModuleSpecification,
  OptimizerName,
  OptionArguments,
  Parameters,
  SmoothL1Options,
  StepOptions,
  TensorOptions,
  TestOptions,
  TrainOptions,
} from "./arguments.js";
import type { Numbers, TensorData } from "./arrays.js";
import type { EngineOptions, TypedTensor } from "./binding.js";
import type { OptionsOf } from "./generated/options.js";
import type { ScheduleSpecification } from "./generated/schedules.js";
import type {
  AnyHandle,
  DictionaryHandle,
  LossHandle,
  ModelHandle,
  ModuleHandle,
  OptimizerHandle,
  TensorHandle,
  VectorHandle,
} from "./handle.js";
import type {
  Definition,
  LoadReport,
  LossScale,
  Metrics,
  ModuleHelp,
  ModuleState,
  OptimizerHelp,
  OptionRow,
  PresetHelp,
  SampleOptions,
  ScheduleHelp,
  ScheduleState,
  State,
} from "./results.js";

/** The target of a loss: a tensor, or plain numbers that become one of the type that the loss needs. */
export type Target = TensorHandle | TensorData;

/**
 * The functions of the k-api. Every one throws a `StepwellError` on bad input, and has then changed nothing.
 *
 * Arguments are plain data and handles. A dictionary is an object without a prototype or with that of `Object`, of which the
 * own enumerable properties under strings count, and one that is undefined is not there; lists may be proxies or of a
 * subclass, and have no holes; objects of the fluent layer stand for their handles. Anything else, such as a `Map`, a `Promise`
 * or an instance of a class, is `ERR_ARGUMENT`. A call takes at most 2^24 values beside typed arrays, nested at most 300 deep,
 * and a tensor has at most 64 dimensions.
 */
export interface Api {
  /**
   * Makes a tensor of numbers. Plain numbers become `float` unless told otherwise. For a type with fewer digits each number
   * is rounded once, to the nearest and in a tie to the even one.
   *
   * @param options words such as `"grad"`, `"double"`, `"cuda:1"`, or a dictionary
   */
  tensor(numbers: TensorData, ...options: readonly ("grad" | Dtype | Device | TensorOptions)[]): TensorHandle;
  /**
   * Reads a tensor as nested numbers, at most 2^25 numbers and lists. Whole numbers beyond ±2^53 lose digits: see
   * {@link Api.data}.
   */
  tensor(tensor: TensorHandle): Numbers;
  /**
   * A copy of a tensor's elements as a typed array in row-major order, with its shape. Elements of `half` and `bfloat16`
   * come as a `Float32Array`, exactly.
   */
  data(tensor: TensorHandle): TypedTensor;
  /** A tensor with every element the same. */
  full(
    shape: readonly number[],
    value: number,
    ...options: readonly ("grad" | Dtype | Device | TensorOptions)[]
  ): TensorHandle;
  /** A list of tensors. */
  vector(...tensors: readonly (TensorHandle | TensorData)[]): VectorHandle;
  /**
   * Tensors by name, in JavaScript's order: names that are whole numbers first, by size, and then the others as they were
   * written. A name has no dots and is well-formed text.
   */
  dict(tensors: { readonly [name: string]: TensorHandle | TensorData }): DictionaryHandle;
  /** Overwrites the elements of a tensor, in place. Same shape. */
  copyto(source: TensorHandle | TensorData, target: TensorHandle): void;
  /**
   * Moves a module to a device or converts it, in place; its gradients are dropped. Optimizers keep their state, which the
   * next step converts with it: to `double` where that is what the module is now, and otherwise to `float`.
   */
  to(module: ModuleHandle, ...where: readonly (Device | Dtype)[]): void;
  /** A copy of a tensor on a device or of a type, cut off from the graph. */
  to(tensor: TensorHandle, ...where: readonly (Device | Dtype)[]): TensorHandle;
  /** The element type. */
  dtype(tensor: TensorHandle): Dtype;
  /** Where the tensor lives. */
  device(tensor: TensorHandle): Device;

  /**
   * Makes a module with fresh parameters, drawn from the session's generator (see {@link Api.seed}) as PyTorch's layers
   * draw theirs.
   */
  module(specification: ModuleSpecification): ModuleHandle;
  /** Makes a module as it was when {@link Api.state} told of it. */
  module(state: ModuleState): ModuleHandle;
  /**
   * The container of everything that an optimizer's parameters came from. One module is its own container; several stand
   * under their names, or their positions where they have none; loose tensors under `parms`. Modules are nested at most 128
   * deep, and at most 2^18 of them in a container.
   */
  module(optimizer: OptimizerHandle): ModuleHandle;
  /** The module of a model, shared with it. */
  module(model: ModelHandle): ModuleHandle;
  /** Runs a module as in training: with dropout and batch statistics, recording what `backward` needs. */
  forward(module: ModuleHandle | ModelHandle, input: TensorHandle | TensorData): TensorHandle;
  /** Runs a module as in use: without dropout, with running statistics, recording nothing. */
  evaluate(module: ModuleHandle | ModelHandle, input: TensorHandle | TensorData): TensorHandle;
  /** Dotted names of all descendants, depth first. */
  names(module: ModuleHandle): readonly string[];
  /** Names of the direct children. */
  childnames(module: ModuleHandle): readonly string[];
  /** Dotted names of all parameters, in the order in which an optimizer takes them. */
  parmnames(module: ModuleHandle): readonly string[];
  /** The descendant of a dotted name, shared with the module. */
  child(module: ModuleHandle, name: string): ModuleHandle;
  /** The parameters by dotted name, shared with the module. */
  parms(module: ModuleHandle): DictionaryHandle;
  /** The parameter or buffer of a dotted name, shared with the module: what changes one changes the other. */
  parm(module: ModuleHandle, name: string): TensorHandle;
  /**
   * Saves parameters and buffers by name, in the safetensors format. The file is replaced at once or not at all, also in
   * a crash, and keeps its mode, and its owner where the system lets it. A link is followed, also to a file that is not
   * there yet. Meanwhile a file `.stepwell-….tmp` stands beside it; the next save in that folder removes one that a killed
   * process left.
   */
  save(module: ModuleHandle, path: string): void;
  /**
   * Sets every parameter and buffer of a module from a file in the safetensors format, such as
   * `safetensors.torch.save_file(module.state_dict(), path)` writes. All or nothing. Names and shapes must be the same, and
   * types too unless they are converted with `cast`, as PyTorch's `load_state_dict` always does: what is too large for the
   * module's type becomes infinite. A file of before `num_batches_tracked` may lack that buffer, and then the module keeps its
   * own.
   *
   * @example
   * ```ts
   * load(m, "model.safetensors", { cast: true });
   * const { missing, unexpected, mismatched } = load(m, "pretrained.safetensors", { strict: false });
   * ```
   */
  load(module: ModuleHandle, path: string, options?: LoadOptions & { readonly strict?: true }): void;
  /** Sets what fits by name, shape and type, and tells what does not. A file that cannot be read is still an error. */
  load(module: ModuleHandle, path: string, options: LoadOptions & { readonly strict: false }): LoadReport;
  load(module: ModuleHandle, path: string, options?: LoadOptions): LoadReport | undefined;

  /**
   * Cross entropy of logits `[n, c, *]` with classes `[n, *]`, whole numbers below c, or with probabilities
   * `[n, c, *]`. As `torch.nn.CrossEntropyLoss`, but for a mean of nothing: where every class is the one to be ignored, -100
   * unless `ignore` says otherwise, the loss is 0 with gradients of 0, and not NaN. Any other class that there is not is an
   * error, and so is `ignore` with probabilities.
   */
  ce(input: TensorHandle, target: Target, options?: ClassLossOptions): TensorHandle;
  /**
   * Negative log-likelihood of log-probabilities `[n, c, *]` with classes `[n, *]`. As `torch.nn.NLLLoss`, but for a mean of
   * nothing: see {@link Api.ce}.
   */
  nll(input: TensorHandle, target: Target, options?: ClassLossOptions): TensorHandle;
  /** Squared error of two tensors of one shape. As `torch.nn.MSELoss`. */
  mse(input: TensorHandle, target: Target, options?: LossOptions): TensorHandle;
  /** Absolute error of two tensors of one shape. As `torch.nn.L1Loss`. */
  l1(input: TensorHandle, target: Target, options?: LossOptions): TensorHandle;
  /** Squared error below `beta`, absolute error above. As `torch.nn.SmoothL1Loss`. */
  smoothl1(input: TensorHandle, target: Target, options?: SmoothL1Options): TensorHandle;
  /** Binary cross entropy of probabilities. As `torch.nn.BCELoss`. */
  bce(input: TensorHandle, target: Target, options?: LossOptions): TensorHandle;
  /** Binary cross entropy of logits. As `torch.nn.BCEWithLogitsLoss`. */
  bcewithlogits(input: TensorHandle, target: Target, options?: LossOptions): TensorHandle;

  /**
   * Makes a loss to keep, with its options.
   *
   * @example
   * ```ts
   * const f = loss("smoothl1", { beta: 0.5 });
   * const y = loss(f, x, [1, 2]);
   * ```
   */
  loss(name: "smoothl1", options?: SmoothL1Options): LossHandle;
  loss(name: "ce" | "nll", options?: ClassLossOptions): LossHandle;
  loss(name: LossName, options?: LossOptions): LossHandle;
  /** Applies a loss, or that of a model, as the function of its name does. */
  loss(loss: LossHandle | ModelHandle, input: TensorHandle, target: Target): TensorHandle;
  /** The loss of a model. */
  loss(model: ModelHandle): LossHandle;

  /**
   * A module, a loss and an optimizer under one handle, to be trained by {@link Api.run}. They are shared: their own
   * handles stay what they are, and freeing those takes nothing from the model. The loss must reduce to one number.
   *
   * The optimizer need not train all of the module. `step`, `lr`, `zerograd`, `nograd` and `clip` of a model are those of
   * its optimizer, `forward` and `evaluate` those of its module.
   *
   * @example
   * ```ts
   * const m = module(["linear", 4, 3]);
   * const classifier = model(m, loss("ce"), opt("adam", m));
   * train(classifier, { batchsize: 64, shuffle: true, clipnorm: 1, metrics: ["loss", "accuracy"] });
   * train(classifier, inputs, classes);
   * for (let epoch = 0; epoch < 10; epoch++) console.log(run(classifier));
   * ```
   */
  model(module: ModuleHandle, loss: LossHandle, optimizer: OptimizerHandle): ModelHandle;
  /** How a model is trained. */
  train(model: ModelHandle): SampleOptions<TrainOptions>;
  /** Sets how a model is trained; what is left out stays as it is. */
  train(model: ModelHandle, options: TrainOptions): void;
  /**
   * Sets what a model is trained on: inputs and targets, as many of each along dimension 0. Plain numbers take the type
   * that the module needs; a plain list of targets for `ce` and `nll` is classes, and classes of more dimensions come as
   * a `long` tensor or a `BigInt64Array`. Tensors are shared, not copied; no gradient flows into them.
   *
   * @returns the number of batches
   */
  train(model: ModelHandle, inputs: TensorHandle | TensorData, targets: Target): number;
  /** How a model is tested. */
  test(model: ModelHandle): SampleOptions<TestOptions>;
  /** Sets how a model is tested; what is left out stays as it is. */
  test(model: ModelHandle, options: TestOptions): void;
  /** Sets what a model is tested on, as {@link Api.train} does. */
  test(model: ModelHandle, inputs: TensorHandle | TensorData, targets: Target): number;
  /**
   * Trains a model on all batches, each once. For each: the forward calculation, the loss, its gradients in place of
   * those before, clipping as set, and a step. `lbfgs` gets its closure. Where a batch fails, those before it have been
   * trained on.
   *
   * @returns the loss, or a dictionary where other metrics are set
   */
  run(model: ModelHandle): number | Metrics;
  /**
   * Trains a model on the next batch, as {@link Api.run} does; for a program that shows progress or can be stopped.
   *
   * @returns the loss before the step; undefined after the last batch, and the next call begins the next pass
   * @example
   * ```ts
   * for (let loss = batch(m); loss !== undefined; loss = batch(m)) {
   *   signal.throwIfAborted();
   *   await setImmediate();
   * }
   * ```
   */
  batch(model: ModelHandle): number | undefined;
  /**
   * Tests a model on all of its batches for testing, as `evaluate` runs it. Changes nothing.
   *
   * @returns the loss, or a dictionary where other metrics are set
   */
  testrun(model: ModelHandle): number | Metrics;

  /**
   * Accumulates the gradients of a scalar into every leaf that it was computed from.
   *
   * @param optimizer whose loss scale the scalar is multiplied by: see {@link Api.lossscale}
   */
  backward(tensor: TensorHandle, optimizer?: OptimizerHandle | ModelHandle): void;
  /**
   * The gradient of a tensor; undefined if there is none. That of a parameter of an optimizer that scales losses is told without
   * the scale: see {@link Api.lossscale}.
   */
  grad(tensor: TensorHandle): Numbers | undefined;
  /** Sets the gradient of a tensor. Same shape and type; without the loss scale, as it is told. */
  grad(tensor: TensorHandle, gradient: TensorHandle | TensorData): void;
  /** Whether gradients are computed: one flag, or one for each tensor of the object. */
  gradflag(object: Parameters): boolean | readonly boolean[];
  /**
   * Sets whether gradients are computed. A parameter whose flag is off is frozen: no optimizer updates it, by momentum or
   * weight decay either and whatever gradient lies there; its state, step count and moving average stay; it counts in no
   * norm that a step takes. With the flag on again it goes on from there. `lbfgs` keeps no curvature across a change of the
   * flags: what it remembers is of the parameters that it was learned of, and its next step begins anew. Buffers are no
   * parameters: running statistics follow the module's use.
   *
   * @example
   * ```ts
   * gradflag(child(m, "body"), false); // only the head is trained from here on
   * ```
   */
  gradflag(object: Parameters, flag: boolean): void;
  /** Sets gradients to 0; undefined ones stay undefined. */
  zerograd(object: OptimizerHandle | ModelHandle | Parameters): void;
  /** Makes gradients undefined, which also frees them. */
  nograd(object: OptimizerHandle | ModelHandle | Parameters): void;
  /**
   * Scales all gradients of an object by one factor, in place, so that their norm as one vector is at most `max`. As
   * `torch.nn.utils.clip_grad_norm_`; of an optimizer or a model, the gradients of the optimizer's parameters, also of
   * those that are frozen, which `clipnorm` of a step leaves out. A model that is trained by {@link Api.run} clips inside the step: see its option `clipnorm`.
   *
   * @param max a number > 0
   * @returns the norm before
   */
  clip(object: OptimizerHandle | ModelHandle | Parameters, max: number): number;
  /** Clamps each element of the gradients to `max` and its negative, in place. As `torch.nn.utils.clip_grad_value_`. */
  clipv(object: OptimizerHandle | ModelHandle | Parameters, max: number): void;

  /**
   * Makes an optimizer. The options become the defaults of its parameter groups. An empty list, or nothing at all, is no
   * parameters; what is undefined or null is an error.
   *
   * @example
   * ```ts
   * const m = module(["linear", 128, 10]);
   * const o = opt("adam", m, 0.0002, { decay: 0.02 });
   * const libtorchs = opt("adam", m, 0.0002, { fused: false });
   * ```
   */
  opt<Name extends OptimizerName>(name: Name): OptimizerHandle;
  opt<Name extends OptimizerName>(name: Name, options: OptionsOf[Name] & Implementation): OptimizerHandle;
  opt<Name extends OptimizerName>(
    name: Name,
    parameters: Parameters,
    ...options: OptionArguments<Name, Implementation>
  ): OptimizerHandle;
  opt<Name extends OptimizerName>(
    name: Name,
    group: 0,
    parameters: Parameters,
    ...options: OptionArguments<Name, Implementation>
  ): OptimizerHandle;
  /**
   * An optimizer's definition.
   *
   * @param all false for the learning rate and the options that differ from the optimizer's defaults. Default true.
   */
  opt(optimizer: OptimizerHandle, all?: boolean): Definition;
  /** Adds parameters to the first group, and sets the options that are given. */
  opt(optimizer: OptimizerHandle, parameters: Parameters, ...options: OptionArguments<OptimizerName>): void;
  /**
   * Adds parameters to a group, and sets the options that are given. The number of groups stands for a new group, which
   * starts with the options that the optimizer was made with.
   */
  opt(
    optimizer: OptimizerHandle,
    group: number,
    parameters: Parameters,
    ...options: OptionArguments<OptimizerName>
  ): void;
  /**
   * Makes an optimizer as it was when {@link Api.state} told of it, on the parameters of a module, which are matched by
   * name. Resumes to the bit.
   */
  opt(state: State, module: ModuleHandle): OptimizerHandle;
  /** The optimizer of a model, shared with it. */
  opt(model: ModelHandle): OptimizerHandle;
  /**
   * An optimizer's definition with the state of each parameter: plain data, to save and to restore from. `structuredClone`,
   * `v8.serialize` and `JSON.stringify` keep it to the bit; the last makes one string, which can have about 500 million
   * characters, of four for three bytes.
   */
  state(optimizer: OptimizerHandle, all?: boolean): State;
  /** A module as plain data, parameters included. */
  state(module: ModuleHandle): ModuleState;
  /**
   * Updates every parameter that has a gradient and is not frozen (see {@link Api.gradflag}), in one call and in place.
   * Parameters of `half` and `bfloat16` are updated by way of weights of 32 bits, which are state: `master_param`. Gradients
   * are clipped on their way, and stay as they are.
   *
   * A module stands for the one optimizer that updates parameters of it, and that updates all of its own; without one, or with
   * several, it is an error. It keeps no optimizer alive whose handle was forgotten.
   *
   * @example
   * ```ts
   * step(o, { zerograd: true, clipnorm: 1 });
   * step(o, { nonfinite: "skip" });
   * ```
   */
  step(optimizer: OptimizerHandle | ModelHandle | ModuleHandle, options?: StepOptions): void;
  /**
   * Updates every parameter, with a closure that computes the loss and its gradients and returns the loss, as a number
   * or as a tensor of one element that the step then frees; another tensor is an error and stays. `lbfgs` needs one and calls it as often as it must. If the closure throws,
   * what it throws arrives as it was thrown, and the step has changed no parameter and no state; what the closure itself has
   * done stays, such as a parameter that it wrote or running statistics of a `forward`.
   *
   * A closure is synchronous: a promise is an error. It may call whatever it likes, and what it does to the optimizer counts
   * for this step; for `lbfgs` from its next step on. Only this is an error, and changes nothing: to step or free the
   * optimizer, also by a model that has it; to free everything, or `reset`; to nest steps more than 16 deep; and for the
   * parameters of `lbfgs`, which its line search sets, to add to them, write them or convert them.
   *
   * @param options for `lbfgs`, whose closure clips and zeroes its gradients itself, only `nonfinite`
   * @returns the loss before the step
   */
  step(
    optimizer: OptimizerHandle | ModelHandle | ModuleHandle,
    closure: () => number | TensorHandle,
    options?: StepOptions,
  ): number;
  /**
   * How many steps an optimizer has left out because a gradient was not finite, with `nonfinite: "skip"` or by its loss scale,
   * since it was made or restored. Two readings tell whether the step between them was made.
   */
  skipped(optimizer: OptimizerHandle | ModelHandle): number;
  /** How the losses of an optimizer are scaled; undefined if they are not. */
  lossscale(optimizer: OptimizerHandle | ModelHandle): LossScale | undefined;
  /**
   * Scales losses, so that small gradients do not vanish in 16 bits: `backward(loss, optimizer)` multiplies the gradients by
   * the scale, and `step` divides them by it on their way. A step whose gradients are not finite is skipped whole: it changes
   * nothing but the scale, which backs off. Another policy that a step is given is an error (see {@link StepOptions}). The rule is that of `torch.amp.GradScaler`, with a smallest scale `min` if there is
   * to be one.
   *
   * Gradients of the optimizer's parameters lie in memory multiplied by the scale, and nobody sees it: `grad` tells and takes them
   * without it, `clip` and `clipv` clip and tell the norm as if there were none, and where a step changes the scale, gradients
   * that it does not zero change with it. To change, add or remove the scale here, or to add a parameter, while there are
   * gradients that are not 0 is an error: step, and then `zerograd` or `nograd`. So are `grad` and `clip` of a parameter of two
   * optimizers with different scales, and `clip` of scaled gradients together with others. `step` divides whatever lies there: a
   * `backward` without the optimizer adds gradients that count, and are told, as divided by the scale; a step of another
   * optimizer, and `grad` once this one is freed, take them multiplied.
   *
   * The scale is part of the state. {@link Api.run} and {@link Api.batch} of a model with the optimizer scale, too. A scale
   * beyond the range of the loss, 65504 for `half`, makes infinite gradients, so that the step is skipped. Not for `lbfgs`,
   * nor with `fused: false`.
   *
   * @param options null switches it off
   * @example
   * ```ts
   * lossscale(o, { init: 65536, growth: 2, backoff: 0.5, interval: 2000 });
   * backward(loss, o);
   * step(o, { zerograd: true });
   * console.log(lossscale(o)?.scale);
   * ```
   */
  lossscale(optimizer: OptimizerHandle | ModelHandle, options: LossScaleOptions | LossScale | null): void;
  /**
   * Exchanges each parameter with its moving average, in place, so that a module can be used with the averages; a second
   * call exchanges them back. Meanwhile a step is an error. The averages are those of the option `average` of an optimizer,
   * the share of the past, and part of its state: `param_average`. A parameter without one stays as it is. As
   * `torch.optim.swa_utils.AveragedModel` with `get_ema_multi_avg_fn`, but that a parameter without a gradient keeps its
   * average.
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
  average(optimizer: OptimizerHandle | ModelHandle): boolean;
  /** The learning rate of each group. */
  lr(optimizer: OptimizerHandle | ModelHandle): readonly number[];
  /** Sets one learning rate for all groups, or one for each. */
  lr(optimizer: OptimizerHandle | ModelHandle, rates: number | readonly number[]): void;
  /** The schedule of an optimizer with its progress, as plain data that restores it exactly; undefined if there is none. */
  schedule(optimizer: OptimizerHandle): ScheduleState | undefined;
  /**
   * Binds a schedule, in place of the one before, and sets the learning rates to its first. It starts from the rates as
   * they are, unless it is given with others under `base`; null unbinds, and leaves the rates as they are.
   *
   * The rate of each group is a function of its base rate and of the schedule's progress. So a rate that is set by hand
   * holds until the next `advance`; to change the level, bind anew. A group that is added later has its own base rate,
   * the one that it is added with, and is treated as if it had been there from the beginning.
   *
   * `warmup` is PyTorch's `SequentialLR` of a `LinearLR` and the other: it rises to the base rate, and before `onecycle` to
   * the rate that the cycle begins with, its `max / div`. `chained` is the product of its factors: PyTorch's
   * `ChainedScheduler` for `step`, `multistep`, `exponential`, `linear`, `polynomial` and `cosine` with min 0. With `onecycle`
   * or `restarts` in the chain PyTorch forgets in each step what the others have made of the rate; here they go on from it.
   *
   * @param specification plain data; `schedules` has a function for each kind
   * @example
   * ```ts
   * schedule(o, schedules.warmup({ steps: 100 }, schedules.cosine({ steps: 900, min: 1e-5 })));
   * ```
   */
  schedule(optimizer: OptimizerHandle, specification: ScheduleSpecification | ScheduleState | null): void;
  /**
   * Makes a schedule step: sets the learning rate of each group. As PyTorch's `scheduler.step()` it comes after `step`,
   * once for each batch or once for each epoch, whichever the schedule counts.
   *
   * @param metric what `plateau` watches, and other schedules leave aside; one that is not finite is no improvement
   */
  advance(optimizer: OptimizerHandle, metric?: number): void;

  /** Every optimizer with its options and defaults. */
  help(topic?: "optimizer"): readonly OptimizerHelp[];
  /** Every module with its options and defaults. */
  help(topic: "module"): readonly ModuleHelp[];
  /** Every schedule with its options and defaults. */
  help(topic: "schedule"): readonly ScheduleHelp[];
  /** Options that stand for a published variant of an optimizer; `presets` has them as values. */
  help(topic: "preset"): readonly PresetHelp[];
  /** The options and defaults of an optimizer or module; with `all` also those that the k-api does not know. */
  help(name: string, all?: boolean): OptionRow;

  /** Whether definitions tell all options, or only those that differ from the defaults. Default true. */
  setting(name: "alloptions"): boolean;
  /** Sets it. An argument of `opt` or `state` wins over it. */
  setting(name: "alloptions", value: boolean): void;
  /**
   * How many threads an operation or a step uses at most, in the whole process: a worker's too, and of one that starts later.
   * By default one for each core, or as many as `OMP_NUM_THREADS` says. Results of steps do not depend on it; those of
   * operations may, in their last digits.
   *
   * Each thread of JavaScript computes with so many at a time. A service that answers on its main thread while a worker trains
   * says `setting("threads", cores - 1)`, on either of them, and keeps a core.
   */
  setting(name: "threads"): number;
  /**
   * Sets it, for what begins from now on: a whole number from 1 to 1024. More than the process has cores for are not used. The
   * WebAssembly engine has one thread.
   */
  setting(name: "threads", value: number): void;
  /** From now on the first handle stands for what the second one did, which is freed. */
  use<Kind extends TensorHandle | VectorHandle | DictionaryHandle>(handle: Kind, other: Kind): void;
  /** Reads a tensor and frees it. */
  take(tensor: TensorHandle): Numbers;
  /**
   * Frees objects. Without arguments, all of them.
   *
   * Objects whose handles are forgotten are freed when the garbage collector has found those, a few in each turn of the event
   * loop, and at once where a call finds no memory. It finds none while a program runs without a pause, and it does not know of
   * memory in WebAssembly: a loop should free what it makes.
   */
  free(...handles: readonly AnyHandle[]): void;
  /** What a handle stands for. */
  classof(handle: AnyHandle): "tensor" | "vector" | "dictionary" | "module" | "optimizer" | "loss" | "model";
  /** The kind of an optimizer, module or loss; the element type of a tensor. */
  objtype(handle: OptimizerHandle | ModuleHandle | LossHandle | TensorHandle): string;
  /** Sizes of a tensor's dimensions. */
  size(tensor: TensorHandle): readonly number[];
  /** The number of tensors, or of the parameters of an optimizer or module; of a model, those of its module. */
  size(object: Exclude<AnyHandle, TensorHandle>): number;
  /** The number of tensors; of an optimizer, of those in its state; of a model, of both. */
  tensorcount(handle: AnyHandle): number;
  /** The number of elements in those; a scalar in an optimizer's state is one element. */
  elements(handle: AnyHandle): number;
  /** Bytes of those; a scalar in an optimizer's state has 8. */
  bytes(handle: AnyHandle): number;
  /** How many objects live in this session. */
  handlecount(): number;
  /** Frees every object, and makes the engine what it was at first; one that has stopped (`ERR_ENGINE_POISONED`) too. */
  reset(): void;
  /**
   * Resolves when the engine has started. Nobody has to wait for it, since the first call starts the engine too; on a
   * page's main thread it saves the time of compiling WebAssembly.
   *
   * @param options for the WebAssembly engine, before its first call; the native one takes them without using them
   */
  ready(options?: EngineOptions): Promise<void>;
  /** Restarts the random numbers of initial weights, dropout and permutations. The same seed gives the same numbers. */
  seed(seed: number): void;
  /** The numbers from 0 to n - 1 in random order. */
  randperm(n: number): Float64Array;
}
