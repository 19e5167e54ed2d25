// Conversions of a table of numbers by plain double loops, with which every contender is compared.

import type { Request } from "../child.js";
import { parameters } from "../numbers.js";
import type { Candidate } from "./serve.js";

type Table = number[][];
export type Conversion = Request & { do: "convert" };

export function flatOf(table: Table): Float32Array {
  const flat = new Float32Array(table.length * (table[0]?.length ?? 0));
  let place = 0;
  for (const row of table) {
    for (let i = 0; i < row.length; i++) flat[place++] = row[i] as number;
  }
  return flat;
}

export function tableOf(flat: ArrayLike<number>, [rows, columns]: Conversion["shape"]): Table {
  const table = new Array<number[]>(rows);
  let place = 0;
  for (let i = 0; i < rows; i++) {
    const row = new Array<number>(columns);
    for (let j = 0; j < columns; j++) row[j] = flat[place++] as number;
    table[i] = row;
  }
  return table;
}

const sum = (numbers: ArrayLike<number>) => Array.prototype.reduce.call(numbers, (a, b) => Number(a) + Number(b), 0);

/** A contender that makes a tensor of nested arrays, reads its elements, reads it as nested arrays, and frees it. */
export interface Converter<Tensor> {
  readonly make: (table: Table) => Tensor;
  readonly elements: (tensor: Tensor) => ArrayLike<number>;
  readonly read: (tensor: Tensor) => unknown;
  readonly free: (tensor: Tensor) => void;
}

export function converting<Tensor>(converter: Converter<Tensor>, { to, shape }: Conversion): Candidate {
  const table = tableOf(parameters(shape), shape);
  let tensor = converter.make(table);
  let lists: unknown;
  return {
    // Processor time of all threads: one turn is a few conversions, in which another program would count more than they do.
    step(steps) {
      const start = process.cpuUsage();
      for (let i = 0; i < steps; i++) {
        if (to === "lists") {
          lists = converter.read(tensor);
        } else {
          converter.free(tensor);
          tensor = converter.make(table);
        }
      }
      const { user, system } = process.cpuUsage(start);
      return Promise.resolve(1000 * (user + system));
    },
    // Not 0 for any of them: the numbers are weighted by their place through the square.
    moved: () =>
      sum(Array.from(to === "lists" ? flatOf(lists as Table) : converter.elements(tensor), (x) => x * x)) as number,
    free: () => converter.free(tensor),
  };
}
