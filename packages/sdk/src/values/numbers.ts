import type { TypedTensor } from "./binding.js";
import { StepwellError } from "./errors.js";

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

/** More numbers and lists than this are not made: an engine of JavaScript holds lists of more elements in another way. */
const MOST_VALUES = 2 ** 25;

/** A tensor's elements as nested arrays of numbers, which a verb returns. */
export function nested({ data, shape }: TypedTensor, verb = "tensor"): Numbers {
  const [last] = shape.slice(-1);
  if (last === undefined) return Number(data[0]);
  let lists = 1;
  let values = 1;
  for (const size of shape) {
    lists *= size;
    values += lists;
  }
  if (values > MOST_VALUES) {
    const given = `given a tensor of shape [${shape}]`;
    const message = `${verb}: expected at most ${MOST_VALUES} numbers and lists to be made, ${given}`;
    throw new StepwellError("ERR_MEMORY", `${message}; data() gives its elements as one typed array`);
  }
  let offset = 0;
  const build = (dimension: number): Numbers => {
    const list: Numbers[] = [];
    const size = shape[dimension] ?? 0;
    if (dimension === shape.length - 1) {
      for (let i = 0; i < size; i++) list.push(Number(data[offset++]));
    } else {
      for (let i = 0; i < size; i++) list.push(build(dimension + 1));
    }
    return list;
  };
  return build(0);
}
