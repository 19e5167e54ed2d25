// Looks for the learning rate at which each optimizer is best on each surface, and writes src/generated/rates.ts.

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as stepwell from "@stepwell/sdk";
import { optimizerNames } from "../src/options.js";
import { bestRate } from "../src/rate-search.js";
import { surfaceNames } from "../src/surfaces/index.js";

const lines = surfaceNames.map((surface) => {
  const rates = optimizerNames.map((optimizer) => {
    const { rate, scores } = bestRate(stepwell, surface, optimizer);
    console.error(`${surface.padEnd(11)} ${optimizer.padEnd(8)} ${String(rate).padEnd(7)} ${scores.join(" ")}`);
    return `${optimizer}: ${rate}`;
  });
  return `  ${surface}: { ${rates.join(", ")} },`;
});

const text = `// Written by apps/playground/scripts/sweep.ts; not to be edited.

import type { OptimizerName } from "@stepwell/sdk";

/** The learning rate at which each optimizer is best on each surface. */
export const rates: { readonly [surface: string]: { readonly [Name in OptimizerName]?: number } } = {
${lines.join("\n")}
};
`;
writeFileSync(fileURLToPath(new URL("../../src/generated/rates.ts", import.meta.url)), text);
