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

/** Numbers nested as deep as a tensor has dimensions, by the number of dimensions. */
export interface NumbersOf {
  readonly 0: number;
  readonly 1: number[];
  readonly 2: number[][];
  readonly 3: number[][][];
  readonly 4: number[][][][];
}
