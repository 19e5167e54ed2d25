/** A number, or numbers nested as deep as a tensor has dimensions. */
export type Numbers = number | readonly Numbers[];

/** A `Float16Array`, which some versions of JavaScript and TypeScript lack. */
export interface HalfArray extends ArrayLike<number> {
  readonly [Symbol.toStringTag]: "Float16Array";
  /** 2. */
  readonly BYTES_PER_ELEMENT: number;
}

/** The typed arrays of numbers that every version of JavaScript has, but for `BigUint64Array`: no dtype has all of its numbers. */
export type NumberArray =
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

/** Elements of a typed array, or numbers nested as deep as the tensor is to have dimensions. */
export type TensorData = Numbers | HalfArray | NumberArray;

/** Numbers nested as deep as a tensor has dimensions, by the number of dimensions. */
export interface NumbersOf {
  readonly 0: number;
  readonly 1: number[];
  readonly 2: number[][];
  readonly 3: number[][][];
  readonly 4: number[][][][];
}

/** A boolean, or booleans nested as deep as a tensor has dimensions. */
export type Flags = boolean | readonly Flags[];

/** Plain data in the place of a tensor of an operation: numbers, booleans, or a typed array. */
export type OperandData = TensorData | Flags;
