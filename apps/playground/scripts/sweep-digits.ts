// Looks for the learning rate at which each optimizer reads the most test digits, for each batch size, and writes
// src/generated/digit-rates.ts. The rate is chosen with the test digits that are shown, which flatters all optimizers alike.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { OptimizerName } from "@stepwell/sdk";
import * as stepwell from "@stepwell/sdk";
import { Training } from "../src/digits.js";
import { decompress, unpack } from "../src/digits-data.js";
import { batches, contenderOptions, epochs } from "../src/digits-setup.js";

/** Rates at 1, 2 and 5 times powers of ten. */
const grid = (low: number, count: number): readonly number[] =>
  [1, 10, 100]
    .flatMap((power) => [1, 2, 5].map((digit) => Number((low * digit * power).toPrecision(1))))
    .slice(0, count);

const grids: { readonly [Name in OptimizerName]?: readonly number[] } = {
  sgd: grid(0.01, 7),
  adagrad: grid(0.01, 6),
  rmsprop: grid(0.0001, 7),
  adam: grid(0.001, 6),
  adamw: grid(0.001, 6),
  lamb: grid(0.01, 6),
};

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const digits = unpack(await decompress(new Blob([readFileSync(here("../../src/data/digits.bin"))])));

function accuracy(optimizer: OptimizerName, batch: number, lr: number): number {
  const options = { ...contenderOptions[optimizer], lr };
  const training = new Training(stepwell, digits, { batch, epochs, seed: 1, contenders: [{ optimizer, options }] });
  while (!training.isDone) training.advance(false);
  const [result = 0] = training.accuracies();
  training.free();
  return result;
}

const lines: string[] = [];
for (const [name, rates] of Object.entries(grids)) {
  const optimizer = name as OptimizerName;
  lines.push(`  ${name}: {`);
  for (const batch of batches) {
    const results = rates.map((lr) => accuracy(optimizer, batch, lr));
    const best = results.indexOf(Math.max(...results));
    lines.push(`    ${batch}: { lr: ${rates[best]}, accuracy: ${results[best]} },`);
    console.error(`${name} ${batch}: ${results.map((result, index) => `${rates[index]} ${result}`).join(", ")}`);
  }
  lines.push("  },");
}

const text = `// Written by apps/playground/scripts/sweep-digits.ts; not to be edited.

/** For each optimizer and batch size: the learning rate that reads the most test digits, and the share that it reads. */
export const digitRates: {
  readonly [optimizer: string]: { readonly [batch: number]: { readonly lr: number; readonly accuracy: number } };
} = {
${lines.join("\n")}
};
`;
writeFileSync(here("../../src/generated/digit-rates.ts"), text);
