import type { Api } from "../api.js";
import type { OneOrMore, Parameters } from "../arguments.js";
import { type ErrorCode, StepwellError } from "../errors.js";
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

/** Errors that say of an object that it is no more: freed by `free()`, which frees all, or lost with its engine. */
const gone: readonly ErrorCode[] = ["ERR_HANDLE_FREED", "ERR_HANDLE_INVALID", "ERR_ENGINE_POISONED"];

/** Frees what may be no more. */
export function release(api: Api, handle: AnyHandle): void {
  try {
    api.free(handle);
  } catch (error) {
    if (!(error instanceof StepwellError && gone.includes(error.code))) throw error;
  }
}

/** A tensor of either layer. */
export type AnyTensor = Tensor | TensorHandle;
/** A module of either layer. */
export type AnyModule = Module | ModuleHandle;
