// Functions of any object: kind, size, memory, and the end of its life.

import type {
  AnyHandle,
  DictionaryHandle,
  LossHandle,
  ModuleHandle,
  OptimizerHandle,
  TensorHandle,
  VectorHandle,
} from "../../handle.js";
import { client } from "../client.js";

/** Makes the first handle stand for the object of the second one, whose handle is freed. */
export function use<Kind extends TensorHandle | VectorHandle | DictionaryHandle>(handle: Kind, other: Kind): void;
export function use(...args: readonly unknown[]): void {
  client.use(args);
}

/**
 * Frees objects. Without arguments, all of them.
 *
 * The garbage collector finds handles that are forgotten. Their objects are then freed, a few in each turn of the event loop, or at
 * once if a call finds no memory. The collector finds none while a program runs without a pause, and does not count memory in
 * WebAssembly. A loop should therefore free the objects that it makes.
 */
export function free(...handles: readonly AnyHandle[]): void {
  client.free(handles);
}

/** The kind of object that a handle stands for. Also exported as `class`, for a namespace: `k.class(x)`. */
export function classof(
  handle: AnyHandle,
): "tensor" | "vector" | "dictionary" | "module" | "optimizer" | "loss" | "model";
export function classof(...args: readonly unknown[]): unknown {
  return client.call("class", args, "classof");
}

/** The kind of an optimizer, module or loss; the element type of a tensor. */
export function objtype(handle: OptimizerHandle | ModuleHandle | LossHandle | TensorHandle): string;
export function objtype(...args: readonly unknown[]): unknown {
  return client.call("objtype", args);
}

/** Sizes of the dimensions of a tensor. */
export function size(tensor: TensorHandle): readonly number[];
/** The number of tensors, or of the parameters of an optimizer or module; for a model, of the parameters of its module. */
export function size(object: Exclude<AnyHandle, TensorHandle>): number;
export function size(...args: readonly unknown[]): unknown {
  return client.call("size", args);
}

/** The number of tensors of an object. An optimizer counts the tensors in its state, and a model those in its module too. */
export function tensorcount(handle: AnyHandle): number;
export function tensorcount(...args: readonly unknown[]): unknown {
  return client.call("tensorcount", args);
}

/** The number of elements in the tensors of an object. A scalar in the state of an optimizer is one element. */
export function elements(handle: AnyHandle): number;
export function elements(...args: readonly unknown[]): unknown {
  return client.call("elements", args);
}

/** The bytes of the tensors of an object. A scalar in the state of an optimizer has 8. */
export function bytes(handle: AnyHandle): number;
export function bytes(...args: readonly unknown[]): unknown {
  return client.call("bytes", args);
}
