// Parameters and buffers of a module as plain data, copied with turns of the event loop in between.

import type { ElementType, TypedTensor } from "../../binding.js";
import { StepwellError } from "../../errors.js";
import type { ModuleHandle, TensorHandle } from "../../handle.js";
import type { TensorData } from "../../types/tensor-data.js";
import { describeKind } from "../../values/describe.js";
import { TurnClock } from "../../values/event-loop.js";
import { withJson } from "../../values/json.js";
import { isDictionary } from "../../values/plain-data.js";
import { type ArrayType, allocated, kindOf, lengthOf } from "../../values/typed-arrays.js";
import { buffernames, parm, parmnames } from "../functions/modules.js";
import { free, size } from "../functions/objects.js";
import { narrow } from "../functions/shape.js";
import { copyto, data, dtype } from "../functions/tensors.js";

/** Parameters and buffers by their dotted names. */
export interface Weights {
  readonly [name: string]: TypedTensor;
}

/** In elements, of which a copy takes about a millisecond. */
const SLICE = 2 ** 18;

const namesOf = (module: ModuleHandle) => [...parmnames(module), ...buffernames(module)];

/** Calls a function with a tensor, whose handle is freed after it. */
function withTensor<Result>(tensor: TensorHandle, use: (tensor: TensorHandle) => Result): Result {
  try {
    return use(tensor);
  } finally {
    free(tensor);
  }
}

/** Copies of the parameters and buffers of a module. */
export async function copiedWeights(module: ModuleHandle): Promise<Weights> {
  const clock = new TurnClock();
  const weights: [string, TypedTensor][] = [];
  for (const name of namesOf(module)) weights.push([name, await copied(parm(module, name), clock)]);
  return Object.fromEntries(weights);
}

/** A copy of a tensor, in slices of its rows if it is long. */
async function copied(tensor: TensorHandle, clock: TurnClock): Promise<TypedTensor> {
  try {
    await clock.turnIfDue();
    const shape = size(tensor);
    const length = shape.reduce((product, size) => product * size, 1);
    const [rows = 1] = shape;
    if (length <= SLICE || rows === 1) return data(tensor);
    const width = length / rows;
    const most = Math.max(1, Math.floor(SLICE / width));
    let whole: TypedTensor | undefined;
    for (let from = 0; from < rows; from += most) {
      await clock.turnIfDue();
      const slice = withTensor(narrow(tensor, 0, from, Math.min(most, rows - from)), data);
      whole ??= { ...slice, data: allocated("fit", slice.data.constructor as ArrayType<Float32Array>, length), shape };
      (whole.data as Float32Array).set(slice.data as Float32Array, from * width);
    }
    return withJson(whole as TypedTensor);
  } finally {
    free(tensor);
  }
}

/** Sets parameters and buffers of a module. */
export async function setWeights(module: ModuleHandle, weights: Weights): Promise<void> {
  const clock = new TurnClock();
  for (const [name, value] of Object.entries(weights)) {
    await clock.turnIfDue();
    withTensor(parm(module, name), (tensor) => copyto(value as unknown as TensorData, tensor));
  }
}

/** The kinds of arrays with elements of a type. A file gives integers of all types back as `long`. */
const kinds: Readonly<Record<ElementType, readonly string[]>> = {
  float: ["Float32Array"],
  double: ["Float64Array"],
  half: ["Float32Array"],
  bfloat16: ["Float32Array"],
  long: ["BigInt64Array"],
  bool: ["Uint8Array", "BigInt64Array"],
};

/** Fails unless a position has the weights of a module. */
export function checkWeights(module: ModuleHandle, weights: Weights): void {
  const names = new Set(namesOf(module));
  const expected = "fit: resume: expected the weights of the best epoch";
  const other = [...names, ...Object.keys(weights)].find((name) => !names.has(name) || !Object.hasOwn(weights, name));
  if (other !== undefined) {
    const given = names.has(other) ? "none for" : "some for another,";
    throw new StepwellError("ERR_FORMAT", `${expected} with the names of the module, given ${given} \`${other}\``);
  }
  for (const name of names) {
    const [shape, type] = withTensor(parm(module, name), (tensor) => [size(tensor), dtype(tensor)] as const);
    const given: unknown = weights[name];
    const value =
      typeof given === "object" && given !== null && isDictionary(given) ? (given as Partial<TypedTensor>) : {};
    const isOfType = kinds[type].includes(kindOf(value.data) as string) && (value.dtype ?? type) === type;
    const length = shape.reduce((product, size) => product * size, 1);
    const fits = isOfType && String(value.shape) === String(shape) && lengthOf(value.data as Float32Array) === length;
    if (fits) continue;
    const found = isOfType ? `those of [${value.shape}]` : `${describeKind(value.data)} of another type`;
    throw new StepwellError("ERR_SHAPE", `${expected}, \`${name}\` as ${type} of [${shape}], given ${found}`);
  }
}
