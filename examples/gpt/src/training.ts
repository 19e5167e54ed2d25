// Trains the model with one optimizer.

import type * as sdk from "@stepwell/sdk";
import { gpt, type Sizes } from "./gpt.js";
import { characters, pieces, randomOf } from "./text.js";

/** The model of the example: 4 layers, 128 wide, 809,000 parameters. */
export const sizes: Sizes = { characters, width: 128, heads: 4, layers: 4, context: 64 };

export interface Plan {
  readonly optimizer: "lamb" | "adamw";
  readonly steps: number;
  readonly batch: number;
  readonly seed: number;
  /** Steps between two reports. */
  readonly every: number;
}

/** The learning rate of each optimizer. */
const rates = { lamb: 0.008, adamw: 0.002 };

/** Trains, and calls `report` with the losses on the text of the training and of the test. The model is the caller's to free. */
export function train(
  k: typeof sdk,
  plan: Plan,
  report: (step: number, training: number, test: number) => void,
  size = sizes,
) {
  k.seed(plan.seed);
  const random = randomOf(plan.seed);
  const model = gpt(k, size);
  const optimizer = k.opt(plan.optimizer, model.module, rates[plan.optimizer], { decay: 0.1 });
  const measure = () => {
    const losses = Array.from({ length: 8 }, () => {
      const { tokens, targets } = pieces(plan.batch, size.context, random, "test");
      return k.scoped(() => k.tensor(model.loss(tokens, targets)) as number);
    });
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  };
  for (let step = 1; step <= plan.steps; step++) {
    // A linear warm-up, and then half of a cosine.
    const share = Math.min(1, step / (0.05 * plan.steps)) * (0.55 + 0.45 * Math.cos((Math.PI * step) / plan.steps));
    k.lr(optimizer, rates[plan.optimizer] * share);
    const { tokens, targets } = pieces(plan.batch, size.context, random);
    const loss = k.scoped(() => {
      const loss = model.loss(tokens, targets);
      k.backward(loss);
      k.step(optimizer, { zerograd: true });
      return k.tensor(loss) as number;
    });
    if (step % plan.every === 0 || step === plan.steps) report(step, loss, measure());
  }
  k.free(optimizer);
  return model;
}
