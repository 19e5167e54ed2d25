// Positions in the data of a model: the numbers of the engine, and the entries of the file.

import type { TypedTensor } from "../binding.js";
import { failure, misfit } from "./calls.js";
import { refuse } from "./entries.js";
import { entriesIn, type Json, type JsonObject, objectOf } from "./json.js";
import { referenced } from "./plain-data.js";

/** Numbers of the engine before the orders: the samples, two lengths, and the place in the first order. */
const HEAD = 4;
/** Stands for the length of an order that there is not. */
const NONE = -1;
/** Numbers of a batch. */
const MEASURED = 4;

/** The entry of a position. `array` gives what stands for an array under a key. */
export function positionJson(numbers: Float64Array, array: (array: TypedTensor, key: string) => Json): Json {
  const [count, length, next, shuffledLength] = numbers as unknown as readonly [number, number, number, number];
  const first = HEAD + Math.max(length, 0);
  const second = first + Math.max(shuffledLength, 0);
  const order = (key: string, start: number, size: number): Json => {
    const samples = numbers.subarray(start, start + size);
    return size < 0 ? null : array({ data: BigInt64Array.from(Array.from(samples, BigInt)), shape: [size] }, key);
  };
  const measured = numbers.slice(second);
  return objectOf({
    count,
    order: order("order", HEAD, length),
    next: length < 0 ? null : next,
    shuffled: order("shuffled", first, shuffledLength),
    measured: array({ data: measured, shape: [measured.length / MEASURED, MEASURED] }, "measured"),
  });
}

/** The numbers of a position for the engine; undefined without one. Orders are checked, so that each sample is in one once. */
export function positionNumbers(value: Json, array: (name: string) => TypedTensor): Float64Array | undefined {
  if (value === null) return undefined;
  const entries = entriesIn(value) ?? fail("state attribute position: expected a dictionary");
  const count = whole(entries, "count", Number.MAX_SAFE_INTEGER);
  const [order, shuffled] = [orderOf(entries, "order", array), orderOf(entries, "shuffled", array)];
  const next = order ? whole(entries, "next", order.length) : 0;
  const place = referenced(entries.get("measured")) ?? refuse(misfit("the measurements of an epoch"));
  const { data: measured } = array(place);
  if (!(measured instanceof Float64Array)) throw misfit("the measurements of an epoch");
  for (const samples of [order, shuffled]) {
    if (samples === undefined) continue;
    const isInRange = samples.every((sample) => sample >= 0n && sample < BigInt(count));
    if (samples.length === count && isInRange && new Set(samples).size === count) continue;
    throw failure("ERR_FORMAT", `expected each of ${count} samples once in an order`);
  }
  const head = [count, order?.length ?? NONE, next, shuffled?.length ?? NONE];
  const samples = [...(order ?? []), ...(shuffled ?? [])].map(Number);
  const numbers = new Float64Array(HEAD + samples.length + Math.floor(measured.length / MEASURED) * MEASURED);
  numbers.set(head);
  numbers.set(samples, HEAD);
  numbers.set(measured.subarray(0, numbers.length - HEAD - samples.length), HEAD + samples.length);
  return numbers;
}

function orderOf(entries: JsonObject, key: string, array: (name: string) => TypedTensor): BigInt64Array | undefined {
  const value = entries.get(key);
  if (value === null) return undefined;
  const place = referenced(value) ?? refuse(misfit("the order of samples"));
  const { data } = array(place);
  return data instanceof BigInt64Array ? data : refuse(misfit("the order of samples"));
}

function whole(entries: JsonObject, key: string, most: number): number {
  const value = entries.get(key);
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= most) return value;
  return fail(`state attribute ${key}: expected a whole number from 0 to ${most}`);
}

function fail(message: string): never {
  throw failure("ERR_FORMAT", message);
}
