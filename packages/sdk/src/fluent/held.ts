import type { Api } from "../api.js";
import type { OneOrMore, Parameters } from "../arguments.js";
import { StepwellError } from "../errors.js";
import { type AnyHandle, Handle, type ModuleHandle, type TensorHandle } from "../handle.js";
import type { Module } from "./module.js";
import type { Tensor } from "./tensor.js";

/** An object of the fluent layer: it holds a handle, and frees it at the end of a `using` block. */
export interface Held<Kind extends AnyHandle> extends Disposable {
  /** The handle, for the functions of the k-api. */
  readonly handle: Kind;
  /** Frees the object. Once is enough, and a second time does nothing. */
  [Symbol.dispose](): void;
}

/** Parameters for an optimizer: as the functions take them, with objects in the place of handles if wanted. */
export type Trainable = Parameters | Tensor | Module | readonly [Module, OneOrMore<number> | OneOrMore<string>];

type Unheld<Value> = Value extends Held<infer Kind> ? Kind : Value;

/** The handle of an object; anything else as it is. */
export function unheld<Value>(value: Value): Unheld<Value> {
  const handle = typeof value === "object" && value !== null && "handle" in value ? value.handle : undefined;
  return (handle instanceof Handle ? handle : value) as Unheld<Value>;
}

/** Parameters with handles only. */
export function parametersOf(trainable: Trainable): Parameters {
  const parameters = Array.isArray(trainable) ? trainable.map((item) => unheld(item)) : unheld(trainable);
  return parameters as Parameters;
}

/** Frees what may have been freed before, as by `free()`, which frees all. */
export function release(api: Api, handle: AnyHandle): void {
  try {
    api.free(handle);
  } catch (error) {
    if (!(error instanceof StepwellError && error.code === "ERR_HANDLE_FREED")) throw error;
  }
}

/** A tensor of either layer. */
export type AnyTensor = Tensor | TensorHandle;
/** A module of either layer. */
export type AnyModule = Module | ModuleHandle;
