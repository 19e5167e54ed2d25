// An optimizer's options on the page, from the tables that the optimizers themselves are made of.

import type { OptimizerName, OptionRow } from "@stepwell/sdk";
import { optionTables } from "./generated/options.js";

/** A value of an option. */
export type OptionValue = OptionRow[string];

/** The range of a number. Bounds are included unless it says otherwise. */
export interface Limit {
  readonly low: number;
  readonly high?: number;
  readonly lowExcluded?: boolean;
  readonly highExcluded?: boolean;
}

/** An option: its name, one sentence, what values it takes. */
export interface OptionSpecification {
  readonly name: string;
  readonly doc: string;
  readonly kind: "number" | "integer" | "flag" | "word";
  readonly words?: readonly string[];
  readonly limit?: Limit;
  readonly nullable?: boolean;
  /** Beyond the options of the k-api. */
  readonly extension?: boolean;
  readonly initial: OptionValue;
}

/** An optimizer: one sentence, and its options in positional order. */
export interface OptionTable {
  readonly about: string;
  /** Evaluates the loss itself, and has one parameter group. */
  readonly needsClosure: boolean;
  readonly rows: readonly OptionSpecification[];
}

/** The names of the optimizers. */
export const optimizerNames = Object.keys(optionTables) as readonly OptimizerName[];

/** The options of an optimizer. */
export function tableOf(optimizer: OptimizerName): OptionTable {
  return optionTables[optimizer];
}

/** The options of a row that are not at their defaults, in the order of the table. */
export function changedOptions(optimizer: OptimizerName, row: OptionRow): OptionRow {
  const changed: Record<string, OptionValue> = {};
  for (const { name, initial } of tableOf(optimizer).rows) {
    const value = row[name];
    if (value !== undefined && value !== initial) changed[name] = value;
  }
  return changed;
}

/** A value as the option takes it, from what was typed; undefined where it does not. An empty text is null. */
export function readOption(specification: OptionSpecification, text: string): OptionValue | undefined {
  const { kind, words, nullable } = specification;
  const trimmed = text.trim();
  if (trimmed === "" || trimmed === "null") return nullable ? null : undefined;
  if (kind === "flag") return trimmed === "true" ? true : trimmed === "false" ? false : undefined;
  if (kind === "word") return words?.includes(trimmed) ? trimmed : undefined;
  const value = Number(trimmed);
  return fits(specification, value) ? value : undefined;
}

function fits({ kind, limit }: OptionSpecification, value: number): boolean {
  if (!Number.isFinite(value) || (kind === "integer" && !Number.isSafeInteger(value))) return false;
  if (!limit) return true;
  const { low, high = Number.POSITIVE_INFINITY, lowExcluded = false, highExcluded = false } = limit;
  return (lowExcluded ? value > low : value >= low) && (highExcluded ? value < high : value <= high);
}

/** The range of an option in words. */
export function range({ kind, limit, nullable }: OptionSpecification): string {
  if (kind === "flag" || kind === "word") return "";
  const noun = kind === "integer" ? "A whole number" : "A number";
  const or = nullable ? ", or empty" : "";
  if (!limit) return `${noun}${or}.`;
  const { low, high, lowExcluded, highExcluded } = limit;
  if (high === undefined) return `${noun} ${lowExcluded ? ">" : "≥"} ${low}${or}.`;
  return `${noun} in ${lowExcluded ? "(" : "["}${low}, ${high}${highExcluded ? ")" : "]"}${or}.`;
}

const digits = [1, 1.5, 2, 3, 5, 7, 10];

/**
 * The next value in a direction. Of a whole number it is the next one; of a share, the next distance from 1 or from 0. Of
 * another number it is the next of 1, 1.5, 2, 3, 5, 7 times a power of ten. Undefined where there is none.
 */
export function neighbour(
  specification: OptionSpecification,
  value: OptionValue,
  direction: 1 | -1,
): number | undefined {
  if (typeof value !== "number") return undefined;
  const next = () => {
    if (specification.kind === "integer") return value + direction;
    if (specification.limit?.high === 1 && value >= 0.5) return rounded(1 - beside(1 - value, direction > 0 ? -1 : 1));
    return beside(value, direction);
  };
  const candidate = next();
  return fits(specification, candidate) ? candidate : undefined;
}

/** The next larger or smaller of the digits times a power of ten. */
function beside(value: number, direction: 1 | -1): number {
  if (value <= 0) return direction > 0 ? 1e-6 : value;
  const power = 10 ** Math.floor(Math.log10(value) + 1e-9);
  const candidates = [power / 10, power, power * 10].flatMap((scale) => digits.map((digit) => rounded(digit * scale)));
  const margin = value * 1e-6;
  return direction > 0
    ? Math.min(...candidates.filter((candidate) => candidate > value + margin))
    : Math.max(...candidates.filter((candidate) => candidate < value - margin));
}

function rounded(value: number): number {
  return Number(value.toPrecision(9));
}
