// Objects that hold a handle, and their handles as functions take them.

import { type ErrorCode, StepwellError } from "../../errors.js";
import { type AnyHandle, Handle, type ModuleHandle, type TensorHandle } from "../../handle.js";
import type { OneOrMore, Parameters } from "../../types/arguments.js";
import { isRevoked } from "../../values/plain-data.js";
import { free } from "../functions/objects.js";

/** An object of the fluent layer: it holds a handle, and frees it at the end of a `using` block. */
export interface Held<Kind extends AnyHandle> extends Disposable {
  /** The handle, for the functions of the k-api. */
  readonly handle: Kind;
  /** Frees the object. A second call does nothing. */
  [Symbol.dispose](): void;
}

/** A tensor of either layer. */
export type AnyTensor = TensorHandle | Held<TensorHandle>;
/** A module of either layer. */
export type AnyModule = ModuleHandle | Held<ModuleHandle>;

/** Parameters for an optimizer: as functions take them, with objects in the place of handles. */
export type Trainable =
  | Parameters
  | Held<TensorHandle>
  | Held<ModuleHandle>
  | readonly [Held<ModuleHandle>, OneOrMore<number> | OneOrMore<string>];

type HandleOf<Value> = Value extends Held<infer Kind> ? Kind : Value;

/** The handle of an object; any other value as it is. */
export function toHandle<Value>(value: Value): HandleOf<Value> {
  const handle =
    typeof value === "object" && value !== null && !isRevoked(value) && "handle" in value ? value.handle : undefined;
  return (handle instanceof Handle ? handle : value) as HandleOf<Value>;
}

/** Parameters with handles only. */
export function parametersOf(trainable: Trainable): Parameters {
  const parameters = Array.isArray(trainable) ? trainable.map((item) => toHandle(item)) : toHandle(trainable);
  return parameters as Parameters;
}

/** Errors of an object that no longer exists: it was freed, by `free()` too, or lost with its engine. */
const gone: readonly ErrorCode[] = ["ERR_HANDLE_FREED", "ERR_HANDLE_INVALID", "ERR_ENGINE_POISONED"];

/** Frees an object, unless it no longer exists. */
export function release(handle: AnyHandle): void {
  try {
    free(handle);
  } catch (error) {
    if (!(error instanceof StepwellError && gone.includes(error.code))) throw error;
  }
}
