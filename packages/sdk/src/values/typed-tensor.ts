// Elements of a tensor as a program asks for them: of a type, or in a number of dimensions.

import type { ElementType, TypedTensor } from "../binding.js";
import { StepwellError } from "../errors.js";
import type { Numbers } from "../types/tensor-data.js";
import { describeValue } from "./describe.js";
import { namedOptions } from "./named-options.js";
import { nested } from "./numbers.js";

const types: readonly ElementType[] = ["float", "double", "half", "bfloat16", "long", "bool"];

/** The element type of a tensor. */
function elementTypeOf({ data, dtype }: TypedTensor): ElementType {
  if (dtype !== undefined) return dtype;
  if (data instanceof Float32Array) return "float";
  return data instanceof Float64Array ? "double" : "long";
}

/** A tensor, if its elements have a type. */
export function ofType(where: string, tensor: TypedTensor, type: unknown): TypedTensor {
  if (!(types as readonly unknown[]).includes(type)) {
    const given = describeValue(type);
    throw new StepwellError(
      "ERR_ARGUMENT",
      `${where}: expected one of ${types.join(", ")} as argument 2, given ${given}`,
    );
  }
  const found = elementTypeOf(tensor);
  if (found === type) return tensor;
  throw new StepwellError("ERR_DTYPE", `${where}: expected a tensor of ${type}, given one of ${found}`);
}

/** The elements of a tensor as nested numbers, if it has the number of dimensions that the options ask for. */
export function nestedAs(where: string, tensor: TypedTensor, options: unknown): Numbers {
  const { dimensions } = namedOptions<{ dimensions?: unknown }>(where, options, ["dimensions"]);
  if (dimensions !== undefined && !(Number.isInteger(dimensions) && (dimensions as number) >= 0)) {
    const given = describeValue(dimensions);
    throw new StepwellError("ERR_OPTION_TYPE", `${where}: dimensions: expected a whole number >= 0, given ${given}`);
  }
  if (dimensions !== undefined && tensor.shape.length !== dimensions) {
    const expected = `expected a tensor of ${dimensions} dimension${dimensions === 1 ? "" : "s"}`;
    throw new StepwellError("ERR_SHAPE", `${where}: ${expected}, given one of shape [${tensor.shape.join(", ")}]`);
  }
  return nested(tensor, where);
}
