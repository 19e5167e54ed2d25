import type { Api } from "../api.js";
import type { Device, Dtype, LoadOptions, ModuleSpecification } from "../arguments.js";
import type { TensorData } from "../arrays.js";
import type { ModuleHandle } from "../handle.js";
import type { LoadReport, ModuleState } from "../results.js";
import { type AnyTensor, type Held, release, unheld } from "./held.js";
import { refuseSurplus } from "./refuse.js";
import type { Tensor, TensorClass } from "./tensor.js";

/** A module with its parameters. */
export interface Module extends Held<ModuleHandle> {
  /** Dotted names of all parameters, in the order in which an optimizer takes them. */
  readonly parameters: readonly string[];
  /** Dotted names of all descendants, depth first. */
  names(): readonly string[];
  /** The descendant of a dotted name, shared with the module. */
  child(name: string): Module;
  /** The parameter or buffer of a dotted name, shared with the module. */
  parameter(name: string): Tensor;
  /** Runs the module as in training, recording what `backward` needs. */
  forward(input: AnyTensor | TensorData): Tensor;
  /** Runs the module as in use, recording nothing. */
  evaluate(input: AnyTensor | TensorData): Tensor;
  /** Moves the module to a device or converts it, in place; its gradients are dropped. */
  to(...where: readonly (Device | Dtype)[]): this;
  /** Saves parameters and buffers by name, in the safetensors format. */
  save(path: string): void;
  /** Sets every parameter and buffer from a file. */
  load(path: string, options?: LoadOptions & { readonly strict?: true }): this;
  /** Sets what fits, and tells what does not. */
  load(path: string, options: LoadOptions & { readonly strict: false }): LoadReport;
  /** The module as plain data, parameters included. */
  state(): ModuleState;
}

/** Makes modules. */
export interface ModuleClass {
  /** The module of a handle. */
  new (handle: ModuleHandle): Module;
  /** Makes a module with fresh parameters, or as it was when its `state` was told. */
  of(source: ModuleSpecification | ModuleState): Module;
}

/** The class of an engine's modules. */
export function moduleClass(api: Api, Tensor: TensorClass): ModuleClass {
  return class EngineModule implements Module {
    readonly #handle: ModuleHandle;

    constructor(handle: ModuleHandle, ...surplus: readonly unknown[]) {
      refuseSurplus("Module", surplus);
      this.#handle = handle;
    }

    static of(source: ModuleSpecification | ModuleState, ...surplus: readonly unknown[]): Module {
      refuseSurplus("of", surplus);
      // The function takes either, in two overloads.
      return new EngineModule(api.module(source as ModuleSpecification));
    }

    get handle(): ModuleHandle {
      return this.#handle;
    }

    get parameters(): readonly string[] {
      return api.parmnames(this.#handle);
    }

    names(...surplus: readonly unknown[]): readonly string[] {
      refuseSurplus("names", surplus);
      return api.names(this.#handle);
    }

    child(name: string, ...surplus: readonly unknown[]): Module {
      refuseSurplus("child", surplus);
      return new EngineModule(api.child(this.#handle, name));
    }

    parameter(name: string, ...surplus: readonly unknown[]): Tensor {
      refuseSurplus("parameter", surplus);
      return new Tensor(api.parm(this.#handle, name));
    }

    forward(input: AnyTensor | TensorData, ...surplus: readonly unknown[]): Tensor {
      refuseSurplus("forward", surplus);
      return new Tensor(api.forward(this.#handle, unheld(input)));
    }

    evaluate(input: AnyTensor | TensorData, ...surplus: readonly unknown[]): Tensor {
      refuseSurplus("evaluate", surplus);
      return new Tensor(api.evaluate(this.#handle, unheld(input)));
    }

    to(...where: readonly (Device | Dtype)[]): this {
      api.to(this.#handle, ...where);
      return this;
    }

    save(path: string, ...surplus: readonly unknown[]): void {
      refuseSurplus("save", surplus);
      api.save(this.#handle, path);
    }

    load(path: string, options?: LoadOptions & { readonly strict?: true }): this;
    load(path: string, options: LoadOptions & { readonly strict: false }): LoadReport;
    load(path: string, options?: LoadOptions, ...surplus: readonly unknown[]): this | LoadReport {
      refuseSurplus("load", surplus);
      return api.load(this.#handle, path, options) ?? this;
    }

    state(...surplus: readonly unknown[]): ModuleState {
      refuseSurplus("state", surplus);
      return api.state(this.#handle);
    }

    [Symbol.dispose](): void {
      release(api, this.#handle);
    }
  };
}
