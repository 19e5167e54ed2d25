import type { TypedTensor } from "../binding.js";
import { StepwellError } from "../errors.js";
import type { Numbers } from "../types/tensor-data.js";

/** Limit of the numbers of a rectangular list, 1 GiB as doubles. Lists that share their elements are small and have far more. */
export const MAX_NUMBERS = 2 ** 27;

/** Limit of numbers and lists together. V8 holds a list of more elements as a dictionary, which takes far more memory. */
const MAX_VALUES = 2 ** 25;

/** The elements of a tensor as nested arrays of numbers, for the result of a function. */
export function nested({ data, shape }: TypedTensor, where = "tensor"): Numbers {
  const [last] = shape.slice(-1);
  if (last === undefined) return Number(data[0]);
  let lists = 1;
  let values = 1;
  for (const size of shape) {
    lists *= size;
    values += lists;
  }
  if (values > MAX_VALUES) {
    const given = `given a tensor of shape [${shape}]`;
    const message = `${where}: expected at most ${MAX_VALUES} numbers and lists to be made, ${given}`;
    throw new StepwellError("ERR_MEMORY", `${message}; data() gives its elements as one typed array`);
  }
  const isLong = typeof data[0] === "bigint";
  let offset = 0;
  const build = (dimension: number): Numbers => {
    const size = shape[dimension] ?? 0;
    // Of its length at once: a list that grows is copied several times.
    const list = new Array<Numbers>(size);
    if (dimension < shape.length - 1) {
      for (let i = 0; i < size; i++) list[i] = build(dimension + 1);
    } else if (isLong) {
      for (let i = 0; i < size; i++) list[i] = Number(data[offset++]);
    } else {
      for (let i = 0; i < size; i++) list[i] = data[offset++] as number;
    }
    return list;
  };
  return build(0);
}

/** A result with its typed array as nested numbers; any other result as it is. */
export function asNumbers(where: string, result: unknown): unknown {
  const isTyped = typeof result === "object" && result !== null && Object.hasOwn(result, "data");
  return isTyped ? nested(result as TypedTensor, where) : result;
}
