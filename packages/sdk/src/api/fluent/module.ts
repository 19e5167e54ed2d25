import { callAsync } from "../../client/asynchronous-calls.js";
import type { StepOptions } from "../../generated/settings.js";
import type { DictionaryHandle, ModuleHandle, TensorHandle } from "../../handle.js";
import type { Device, Dtype, Selector } from "../../types/arguments.js";
import type { ModuleLoadOptions } from "../../types/checkpoints.js";
import type { ModuleSource, ModuleSpecification } from "../../types/layers.js";
import type { AnyModel, AnyModule, AnyTensor } from "../../types/objects.js";
import type { ModuleInputs } from "../../types/own-modules.js";
import type { LoadReport, ModuleState } from "../../types/results.js";
import { presentInputs } from "../../values/inputs.js";
import { refuse, refuseReceiver, refuseSurplus } from "../../values/refuse.js";
import { client } from "../client.js";
import { load, loadAsync, save, saveAsync } from "../functions/files.js";
import { freeze, gradflag, unfreeze } from "../functions/gradients.js";
import { child, childnames, copyparms, module, names, parm, parmnames, parms } from "../functions/modules.js";
import { objtype, size } from "../functions/objects.js";
import { state } from "../functions/optimizers.js";
import { stepAsync } from "../functions/steps.js";
import { to } from "../functions/tensors.js";
import { checkedHandle } from "./held.js";
import { HeldObject } from "./held-object.js";
import { type ModuleBase, OwnModule, ownObjectOf } from "./own-module.js";
import { type Closure, stepOf } from "./step.js";
import { Tensor } from "./tensor.js";

/**
 * A module with its parameters.
 *
 * A class that extends it is a module of its own: its constructor calls `super()` and assigns tensors and modules, and its `forward`
 * calculates. A leaf tensor with `"grad"` is a parameter, under the name of its property. Modules are children, also in arrays and
 * dictionaries: `blocks.0.weight`. PyTorch has the same names for the same class. All are assigned before the module is first used:
 * one that is assigned later is `ERR_PARAMETER` at the next use. A pass that assigns a new parameter fails with it. Private fields (`#x`) are not seen.
 *
 * `forward` gets a {@link Tensor} for each input, of which the last ones may be optional, and returns a tensor or a list of them. The pass frees everything
 * else that it makes, as {@link scoped} does. It is synchronous. It may call every function, except to free its inputs or the module, or to run or free the model
 * that calls it: `ERR_BUSY`. An exception arrives as it was thrown, and the pass has then changed nothing.
 *
 * @typeParam Outputs - the outputs of `forward`: one tensor, or a list
 * @example
 * ```ts
 * class Block extends Module {
 *   readonly inner = Module.of(["linear", 4, 4]);
 *   readonly scale = Tensor.of([1], "grad");
 *   override forward(x: Tensor): Tensor {
 *     return this.inner.forward(x).tanh().mul(this.scale).add(x);
 *   }
 * }
 * const m = new Block();
 * const o = opt("adam", m); // trains inner.weight, inner.bias and scale
 * ```
 */
export class Module<Outputs extends Tensor | readonly Tensor[] = Tensor> extends HeldObject<ModuleHandle> {
  readonly #handle: ModuleHandle | OwnModule;

  /** The module of a handle, or of another object, whose handle is then shared. */
  constructor(module: AnyModule);
  /** A module of a class that extends this one. */
  constructor();
  constructor(...given: readonly unknown[]) {
    if (given.length === 0 && new.target !== Module) {
      let own: OwnModule | undefined;
      super("module", {
        get isMade() {
          return own?.isMade === true;
        },
        handle: () => (own as OwnModule).handle(),
      });
      own = new OwnModule(this as unknown as ConstructorParameters<typeof OwnModule>[0], Module.#base);
      this.#handle = own;
      return;
    }
    const [module, ...surplus] = given;
    refuseSurplus("Module", surplus);
    const handle = checkedHandle("Module", "module", module as AnyModule);
    super("module", handle);
    this.#handle = handle;
  }

  /** Makes a module with fresh parameters, or from the result of `state`. */
  static of<const Source>(source: ModuleSource<Source>): Module;
  static of(source: ModuleSpecification | ModuleState, ...surplus: readonly unknown[]): Module {
    refuseSurplus("of", surplus);
    return new Module(module(source));
  }

  /** The handle of the object that a method was called on, which may be anything. */
  static #handleOf(receiver: object): ModuleHandle {
    const object = Object(receiver) as object;
    if (!(#handle in object)) return refuseReceiver("Module", receiver);
    const handle = object.#handle;
    return handle instanceof OwnModule ? handle.handle() : handle;
  }

  /** Fails if a method was called on anything but a module. */
  static #handleIn(receiver: object): void {
    if (!(#handle in (Object(receiver) as object))) refuseReceiver("Module", receiver);
  }

  /** This class, for the modules of classes that extend it. */
  static readonly #base: ModuleBase = {
    forward: Module.prototype.forward as (...inputs: readonly unknown[]) => unknown,
    of: (handle) => new Module(handle),
    make: (of) => Reflect.construct(Module, [], of.constructor),
    ownOf: (module) => (#handle in module && module.#handle instanceof OwnModule ? module.#handle : undefined),
  };

  /**
   * Whether the pass trains that runs: true in `forward`, `run` and `fit`, false in `evaluate`, `testrun` and validation. Outside of a
   * pass it is true.
   */
  get training(): boolean {
    Module.#handleIn(this);
    return client.isTraining;
  }

  /**
   * Assigns a tensor to a property of an own module, and makes it a buffer: part of its state, and not trained. Call it in the
   * constructor.
   */
  protected registerBuffer(name: string, tensor: AnyTensor): void;
  protected registerBuffer(name: string, tensor: AnyTensor, ...surplus: readonly unknown[]): void {
    refuseSurplus("registerBuffer", surplus);
    Module.#handleIn(this);
    const own = this.#handle;
    if (!(own instanceof OwnModule)) refuse("registerBuffer", "a module of a class of its own", "a module of a handle");
    own.registerBuffer(name, tensor);
  }

  /** Dotted names of all parameters, in the order in which an optimizer takes them. */
  get parameters(): readonly string[] {
    return parmnames(Module.#handleOf(this));
  }

  /** The kind of module: `linear`, `sequential` and so on. */
  get type(): string {
    return objtype(Module.#handleOf(this));
  }

  /** The number of parameters. */
  get size(): number {
    return size(Module.#handleOf(this));
  }

  /** Whether gradients are computed, for each parameter. Set one flag for all: false freezes the module. */
  get requiresGrad(): boolean | readonly boolean[] {
    return gradflag(Module.#handleOf(this));
  }

  set requiresGrad(flag: boolean) {
    gradflag(Module.#handleOf(this), flag);
  }

  /** Names of the direct children. */
  childNames(): readonly string[];
  childNames(...surplus: readonly unknown[]): readonly string[] {
    refuseSurplus("childNames", surplus);
    return childnames(Module.#handleOf(this));
  }

  /** Dotted names of all descendants, depth first. */
  names(): readonly string[];
  names(...surplus: readonly unknown[]): readonly string[] {
    refuseSurplus("names", surplus);
    return names(Module.#handleOf(this));
  }

  /** The descendant of a dotted name, shared with the module. */
  child(name: string): Module;
  child(name: string, ...surplus: readonly unknown[]): Module {
    refuseSurplus("child", surplus);
    return new Module(child(Module.#handleOf(this), name));
  }

  /** The parameter or buffer of a dotted name, shared with the module. */
  parameter(name: string): Tensor;
  parameter(name: string, ...surplus: readonly unknown[]): Tensor {
    refuseSurplus("parameter", surplus);
    return new Tensor(parm(Module.#handleOf(this), name));
  }

  /** The parameters by dotted name, shared with the module. */
  parameterDictionary(): DictionaryHandle;
  parameterDictionary(...surplus: readonly unknown[]): DictionaryHandle {
    refuseSurplus("parameterDictionary", surplus);
    return parms(Module.#handleOf(this));
  }

  /** Freezes all parameters, or those that are named: steps leave them alone until {@link unfreeze}. */
  freeze(names?: Selector): this;
  freeze(names?: Selector, ...surplus: readonly unknown[]): this {
    refuseSurplus("freeze", surplus);
    freeze(Module.#handleOf(this), names as Selector);
    return this;
  }

  /** Ends the freezing of all parameters, or of those that are named. */
  unfreeze(names?: Selector): this;
  unfreeze(names?: Selector, ...surplus: readonly unknown[]): this {
    refuseSurplus("unfreeze", surplus);
    unfreeze(Module.#handleOf(this), names as Selector);
    return this;
  }

  /** A module with copies of the parameters and buffers. */
  clone(): this;
  clone(...surplus: readonly unknown[]): this {
    refuseSurplus("clone", surplus);
    const [handle, members] = client.copyModule([Module.#handleOf(this)]);
    const own = ownObjectOf(handle);
    // Members of a copy in a container belong to no scope, since the container has no object that would hold them.
    if (own !== undefined) client.adopt(members);
    return (own ?? new Module(handle)) as this;
  }

  /** Overwrites the parameters and buffers of another module from this one, all or none. */
  copyParameters(to: AnyModule | AnyModel): void;
  copyParameters(to: AnyModule | AnyModel, ...surplus: readonly unknown[]): void {
    refuseSurplus("copyParameters", surplus);
    copyparms(Module.#handleOf(this), to);
  }

  /** Makes a step of the one optimizer that updates parameters of the module, and no others. */
  step(options?: StepOptions): void;
  /** Makes a step of that optimizer with a closure; `lbfgs` needs one. Returns the loss before the step. */
  step(closure: Closure, options?: StepOptions): number;
  step(first?: Closure | StepOptions, options?: StepOptions, ...surplus: readonly unknown[]): number | undefined {
    return stepOf(Module.#handleOf(this), first, options, surplus);
  }

  /** Runs the module as in training, recording the graph for `backward`. Several outputs are a list. */
  forward(...inputs: ModuleInputs): Outputs;
  forward(...inputs: readonly unknown[]): unknown {
    return wrapped(client.call("forward", [Module.#handleOf(this), ...presentInputs(inputs)]));
  }

  /** Runs the module as in use, recording no graph. */
  evaluate(...inputs: ModuleInputs): Outputs;
  evaluate(...inputs: readonly unknown[]): unknown {
    return wrapped(client.call("evaluate", [Module.#handleOf(this), ...presentInputs(inputs)]));
  }

  /** Runs the module as in use, on a thread of the engine; until it is over, its objects are `ERR_BUSY`. */
  evaluateAsync(...inputs: ModuleInputs): Promise<Outputs>;
  async evaluateAsync(...inputs: readonly unknown[]): Promise<unknown> {
    return wrapped(
      await callAsync(client, "evaluate", [Module.#handleOf(this), ...presentInputs(inputs)], {
        name: "evaluateAsync",
      }),
    );
  }

  /** Moves the module to a device or converts it, in place; its gradients are dropped. */
  to(...where: readonly (Device | Dtype)[]): this {
    to(Module.#handleOf(this), ...where);
    return this;
  }

  /** Saves parameters and buffers by name, in the safetensors format. */
  save(path: string): void;
  save(path: string, ...surplus: readonly unknown[]): void {
    refuseSurplus("save", surplus);
    save(Module.#handleOf(this), path);
  }

  /** Saves on a thread of the engine; until it is over, the module is `ERR_BUSY`. */
  saveAsync(path: string): Promise<void>;
  async saveAsync(path: string, ...surplus: readonly unknown[]): Promise<void> {
    refuseSurplus("saveAsync", surplus);
    await saveAsync(Module.#handleOf(this), path);
  }

  /** Loads on a thread of the engine; until it is over, the module is `ERR_BUSY`. */
  loadAsync(path: string, options?: ModuleLoadOptions & { readonly strict?: true }): Promise<this>;
  /** Sets all tensors that fit, and reports the others. */
  loadAsync(path: string, options: ModuleLoadOptions & { readonly strict: false }): Promise<LoadReport>;
  async loadAsync(
    path: string,
    options?: ModuleLoadOptions,
    ...surplus: readonly unknown[]
  ): Promise<this | LoadReport> {
    refuseSurplus("loadAsync", surplus);
    return (await loadAsync(Module.#handleOf(this), path, options)) ?? this;
  }

  /** Makes a step of the optimizer of the module, on a thread of the engine. */
  stepAsync(options?: StepOptions): Promise<void>;
  async stepAsync(options?: StepOptions, ...surplus: readonly unknown[]): Promise<void> {
    refuseSurplus("stepAsync", surplus);
    await stepAsync(Module.#handleOf(this), options);
  }

  /** Sets every parameter and buffer from a file. */
  load(path: string, options?: ModuleLoadOptions & { readonly strict?: true }): this;
  /** Sets all tensors that fit, and reports the others. */
  load(path: string, options: ModuleLoadOptions & { readonly strict: false }): LoadReport;
  load(path: string, options?: ModuleLoadOptions, ...surplus: readonly unknown[]): this | LoadReport {
    refuseSurplus("load", surplus);
    return load(Module.#handleOf(this), path, options) ?? this;
  }

  /** The module as plain data, parameters included. */
  state(): ModuleState;
  state(...surplus: readonly unknown[]): ModuleState {
    refuseSurplus("state", surplus);
    return state(Module.#handleOf(this));
  }
}

/** Outputs of a module as objects. */
function wrapped(outputs: unknown): unknown {
  return Array.isArray(outputs) ? outputs.map((output) => new Tensor(output)) : new Tensor(outputs as TensorHandle);
}

/** The class of modules. */
export type ModuleClass = typeof Module;
