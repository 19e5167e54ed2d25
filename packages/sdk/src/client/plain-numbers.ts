// Rectangular lists of plain numbers. One pass reads them into a typed array, which crosses the binding at once.

import type { BindingArgument } from "../binding.js";
import { MAX_NUMBERS } from "../values/numbers.js";
import { isList } from "../values/plain-data.js";

/** In numbers. Shorter lists are copied element by element, which takes a few microseconds. */
const MIN_NUMBERS = 64;
/** Limit of the session. */
const MAX_DIMENSIONS = 64;

/** Makes memory of some bytes for a call of a function, or throws `ERR_MEMORY`. It may be longer and need not be 0. */
export type Allocate = (command: string, bytes: number) => ArrayBufferLike;

/** A row of which a part was read. Its length need not be the common one, and no element was read then. */
export interface BegunRow {
  readonly length: number;
  /** Elements that were read as numbers. */
  readonly read: number;
  /** The element after them. */
  readonly item: unknown;
}

const losses = ["ce", "nll", "mse", "l1", "smoothl1", "bce", "bcewithlogits"];

/** Positions of arguments that become tensors if they are numbers, by function. */
const positions = new Map<string, readonly number[]>([
  ["tensor", [1]],
  ["copyto", [1]],
  ["grad", [2]],
  ...losses.map((name) => [name, [2]] as const),
  ["loss", [3]],
  ["train", [2, 3]],
  ["test", [2, 3]],
]);

/** Whether numbers in this argument of a function become a tensor. */
export function becomesTensor(command: string, position: number): boolean {
  if (command === "forward" || command === "evaluate") return position > 1;
  return command === "vector" || (positions.get(command)?.includes(position) ?? false);
}

/** Whether numbers in a call of a function become `float`, whatever the objects are that it is given. */
export function becomesFloat(command: string, args: readonly unknown[]): boolean {
  if (command === "tensor") return args.every((word, i) => i === 0 || word === undefined || word === "grad");
  return command === "vector" || command === "dict";
}

/**
 * The numbers of a list that is being read, as long as it is rectangular. Each element is read once, so that a getter runs once.
 * If the list turns out to be another one, {@link nested} gives back the elements that were read.
 */
export class PlainNumbers {
  /** Numbers so far. */
  count = 0;
  /** Values so far, as the limit of a call counts them: lists and their elements. */
  values = 0;
  /** The element at which {@link take} stopped. */
  stopped: unknown;
  /** The row of numbers at which {@link take} stopped, if it has read a part of it. */
  begun: BegunRow | undefined;
  /** Sizes of the dimensions. The first list of each dimension decides its size. */
  readonly #shape: number[] = [];
  /** Known from the first number on. */
  #rank = 0;
  #numbers: Float32Array | Float64Array | undefined;

  /** If they become `float` in any case, numbers are rounded at once. */
  constructor(
    readonly isFloat: boolean,
    readonly allocate: (bytes: number) => ArrayBufferLike,
  ) {}

  /** Begins a list of a dimension. False if lists of this length are not rectangular with the lists before. */
  enter(dimension: number, length: number): boolean {
    this.values += length + 1;
    if (this.#rank > 0) return this.#shape[dimension] === length;
    this.#shape.push(length);
    return length > 0 && dimension < MAX_DIMENSIONS;
  }

  /** Whether the elements of a list of this dimension may be lists. */
  isOuter(dimension: number): boolean {
    return this.#rank === 0 || dimension + 1 < this.#rank;
  }

  /**
   * Reads elements of a list up to one that is neither a number nor a row of numbers of the common length. Returns its position,
   * or the length if there is none.
   */
  take(list: readonly unknown[], dimension: number, from: number): number {
    if (this.isRow(dimension + 1)) return this.#takeRows(list, dimension, from);
    if (this.isOuter(dimension)) {
      const item = list[from];
      this.stopped = item;
      this.begun = undefined;
      if (this.#rank > 0 || (typeof item !== "number" && typeof item !== "bigint")) return from;
      if (!this.#begin() || typeof item === "bigint") return from;
      this.add(item);
      return this.take(list, dimension, from + 1);
    }
    const numbers = this.#numbers as Float32Array | Float64Array;
    const length = this.#shape[dimension] as number;
    const offset = this.count - from;
    for (let i = from; i < length; i++) {
      const item = list[i];
      if (typeof item !== "number") {
        this.stopped = item;
        this.count = offset + i;
        return i;
      }
      numbers[offset + i] = item;
    }
    this.count = offset + length;
    return length;
  }

  /** Goes on with a row that {@link take} has begun, and returns the position of its next element, which is {@link stopped}. */
  resume({ read, item }: BegunRow): number {
    this.count += read;
    this.stopped = item;
    return read;
  }

  /** As {@link take}, for a list of rows: calls for each of them would take longer than the numbers of short ones. */
  #takeRows(list: readonly unknown[], dimension: number, from: number): number {
    const numbers = this.#numbers as Float32Array | Float64Array;
    const [rows, length] = [this.#shape[dimension] as number, this.#shape[dimension + 1] as number];
    let { count } = this;
    let i = from;
    for (this.begun = undefined; i < rows; i++) {
      const row = list[i];
      this.stopped = row;
      if (!isList(row)) break;
      const given = row.length;
      let read = 0;
      let item: unknown;
      if (given === length) {
        for (; read < length; read++) {
          item = row[read];
          if (typeof item !== "number") break;
          numbers[count + read] = item;
        }
        if (read === length) {
          count += length;
          continue;
        }
      }
      this.begun = { length: given, read, item };
      break;
    }
    this.count = count;
    this.values += (i - from) * (length + 1);
    return i;
  }

  /** Whether an element of a list of this dimension can be a number. */
  isRow(dimension: number): boolean {
    return dimension + 1 === this.#rank;
  }

  add(number: number): void {
    (this.#numbers as Float32Array | Float64Array)[this.count++] = number;
  }

  /** The first elements of a list of a dimension, whose numbers begin at `start`, as nested lists. */
  nested(dimension: number, start: number, length: number): BindingArgument[] {
    if (length === 0 || dimension + 1 === this.#rank) {
      return Array.from((this.#numbers ?? []).slice(start, start + length));
    }
    const size = this.#shape.slice(dimension + 1).reduce((product, size) => product * size, 1);
    const inner = this.#shape[dimension + 1] as number;
    return Array.from({ length }, (_, i) => this.nested(dimension + 1, start + i * size, inner));
  }

  /** The numbers and the sizes of their dimensions, as the engine takes them. */
  finish(): BindingArgument {
    const numbers = this.#numbers as Float32Array | Float64Array;
    if (numbers instanceof Float32Array) return { data: numbers, shape: this.#shape };
    numbers.set([...this.#shape, this.#rank], this.count);
    return new BigUint64Array(numbers.buffer, 0, numbers.length);
  }

  /** Makes memory at the first number, when the shape is known. False if the list is too short or too long. */
  #begin(): boolean {
    const count = this.#shape.reduce((product, size) => product * size, 1);
    if (count < MIN_NUMBERS || count > MAX_NUMBERS) return false;
    this.#rank = this.#shape.length;
    if (this.isFloat) {
      this.#numbers = new Float32Array(this.allocate(count * 4), 0, count);
    } else {
      const length = count + this.#rank + 1;
      this.#numbers = new Float64Array(this.allocate(length * 8), 0, length);
    }
    return true;
  }
}
