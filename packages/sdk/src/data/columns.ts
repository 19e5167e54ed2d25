// Numbers of samples as typed arrays with shapes: inputs, or targets.

import type { TypedTensor } from "../binding.js";
import { StepwellError } from "../errors.js";
import { describeValue } from "../values/describe.js";
import { MAX_NUMBERS } from "../values/numbers.js";
import { isDictionary, isList, isRevoked } from "../values/plain-data.js";
import { refuse } from "../values/refuse.js";
import { type ArrayType, allocated, isOutOfBounds, kindOf } from "../values/typed-arrays.js";

/** Elements of one type. */
export type Elements = TypedTensor["data"];

/** Elements with a shape. */
export interface Column {
  readonly data: Elements;
  readonly shape: readonly number[];
}

/** The elements of a tensor of either layer; undefined for any other value. */
export type ReadTensor = (value: unknown) => TypedTensor | undefined;

/** Levels of nested numbers, as tensors have dimensions. */
const MAX_DIMENSIONS = 64;

const constructors: Readonly<Record<string, ArrayType<Elements>>> = Object.fromEntries(
  [
    ...[Float32Array, Float64Array, BigInt64Array, Int8Array, Uint8Array, Uint8ClampedArray],
    ...[Int16Array, Uint16Array, Int32Array, Uint32Array],
    ...("Float16Array" in globalThis ? [(globalThis as { Float16Array?: unknown }).Float16Array] : []),
  ].map((type) => [(type as { name: string }).name, type as ArrayType<Elements>]),
);

/** An array of the type of another one. */
function elementsLike(where: string, elements: Elements, length: number): Elements {
  return allocated(where, constructors[kindOf(elements) as string] as ArrayType<Elements>, length);
}

/**
 * The numbers of a value: elements of the caller, which are not copied, or new ones. Nested numbers become doubles, which keep all of
 * their digits. `where` names the value in messages.
 */
export function columnOf(where: string, value: unknown, read: ReadTensor): Column {
  if (typeof value === "number") return { data: Float64Array.of(value), shape: [] };
  if (typeof value !== "object" || value === null || isRevoked(value)) return refuseNumbers(where, value);
  if (Array.isArray(value)) return nestedColumn(where, value);
  const kind = kindOf(value);
  if (kind !== undefined) {
    const elements = checked(where, value as Elements, kind);
    return { data: elements, shape: [elements.length] };
  }
  const tensor = read(value);
  if (tensor !== undefined) return tensor;
  if (!isDictionary(value)) return refuseNumbers(where, value);
  const { data, shape } = value as Partial<TypedTensor>;
  const type = kindOf(data);
  if (type === undefined || !isList(shape) || shape.length > MAX_DIMENSIONS) return refuseNumbers(where, value);
  const elements = checked(where, data as Elements, type);
  const isShape = shape.every((size) => Number.isSafeInteger(size) && size >= 0) && countOf(shape) === elements.length;
  if (isShape) return { data: elements, shape: [...shape] };
  throw new StepwellError("ERR_SHAPE", `${where}: expected elements of shape [${shape}], given ${elements.length}`);
}

/** The number of elements of a shape. */
export const countOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

function refuseNumbers(where: string, value: unknown): never {
  return refuse(where, "numbers, nested numbers, a typed array or a tensor", value);
}

function checked(where: string, elements: Elements, kind: string): Elements {
  if (!(kind in constructors)) refuse(where, "a typed array that tensors can be made of", elements);
  if (isOutOfBounds(elements)) refuse(where, "a typed array with its memory", elements);
  return elements;
}

function nestedColumn(where: string, list: readonly unknown[]): Column {
  const shape: number[] = [];
  let first: unknown = list;
  for (; isRow(first) && shape.length < MAX_DIMENSIONS; first = first[0]) shape.push(first.length);
  const length = countOf(shape);
  // Before memory for them is taken, since a sparse list has any length, and lists can share their elements.
  if (length > 0 && typeof first !== "number") refuseNumbers(where, first);
  if (length > MAX_NUMBERS) {
    const message = `${where}: expected at most ${MAX_NUMBERS} numbers, given nested lists of [${shape}]`;
    throw new StepwellError("ERR_ARGUMENT", message);
  }
  const data = allocated(where, Float64Array, length);
  let count = 0;
  const fill = (row: ArrayLike<unknown>, dimension: number) => {
    if (row.length !== shape[dimension]) uneven(where, shape[dimension], row.length);
    const isLast = dimension + 1 === shape.length;
    for (let i = 0; i < row.length; i++) {
      const item = row[i];
      if (isLast) {
        if (typeof item !== "number") refuseNumbers(where, item);
        data[count++] = item;
      } else if (isRow(item)) fill(item, dimension + 1);
      else refuseNumbers(where, item);
    }
  };
  fill(list, 0);
  return { data, shape };
}

/** Whether a value is a list, or a typed array as a row of numbers. */
function isRow(value: unknown): value is ArrayLike<unknown> {
  if (isRevoked(value)) return false;
  return Array.isArray(value) || kindOf(value) !== undefined;
}

function uneven(where: string, expected: number | undefined, given: number): never {
  throw new StepwellError("ERR_SHAPE", `${where}: expected lists of ${expected}, given one of ${given}`);
}

/** In samples. A batch of more begins with memory for so many, since there may be fewer. */
const FIRST_CAPACITY = 1024;
/** In bytes, for the same reason: 16 MiB. */
const FIRST_BYTES = 2 ** 24;

/** Columns of samples one after the other along a new dimension 0. */
export class ColumnBuilder {
  readonly #where: string;
  /** In samples. */
  readonly #most: number;
  /** In samples. */
  #capacity = 0;
  #data: Elements | undefined;
  #shape: readonly number[] = [];
  #kind: string | undefined;
  #count = 0;

  /** For about `capacity` samples. */
  constructor(where: string, capacity: number) {
    this.#where = where;
    this.#most = capacity;
  }

  /** Copies the numbers of a sample. */
  add({ data, shape }: Column): void {
    const kind = kindOf(data);
    if (this.#data === undefined) {
      [this.#kind, this.#shape] = [kind, shape];
      const first = Math.max(1, Math.floor(FIRST_BYTES / data.byteLength));
      this.#capacity = Math.min(this.#most, FIRST_CAPACITY, first);
      this.#data = elementsLike(this.#where, data, this.#capacity * data.length);
    }
    if (kind !== this.#kind) this.#refuse("ERR_DTYPE", "type", `${this.#kind} and ${kind}`);
    if (shape.length !== this.#shape.length || shape.some((size, i) => size !== this.#shape[i])) {
      this.#refuse("ERR_SHAPE", "shape", `[${this.#shape}] and [${shape}]`);
    }
    if (this.#count === this.#capacity) this.#grow();
    (this.#data as Float32Array).set(data as Float32Array, this.#count * data.length);
    this.#count += 1;
  }

  /** The first samples, as one column. */
  finish(count: number): Column {
    const shape = [count, ...this.#shape];
    return { data: (this.#data as Float32Array).subarray(0, countOf(shape)), shape };
  }

  #grow(): void {
    const data = this.#data as Float32Array;
    const sample = data.length / this.#capacity;
    this.#capacity = Math.min(2 * this.#capacity, this.#most);
    const grown = elementsLike(this.#where, data, this.#capacity * sample) as Float32Array;
    grown.set(data);
    this.#data = grown;
  }

  #refuse(code: "ERR_DTYPE" | "ERR_SHAPE", what: string, given: string): never {
    throw new StepwellError(code, `${this.#where}: expected samples of one ${what} in a batch, given ${given}`);
  }
}

/** Columns of batches one after the other along dimension 0. */
export function joined(where: string, columns: readonly Column[]): Column {
  const [first] = columns as readonly [Column, ...Column[]];
  if (columns.length === 1) return first;
  let length = 0;
  let count = 0;
  for (const { data, shape } of columns) {
    if (kindOf(data) !== kindOf(first.data) || String(shape.slice(1)) !== String(first.shape.slice(1))) {
      const given = `${kindOf(first.data)} of [${first.shape}] and ${kindOf(data)} of [${shape}]`;
      throw new StepwellError("ERR_SHAPE", `${where}: expected batches of one kind in a step, given ${given}`);
    }
    length += data.length;
    count += shape[0] ?? 0;
  }
  const data = elementsLike(where, first.data, length);
  let offset = 0;
  for (const column of columns) {
    (data as Float32Array).set(column.data as Float32Array, offset);
    offset += column.data.length;
  }
  return { data, shape: [count, ...first.shape.slice(1)] };
}

/** A column with elements of its own. */
export function copied(where: string, { data, shape }: Column): Column {
  const own = elementsLike(where, data, data.length);
  (own as Float32Array).set(data as Float32Array);
  return { data: own, shape };
}

/** The input and the target of an item: of a pair, or of a dictionary with these two names. */
export function pairOf(where: string, item: unknown, names: readonly [string, string]): readonly [unknown, unknown] {
  const expected = `a pair [${names.join(", ")}] or { ${names.join(", ")} }`;
  if (typeof item !== "object" || item === null || isRevoked(item)) return refuse(where, expected, item);
  if (Array.isArray(item)) {
    if (item.length !== 2) refuse(where, expected, item);
    return [item[0], item[1]];
  }
  if (!isDictionary(item)) return refuse(where, expected, item);
  const { [names[0]]: input, [names[1]]: target, ...others } = item as Record<string, unknown>;
  const [surplus] = Object.keys(others);
  if (surplus !== undefined) refuse(where, `${expected} and no more`, surplus);
  for (const [i, part] of [input, target].entries()) {
    if (part === undefined || part === null) {
      const given = `given ${describeValue(part)}`;
      throw new StepwellError("ERR_ARGUMENT", `${where}: expected ${expected}, with ${names[i]}, ${given}`);
    }
  }
  return [input, target];
}
