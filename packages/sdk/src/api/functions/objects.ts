// Functions of any object: kind, size, memory, and the end of its life.

import type {
  AnyDictionary,
  AnyLoss,
  AnyModule,
  AnyObject,
  AnyOptimizer,
  AnyTensor,
  AnyVector,
} from "../../types/objects.js";
import type { TensorInfo } from "../../types/results.js";
import { client } from "../client.js";

/**
 * Makes the first handle stand for the object of the second one, whose handle is freed. An object that holds the first handle stands
 * for the other tensor, too.
 */
export function use(handle: AnyTensor, other: AnyTensor): void;
/** Makes the handle of a vector stand for another one. */
export function use(handle: AnyVector, other: AnyVector): void;
/** Makes the handle of a dictionary stand for another one. */
export function use(handle: AnyDictionary, other: AnyDictionary): void;
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
export function free(...objects: readonly AnyObject[]): void {
  client.free(objects);
}

/** The kind of an object. Also exported as `class`, for a namespace: `k.class(x)`. */
export function classof(
  object: AnyObject,
): "tensor" | "vector" | "dictionary" | "module" | "optimizer" | "loss" | "model";
export function classof(...args: readonly unknown[]): unknown {
  return client.call("class", args, "classof");
}

/** The kind of an optimizer, module or loss; the element type of a tensor. */
export function objtype(object: AnyOptimizer | AnyModule | AnyLoss | AnyTensor): string;
export function objtype(...args: readonly unknown[]): unknown {
  return client.call("objtype", args);
}

/** Sizes of the dimensions of a tensor. */
export function size(tensor: AnyTensor): readonly number[];
/** The number of tensors, or of the parameters of an optimizer or module; for a model, of the parameters of its module. */
export function size(object: Exclude<AnyObject, AnyTensor>): number;
export function size(...args: readonly unknown[]): unknown {
  return client.call("size", args);
}

/** The number of dimensions of a tensor. */
export function dim(tensor: AnyTensor): number;
export function dim(...args: readonly unknown[]): unknown {
  return client.call("dim", args);
}

/** Bytes of one element of a tensor. */
export function itemsize(tensor: AnyTensor): number;
export function itemsize(...args: readonly unknown[]): unknown {
  return client.call("itemsize", args);
}

/** Whether two handles are of one tensor, so that a change of one changes the other: `same(parm(m, "a"), parm(m, "b"))`. */
export function same(x: AnyTensor, y: AnyTensor): boolean;
export function same(...args: readonly unknown[]): unknown {
  return client.call("same", args);
}

/** The properties of a tensor. */
export function info(tensor: AnyTensor): TensorInfo;
export function info(...args: readonly unknown[]): unknown {
  return client.call("info", args);
}

/** The number of tensors of an object. An optimizer counts the tensors in its state, and a model those in its module too. */
export function tensorcount(object: AnyObject): number;
export function tensorcount(...args: readonly unknown[]): unknown {
  return client.call("tensorcount", args);
}

/** The number of elements in the tensors of an object. A scalar in the state of an optimizer is one element. */
export function elements(object: AnyObject): number;
export function elements(...args: readonly unknown[]): unknown {
  return client.call("elements", args);
}

/** The bytes of the tensors of an object. A scalar in the state of an optimizer has 8. */
export function bytes(object: AnyObject): number;
export function bytes(...args: readonly unknown[]): unknown {
  return client.call("bytes", args);
}
