// Trains some steps, and saves at each line of its input.

import * as k from "@stepwell/sdk";
import { type Saver, savers } from "../savers.js";
import { configured, hear, say, sayAtLast } from "./lines.js";
import { marked } from "./marked.js";

export interface SaveConfig {
  readonly path: string;
  readonly optimizer: k.OptimizerName;
  readonly width: number;
  /** Steps before the save. */
  readonly steps: number;
  readonly saver: Saver;
}

/** The answer to each order. */
export interface SaveAnswer {
  readonly code?: string;
  readonly message?: string;
}

const { path, optimizer, width, steps, saver } = configured<SaveConfig>();
k.seed(7);
k.setting("threads", 1);
const m = k.module(["linear", width, width]);
const o = k.opt(optimizer as "adam", m);
const input = k.full([1, width], 0.5);
for (let i = 0; i < steps; i++) {
  const closure = () => {
    k.zerograd(o);
    const output = k.forward(m, input);
    const loss = k.mse(output, input);
    k.backward(loss);
    const value = k.tensor(loss) as number;
    k.free(output, loss);
    return value;
  };
  k.step(o, closure);
}
const prepared = savers[saver](path, { m, o, steps });

say("ready");
while (hear() !== undefined) {
  let failure: SaveAnswer = {};
  try {
    marked(prepared);
  } catch (error) {
    const isOurs = error instanceof k.StepwellError;
    failure = { code: isOurs ? error.code : `not a StepwellError`, message: (error as Error).message };
  }
  sayAtLast(failure satisfies SaveAnswer);
}
