// The settings of the training on digits, in the page's address.

import type { OptimizerName, OptionRow } from "@stepwell/sdk";
import { digitRates } from "./generated/digit-rates.js";
import { optimizerNames, readOption, tableOf } from "./options.js";

/** Batch sizes; each divides the 8,000 digits. */
export const batches = [50, 100, 200, 500, 1000, 2000, 4000, 8000] as const;
export const epochs = 10;

/** Optimizers that can take part. L-BFGS cannot, since curvature measured on small batches is noise. */
export const contenderNames: readonly OptimizerName[] = optimizerNames.filter((name) => !tableOf(name).needsClosure);

/** Options except the learning rate. */
export const contenderOptions: { readonly [Name in OptimizerName]?: OptionRow } = { sgd: { momentum: 0.9 } };

export interface DigitsSetup {
  readonly batch: number;
  readonly contenders: readonly OptimizerName[];
  /** Learning rates other than the best ones. */
  readonly rates: { readonly [Name in OptimizerName]?: number };
}

export const defaultDigits: DigitsSetup = { batch: 1000, contenders: ["sgd", "adam", "lamb"], rates: {} };

/** The learning rate of an optimizer: as it was set, or the best one for the batch size. */
export function digitRate({ batch, rates }: DigitsSetup, optimizer: OptimizerName): number {
  return rates[optimizer] ?? digitRates[optimizer]?.[batch]?.lr ?? 0.01;
}

export function writeDigits(words: URLSearchParams, { batch, contenders, rates }: DigitsSetup): void {
  if (batch !== defaultDigits.batch) words.set("batch", String(batch));
  if (contenders.join() !== defaultDigits.contenders.join()) words.set("contenders", contenders.join());
  for (const [name, rate] of Object.entries(rates)) words.set(`digits.${name}.lr`, String(rate));
}

export function readDigits(words: URLSearchParams): DigitsSetup {
  const batch = batches.find((size) => String(size) === words.get("batch")) ?? defaultDigits.batch;
  const named = words.get("contenders")?.split(",");
  const contenders = contenderNames.filter((name) => named?.includes(name));
  const rates: { [Name in OptimizerName]?: number } = {};
  for (const name of contenderNames) {
    const [lr] = tableOf(name).rows;
    const text = words.get(`digits.${name}.lr`);
    const rate = text === null || !lr ? undefined : readOption(lr, text);
    if (typeof rate === "number") rates[name] = rate;
  }
  return { batch, contenders: contenders.length > 0 ? contenders : defaultDigits.contenders, rates };
}
