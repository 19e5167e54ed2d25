// Trains every optimizer with several options, saves, and goes on; or loads what another process has saved, and goes on.

import { createHash } from "node:crypto";
import { join } from "node:path";
import * as k from "@stepwell/sdk";
import { configured, say } from "./lines.js";

export interface ResumeConfig {
  readonly folder: string;
  readonly part: "save" | "load";
  readonly steps: number;
  /** Undefined for a network whose sums depend on the number of threads. */
  readonly threads?: number;
  /** A planted bug: what is not loaded. */
  readonly without?: "the optimizer" | "the generator";
}

export interface ResumeReport {
  readonly run: string;
  /** SHA-256 of everything at the end. */
  readonly digest: string;
}

const { folder, part, steps, threads, without } = configured<ResumeConfig>();
k.setting("threads", threads ?? 1);

/** Options that use every buffer that an optimizer has. */
const options: Readonly<Record<k.OptimizerName, readonly object[]>> = {
  adagrad: [{}, { lrdecay: 0.1, init: 0.5, decay: 0.01 }],
  adam: [{}, { amsgrad: true, average: 0.9 }, { moments: "bfloat16", decay: 0.1 }, { fused: false }],
  adamw: [{}, { amsgrad: true, decay: 0.1 }, { maximize: true, average: 0.5 }],
  lamb: [{}, { decay: 0.1, globalnorm: true }],
  lbfgs: [{ iter: 2 }, { iter: 2, history: 4, search: "strong_wolfe" }],
  rmsprop: [{}, { momentum: 0.5, centered: true }, { fused: false, momentum: 0.9 }],
  sgd: [
    {},
    { momentum: 0.9, nesterov: true },
    { momentum: 0.9, dampening: 0.1, decay: 0.01 },
    { fused: false, momentum: 0.5 },
  ],
} as never;
const inputs = Array.from({ length: 38 }, (_, i) => [Math.sin(i), Math.cos(2 * i), i / 38]);
const classes = Array.from({ length: 38 }, (_, i) => i % 3);

interface Run {
  readonly net: k.ModuleHandle;
  readonly optimizer: k.OptimizerHandle;
  readonly model: k.ModelHandle;
}

/** libtorch divides the sums of batch normalisation among its threads, so that their last bits depend on the number of threads. */
const normalization = threads === undefined ? [["batchnorm", 8]] : [];

function start(name: k.OptimizerName, chosen: object, dtype: k.Dtype): Run {
  k.seed(11);
  const layers = [["linear", "a", 3, 8], ...normalization, "tanh", ["dropout", 0.3], ["linear", "b", 8, 3]];
  const net = k.module(k.seq("sequential", ...(layers as ["tanh"])));
  k.to(net, dtype);
  const optimizer = k.opt(name as "adam", net, { lr: 0.05, ...chosen } as never);
  if (name !== "lbfgs") k.schedule(optimizer, { schedule: "cosine", steps: 60 } as never);
  const model = k.model(net, k.loss("ce", { smoothing: 0.1 }), optimizer);
  k.train(model, { batchsize: 4, shuffle: true, metrics: ["loss", "accuracy"] });
  k.train(model, k.tensor(inputs, dtype), classes);
  return { net, optimizer, model };
}

function advance({ net, optimizer, model }: Run): string {
  const losses: unknown[] = [];
  for (let i = 0; i < steps; i++) losses.push(k.batch(model, true));
  const { parms, ...state } = k.state(optimizer);
  const rows = parms.map(({ pointer, ...row }) => row);
  const all = JSON.stringify([losses, k.state(net), state, rows, k.metrics(model), k.randperm(9)]);
  return createHash("sha256").update(all).digest("hex");
}

for (const [name, sets] of Object.entries(options) as [k.OptimizerName, readonly object[]][]) {
  for (const [i, chosen] of sets.entries()) {
    for (const dtype of ["float", "double"] as const) {
      // Moments of 16 bits are for parameters of at most 32.
      if ("moments" in chosen && dtype === "double") continue;
      const run = `${name} ${JSON.stringify(chosen)} ${dtype}`;
      const path = join(folder, `${name}-${i}-${dtype}`);
      let digest: string;
      if (part === "save") {
        const made = start(name, chosen, dtype);
        advance(made);
        k.save(path, { ...made });
        digest = advance(made);
      } else if (without === undefined) {
        const loaded = k.load<Run>(path);
        k.train(loaded.model, k.tensor(inputs, dtype), classes);
        digest = advance(loaded);
      } else {
        const made = start(name, chosen, dtype);
        k.load(
          path,
          { net: made.net, model: made.model, optimizer: made.optimizer },
          { generator: without !== "the generator" },
        );
        if (without === "the optimizer") {
          const fresh = k.opt(name as "adam", made.net, { lr: 0.05, ...chosen } as never);
          const model = k.model(made.net, k.loss("ce", { smoothing: 0.1 }), fresh);
          k.train(model, { batchsize: 4, shuffle: true, metrics: ["loss", "accuracy"] });
          k.train(model, k.tensor(inputs, dtype), classes);
          digest = advance({ net: made.net, optimizer: fresh, model });
        } else digest = advance(made);
      }
      say({ run, digest } satisfies ResumeReport);
      k.free();
    }
  }
}
