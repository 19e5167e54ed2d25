// Plain data about objects, without their elements: results of the command `outline`, with names for their columns.

import type { ScheduleState } from "../types/results.js";

/** A tensor without its elements. */
export interface TensorOutline {
  readonly name: string;
  readonly dtype: string;
  readonly device: string;
  readonly grad: boolean;
  readonly size: readonly number[];
}

type TensorColumns = readonly [name: string, dtype: string, device: string, grad: boolean, size: readonly number[]];

/** Options by name. */
export type OptionValues = { readonly [name: string]: unknown };

/** A module, at its depth in a tree. */
export interface ModuleOutline {
  readonly depth: number;
  readonly module: string;
  readonly name: string;
  readonly options: OptionValues;
  readonly parms: readonly TensorColumns[];
}

/** The name of a loss, and names and values of its options in turn. */
export type LossOutline = readonly [loss: string, ...options: readonly unknown[]];

/** An optimizer: its definition with the options that differ from the defaults, and its schedule. */
export type OptimizerOutline = readonly [
  definition: {
    readonly optimizer: string;
    readonly options: readonly OptionValues[];
    readonly parms: readonly { readonly parmgroup: number; readonly size: readonly number[] }[];
    readonly fused?: false;
    readonly offload?: true;
  },
  schedule: ScheduleState | null,
];

/** A model: its three parts. */
export type ModelOutline = readonly [module: readonly ModuleOutline[], loss: LossOutline, optimizer: OptimizerOutline];

/** The tensors of an outline, or of a module of it. */
export const tensorsOf = (columns: unknown): readonly TensorOutline[] =>
  (columns as readonly TensorColumns[]).map(([name, dtype, device, grad, size]) => ({
    name,
    dtype,
    device,
    grad,
    size,
  }));

/** A loss as a dictionary of its name and its options. */
export function lossOf([loss, ...rest]: LossOutline): { readonly loss: string } & OptionValues {
  const names = rest.filter((_, i) => i % 2 === 0) as readonly string[];
  return { loss, ...Object.fromEntries(names.map((name, i) => [name, rest[2 * i + 1]])) };
}

/** The product of sizes. */
export const elementsOf = (size: readonly number[]): number => size.reduce((product, n) => product * n, 1);

/** A number of things: `1 group`, `2 groups`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
