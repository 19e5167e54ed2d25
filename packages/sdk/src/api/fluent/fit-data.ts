// The data of a training or a measurement. Nested lists of many numbers are converted in slices of rows, with turns of the event
// loop between them.

import type { TypedTensor } from "../../binding.js";
import { StepwellError } from "../../errors.js";
import type { ModelHandle, ModuleHandle } from "../../handle.js";
import type { AnyTensor } from "../../types/objects.js";
import type { TensorData } from "../../types/tensor-data.js";
import { describeKind } from "../../values/describe.js";
import { turn } from "../../values/event-loop.js";
import { MAX_NUMBERS } from "../../values/numbers.js";
import { isDictionary, isList } from "../../values/plain-data.js";
import { refuse } from "../../values/refuse.js";
import { allocated } from "../../values/typed-arrays.js";
import type { test, train } from "../functions/models.js";
import { parm, parmnames } from "../functions/modules.js";
import { free, size } from "../functions/objects.js";
import { dtype, data as read, tensor } from "../functions/tensors.js";
import type { FitData } from "./fit-types.js";

/** Limit of the engine. */
const MAX_DIMENSIONS = 64;
/** In numbers of a nested list; a list of fewer is converted at once. The conversion of so many takes some ten milliseconds. */
const SLICE = 2 ** 18;

/** Data with other entries of the same object. */
export type GivenData = FitData & { readonly [name: string]: unknown };

/** The inputs and the targets of an object, and its other entries; each is read once. */
export function readData(where: string, given: unknown): readonly [data: FitData, others: object] {
  if (typeof given !== "object" || given === null || !isDictionary(given)) {
    const message = `${where}: expected inputs and targets, given ${describeKind(given)}`;
    throw new StepwellError("ERR_ARGUMENT", message);
  }
  const { inputs, targets, ...others } = given as GivenData;
  for (const [name, column] of Object.entries({ inputs, targets })) {
    if (column === undefined || column === null) refuse(where, `inputs and targets, with ${name}`, column);
  }
  return [{ inputs, targets }, others];
}

/** Fails if data have another entry. */
export function refuseOthers(where: string, others: object): void {
  const [name] = Object.keys(others);
  if (name !== undefined) refuse(where, "inputs and targets and no more", name);
}

/** Fails unless there is a batch. */
export function requireBatch(where: string, batches: number): void {
  if (batches > 0) return;
  throw new StepwellError("ERR_SHAPE", `${where}: expected at least one batch, given too few samples for one`);
}

/** Whether a conversion of the data is short enough for one turn of the event loop. */
export const isShort = ({ inputs, targets }: FitData) => count(inputs) <= SLICE && count(targets) <= SLICE;

/** Sets the data of a model for training or for testing, and returns the number of batches. */
export function setData(set: typeof train | typeof test, model: ModelHandle, { inputs, targets }: FitData): number {
  return set(model, inputs, targets);
}

/** As {@link setData}, with turns of the event loop before and between slices of the conversion; undefined after an abort. */
export async function setLongData(
  set: typeof train | typeof test,
  model: ModelHandle,
  module: ModuleHandle,
  { inputs, targets }: FitData,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const columns: (AnyTensor | TensorData)[] = [];
  for (const column of [inputs, targets]) {
    const numbers = count(column);
    // The engine refuses more than it takes, before it reads them.
    const isLong = isList(column) && numbers > SLICE && numbers <= MAX_NUMBERS;
    const converted = isLong ? await convert(column, typeOf(column, module), signal) : column;
    if (converted === undefined) return undefined;
    columns.push(converted);
  }
  return setData(set, model, { inputs: columns[0] as TensorData, targets: columns[1] as TensorData });
}

/** The number of numbers in a nested list, if all its lists have the length of the first. A list in itself has too many levels. */
function count(column: unknown): number {
  let count = 1;
  let levels = 0;
  for (let list = column; isList(list) && levels <= MAX_DIMENSIONS; list = list[0], levels++) count *= list.length;
  return count;
}

/**
 * The type of numbers that a nested list is converted to, from which the engine makes the type that the module needs. Floats take
 * half the memory of doubles and half the time of the last copy. They are exact for indices of up to 2^24 rows of an embedding.
 */
function typeOf(list: readonly unknown[], module: ModuleHandle): "float" | "double" {
  const [name] = parmnames(module);
  // A flat list may be classes.
  if (name === undefined || !Array.isArray(list[0])) return "double";
  const first = parm(module, name);
  try {
    return dtype(first) === "float" && Number((size(first) as readonly number[])[0]) <= 2 ** 24 ? "float" : "double";
  } finally {
    free(first);
  }
}

/** A nested list as one typed array with its shape; undefined after an abort. */
async function convert(
  list: readonly unknown[],
  type: "float" | "double",
  signal: AbortSignal | undefined,
): Promise<TensorData | undefined> {
  const { length } = list;
  const width = count(list[0]);
  const rows = Math.max(1, Math.floor(SLICE / width));
  // Copies, so that samples which the caller adds or removes between two slices do not count.
  const slices: (readonly unknown[])[] = [];
  for (let from = 0; from < length; from += rows) {
    const slice = list.slice(from, from + rows);
    slices.push(slice);
    // The conversion fails there. A sparse list is of any length.
    if (slice.includes(undefined)) break;
  }
  const numbers = allocated<Float32Array | Float64Array>(
    "fit",
    type === "float" ? Float32Array : Float64Array,
    length * width,
  );
  let first: readonly number[] | undefined;
  for (const [i, slice] of slices.entries()) {
    await turn();
    if (signal?.aborted) return undefined;
    const from = i * rows;
    const { data, shape } = elements(slice, type);
    const sizes = shape.slice(1);
    first ??= sizes;
    // A row may have changed since its width was counted.
    if (String(sizes) !== String(first) || from * width + data.length > numbers.length) {
      const given = `given sizes [${first}] and [${sizes}]`;
      throw new StepwellError("ERR_SHAPE", `fit: expected samples of one shape, ${given}`);
    }
    numbers.set(data as Float32Array | Float64Array, from * width);
  }
  return { data: numbers, shape: [length, ...(first ?? [])] } as unknown as TensorData;
}

function elements(rows: readonly unknown[], type: "float" | "double"): TypedTensor {
  const made = tensor(rows as TensorData, type);
  try {
    return read(made);
  } finally {
    free(made);
  }
}
