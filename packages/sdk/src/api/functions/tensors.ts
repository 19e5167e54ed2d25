// Functions that make, read and convert tensors.

import type { TypedTensor } from "../../binding.js";
import type { DictionaryHandle, TensorHandle, VectorHandle } from "../../handle.js";
import type { Device, Dtype, TensorOptions } from "../../types/arguments.js";
import type { AnyModule, AnyTensor } from "../../types/objects.js";
import type { Numbers, TensorData } from "../../types/tensor-data.js";
import { withJson } from "../../values/json.js";
import { asNumbers, nested } from "../../values/numbers.js";
import { client } from "../client.js";

/**
 * Makes a tensor of numbers. The default type of plain numbers is `float`. If the type has fewer digits, each number is rounded
 * once, to the nearest and in a tie to the even one. One tensor above 16 MiB may take at most a quarter of the free memory:
 * `ERR_MEMORY`.
 *
 * @param options - words such as `"grad"`, `"double"`, `"cuda:1"`, or a dictionary
 */
export function tensor(
  numbers: TensorData,
  ...options: readonly ("grad" | Dtype | Device | TensorOptions)[]
): TensorHandle;
/**
 * Reads a tensor as nested numbers, at most 2^25 numbers and lists. Whole numbers beyond ±2^53 lose digits; {@link data} keeps
 * them.
 */
export function tensor(tensor: AnyTensor): Numbers;
export function tensor(...args: readonly unknown[]): unknown {
  return asNumbers("tensor", client.call("tensor", args));
}

/**
 * A copy of the elements of a tensor as a typed array in row-major order, with the shape. Elements of `half` and `bfloat16` come
 * as a `Float32Array`, exactly.
 */
export function data(tensor: AnyTensor): TypedTensor;
export function data(...args: readonly unknown[]): TypedTensor {
  return withJson(client.call("data", args) as TypedTensor);
}

/** Reads a tensor as nested numbers and frees it. Also exported as `return`, for a namespace: `k.return(x)`. */
export function take(tensor: AnyTensor): Numbers;
export function take(...args: readonly [tensor: AnyTensor]): Numbers {
  const value = nested(client.call("data", args, "take") as TypedTensor, "take");
  client.free(args.slice(0, 1));
  return value;
}

/**
 * Makes a tensor whose elements are all equal. One tensor above 16 MiB may take at most a quarter of the free memory:
 * `ERR_MEMORY`.
 */
export function full(
  shape: readonly number[],
  value: number,
  ...options: readonly ("grad" | Dtype | Device | TensorOptions)[]
): TensorHandle;
export function full(...args: readonly unknown[]): unknown {
  return client.call("full", args);
}

/** Makes a list of tensors. */
export function vector(...tensors: readonly (AnyTensor | TensorData)[]): VectorHandle;
export function vector(...args: readonly unknown[]): unknown {
  return client.call("vector", args);
}

/**
 * Makes a dictionary of tensors in JavaScript's order of keys. Names that are whole numbers come first, by size, and then the others
 * as they were written. A name has no dots and is well-formed text.
 */
export function dict(tensors: { readonly [name: string]: AnyTensor | TensorData }): DictionaryHandle;
export function dict(...args: readonly unknown[]): unknown {
  return client.call("dict", args);
}

/** Overwrites the elements of a tensor, in place. Both have one shape. */
export function copyto(source: AnyTensor | TensorData, target: AnyTensor): void;
export function copyto(...args: readonly unknown[]): unknown {
  return client.call("copyto", args);
}

/**
 * Moves a module to a device or converts it, in place; its gradients are dropped. Optimizers keep their state, and the next step
 * converts it with the module: to `double` if the module is `double`, and otherwise to `float`.
 *
 * Of a tensor it makes a copy on a device or of a type, cut off from the graph.
 *
 * @returns the copy of a tensor; nothing for a module
 */
export function to<Object extends AnyModule | AnyTensor>(
  object: Object,
  ...where: readonly (Device | Dtype)[]
): Object extends AnyTensor ? TensorHandle : void;
export function to(...args: readonly unknown[]): unknown {
  return client.call("to", args);
}

/** The element type of a tensor. */
export function dtype(tensor: AnyTensor): Dtype;
export function dtype(...args: readonly unknown[]): unknown {
  return client.call("dtype", args);
}

/** The device whose memory holds a tensor. */
export function device(tensor: AnyTensor): Device;
export function device(...args: readonly unknown[]): unknown {
  return client.call("device", args);
}
