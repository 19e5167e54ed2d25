// The kept tables are what their sweeps find: a neighbouring rate is no better.

import * as k from "@stepwell/sdk";
import { expect, it } from "vitest";
import { rates } from "../../apps/playground/src/generated/rates.js";
import { optimizerNames } from "../../apps/playground/src/options.js";
import { grid, score } from "../../apps/playground/src/rate-search.js";
import { surfaceNames } from "../../apps/playground/src/surfaces/index.js";

const all = surfaceNames.flatMap((surface) => optimizerNames.map((optimizer) => [surface, optimizer] as const));

it.each(all)("on %s, %s has no better rate beside its own", (surface, optimizer) => {
  const rate = rates[surface]?.[optimizer] ?? Number.NaN;
  const index = grid.indexOf(rate);
  expect(index).toBeGreaterThanOrEqual(0);
  const beside = [grid[index - 1], grid[index + 1]].filter((other) => other !== undefined);
  const own = score(k, surface, optimizer, rate);
  for (const other of beside) expect(score(k, surface, optimizer, other)).toBeGreaterThanOrEqual(own);
});
