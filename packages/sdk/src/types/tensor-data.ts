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
