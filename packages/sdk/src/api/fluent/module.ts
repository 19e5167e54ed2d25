import type { LoadOptions, StepOptions } from "../../generated/settings.js";
import type { DictionaryHandle, ModuleHandle } from "../../handle.js";
import type { Device, Dtype, Selector } from "../../types/arguments.js";
import type { ModuleSource, ModuleSpecification } from "../../types/layers.js";
import type { AnyModel, AnyModule, AnyTensor } from "../../types/objects.js";
import type { LoadReport, ModuleState } from "../../types/results.js";
import type { TensorData } from "../../types/tensor-data.js";
import { refuseReceiver, refuseSurplus } from "../../values/refuse.js";
import { load, save } from "../functions/files.js";
import { freeze, gradflag, unfreeze } from "../functions/gradients.js";
import {
  child,
  childnames,
  clone,
  copyparms,
  evaluate,
  forward,
  module,
  names,
  parm,
  parmnames,
  parms,
} from "../functions/modules.js";
import { objtype, size } from "../functions/objects.js";
import { state } from "../functions/optimizers.js";
import { to } from "../functions/tensors.js";
import { checkedHandle } from "./held.js";
import { HeldObject } from "./held-object.js";
import { type Closure, stepOf } from "./step.js";
import { Tensor } from "./tensor.js";

/** A module with its parameters. */
export class Module extends HeldObject<ModuleHandle> {
  readonly #handle: ModuleHandle;

  /** The module of a handle, or of another object, whose handle is then shared. */
  constructor(module: AnyModule);
  constructor(module: AnyModule, ...surplus: readonly unknown[]) {
    refuseSurplus("Module", surplus);
    const handle = checkedHandle("Module", "module", module);
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
  static #handleOf(receiver: Module): ModuleHandle {
    return #handle in Object(receiver) ? receiver.#handle : refuseReceiver("Module", receiver);
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
  clone(): Module;
  clone(...surplus: readonly unknown[]): Module {
    refuseSurplus("clone", surplus);
    return new Module(clone(Module.#handleOf(this)));
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

  /** Runs the module as in training, recording the graph for `backward`. */
  forward(input: AnyTensor | TensorData): Tensor;
  forward(input: AnyTensor | TensorData, ...surplus: readonly unknown[]): Tensor {
    refuseSurplus("forward", surplus);
    return new Tensor(forward(Module.#handleOf(this), input));
  }

  /** Runs the module as in use, recording no graph. */
  evaluate(input: AnyTensor | TensorData): Tensor;
  evaluate(input: AnyTensor | TensorData, ...surplus: readonly unknown[]): Tensor {
    refuseSurplus("evaluate", surplus);
    return new Tensor(evaluate(Module.#handleOf(this), input));
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

  /** Sets every parameter and buffer from a file. */
  load(path: string, options?: LoadOptions & { readonly strict?: true }): this;
  /** Sets all tensors that fit, and reports the others. */
  load(path: string, options: LoadOptions & { readonly strict: false }): LoadReport;
  load(path: string, options?: LoadOptions, ...surplus: readonly unknown[]): this | LoadReport {
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

/** The class of modules. */
export type ModuleClass = typeof Module;
