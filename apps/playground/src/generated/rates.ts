// Written by apps/playground/scripts/sweep.ts; not to be edited.

import type { OptimizerName } from "@stepwell/sdk";

/** The learning rate at which each optimizer is best on each surface. */
export const rates: { readonly [surface: string]: { readonly [Name in OptimizerName]?: number } } = {
  rosenbrock: { adagrad: 0.7, adam: 0.3, adamw: 0.1, lamb: 0.03, lbfgs: 1, rmsprop: 0.005, sgd: 0.0015 },
  beale: { adagrad: 0.7, adam: 0.3, adamw: 0.2, lamb: 0.05, lbfgs: 1, rmsprop: 0.02, sgd: 0.015 },
  himmelblau: { adagrad: 1, adam: 0.5, adamw: 0.7, lamb: 0.02, lbfgs: 1, rmsprop: 0.07, sgd: 0.015 },
  saddle: { adagrad: 1, adam: 0.5, adamw: 1, lamb: 0.1, lbfgs: 1, rmsprop: 0.1, sgd: 0.15 },
  quadratic: { adagrad: 1, adam: 1, adamw: 0.7, lamb: 0.7, lbfgs: 1, rmsprop: 0.1, sgd: 0.01 },
};
