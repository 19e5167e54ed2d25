import type { TypedTensor } from "./binding.js";

/** A number, or numbers nested as deep as a tensor has dimensions. */
export type Numbers = number | readonly Numbers[];

/** Elements of a typed array, or numbers nested as deep as the tensor is to have dimensions. */
export type TensorData =
  | Numbers
  | Float32Array
  | Float64Array
  | BigInt64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;

/** A tensor's elements as nested arrays of numbers. */
export function nested({ data, shape }: TypedTensor): Numbers {
  let offset = 0;
  const build = (dimension: number): Numbers => {
    if (dimension === shape.length) return Number(data[offset++]);
    return Array.from({ length: shape[dimension] ?? 0 }, () => build(dimension + 1));
  };
  return build(0);
}
