// Functions that make, read and convert tensors.

import type { ElementType, TypedTensor } from "../../binding.js";
import { handleOf } from "../../client/encode.js";
import type { DictionaryHandle, TensorHandle, VectorHandle } from "../../handle.js";
import type { Device, Dtype, NotAny, TensorOptions } from "../../types/arguments.js";
import type { AnyModule, AnyTensor } from "../../types/objects.js";
import type { Numbers, NumbersOf, OperandData, TensorData } from "../../types/tensor-data.js";
import { flagsOf } from "../../values/flags.js";
import { withJson } from "../../values/json.js";
import { asNumbers } from "../../values/numbers.js";
import { refuseSurplus } from "../../values/refuse.js";
import { nestedAs, ofType } from "../../values/typed-tensor.js";
import { client } from "../client.js";

/**
 * Makes a tensor of numbers. The default type of plain numbers is `float`, and of booleans `bool`. Of a typed array it is the array's own: integers become
 * `long`, and a `Float16Array` becomes `half`. If the type has fewer digits, each number is rounded
 * once, to the nearest and in a tie to the even one. One tensor above 16 MiB may take at most a quarter of the free memory:
 * `ERR_MEMORY`.
 *
 * @param options - words such as `"grad"`, `"double"`, `"cuda:1"`, or a dictionary
 */
export function tensor(
  numbers: OperandData,
  ...options: readonly ("grad" | Dtype | Device | TensorOptions)[]
): TensorHandle;
/**
 * Reads a tensor as nested numbers, at most 2^25 numbers and lists. Whole numbers beyond ±2^53 lose digits; {@link data} keeps
 * them.
 */
export function tensor(tensor: AnyTensor): Numbers;
/** Reads a tensor of one element and no dimensions, such as a loss. Another shape is `ERR_SHAPE`. */
export function tensor(tensor: AnyTensor, options: { readonly dimensions: 0 }): number;
/** Reads a tensor of one dimension. Another number of dimensions is `ERR_SHAPE`. */
export function tensor(tensor: AnyTensor, options: { readonly dimensions: 1 }): number[];
/** Reads a tensor of two dimensions: a list of rows. Another number of dimensions is `ERR_SHAPE`. */
export function tensor(tensor: AnyTensor, options: { readonly dimensions: 2 }): number[][];
/** Reads a tensor of three dimensions. Another number of dimensions is `ERR_SHAPE`. */
export function tensor(tensor: AnyTensor, options: { readonly dimensions: 3 }): number[][][];
/** Reads a tensor of four dimensions. Another number of dimensions is `ERR_SHAPE`. */
export function tensor(tensor: AnyTensor, options: { readonly dimensions: 4 }): number[][][][];
/**
 * Any way to call it with two arguments or more. TypeScript reports a wrong call by the last signature, and so at the argument that
 * is wrong.
 */
export function tensor<Source extends OperandData | AnyTensor>(
  source: NotAny<Source>,
  ...options: Source extends AnyTensor
    ? [options: { readonly dimensions: keyof NumbersOf }]
    : readonly ("grad" | Dtype | Device | TensorOptions)[]
): TensorHandle | Numbers;
export function tensor(...args: readonly unknown[]): unknown {
  const [source, options, ...surplus] = args;
  if (typeof options !== "object" || handleOf(source) === undefined)
    return asNumbers(
      "tensor",
      client.call("tensor", [flagsOf(source) ?? source, ...args.slice(1)].slice(0, args.length)),
    );
  refuseSurplus("tensor", surplus);
  return nestedAs("tensor", client.call("tensor", [source]) as TypedTensor, options);
}

/**
 * A copy of the elements of a tensor as a typed array in row-major order, with the shape. Elements of `half` and `bfloat16` come
 * as a `Float32Array`, exactly.
 */
export function data(tensor: AnyTensor): TypedTensor;
/** A copy of the elements of a tensor of one type, as the typed array of that type. Another type is `ERR_DTYPE`. */
export function data<Type extends ElementType>(tensor: AnyTensor, type: Type): TypedTensor<Type>;
export function data(...args: readonly unknown[]): TypedTensor {
  if (args.length < 2) return withJson(client.call("data", args) as TypedTensor);
  const [tensor, type, ...surplus] = args;
  refuseSurplus("data", surplus);
  return withJson(ofType("data", client.call("data", [tensor]) as TypedTensor, type));
}

/** Reads a tensor as nested numbers and frees it. Also exported as `return`, for a namespace: `k.return(x)`. */
export function take(tensor: AnyTensor): Numbers;
/** Reads a tensor of a number of dimensions, and frees it. Another number is `ERR_SHAPE`, and the tensor stays. */
export function take<Dimensions extends keyof NumbersOf>(
  tensor: AnyTensor,
  options: { readonly dimensions: Dimensions },
): NumbersOf[Dimensions];
export function take(...args: readonly unknown[]): unknown {
  const [, options = args.length > 1 ? null : {}, ...surplus] = args;
  refuseSurplus("take", surplus);
  const value = nestedAs("take", client.call("data", args.slice(0, 1), "take") as TypedTensor, options);
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
export function dtype(tensor: AnyTensor): ElementType;
export function dtype(...args: readonly unknown[]): unknown {
  return client.call("dtype", args);
}

/** The device whose memory holds a tensor. */
export function device(tensor: AnyTensor): Device;
export function device(...args: readonly unknown[]): unknown {
  return client.call("device", args);
}
