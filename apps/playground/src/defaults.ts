// The default options of each optimizer in a race.

import type { OptimizerName, OptionRow } from "@stepwell/sdk";
import { rates } from "./generated/rates.js";
import { tableOf } from "./options.js";
import type { SurfaceName } from "./surfaces/index.js";

/** Options, except the learning rate, that differ from the optimizer's defaults. */
export const baseOptions: { readonly [Name in OptimizerName]?: OptionRow } = {
  // Without momentum it would be plain gradient descent.
  sgd: { momentum: 0.9 },
  // One iteration a step, so that each is shown. Enough evaluations for the line search, since the default of `eval` would be
  // 1. With a line search, since a fixed step length has no convergence theory.
  lbfgs: { iter: 1, eval: 25, search: "strong_wolfe" },
};

/** Every option that an optimizer starts with on a surface. */
export function defaultOptions(surface: SurfaceName, optimizer: OptimizerName): OptionRow {
  const initial = Object.fromEntries(tableOf(optimizer).rows.map(({ name, initial }) => [name, initial]));
  const lr = rates[surface]?.[optimizer] ?? initial.lr ?? 0;
  return { ...initial, ...baseOptions[optimizer], lr };
}
