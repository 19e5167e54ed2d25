// Trainings that one process makes, or several on parts of each batch, with equal results.

import * as k from "@stepwell/sdk";

export interface Training {
  readonly name: string;
  readonly optimizer: k.OptimizerName;
  readonly options?: object;
  readonly train?: k.TrainOptions;
  readonly loss?: "ce" | "weighted ce" | "mse" | "sum";
  readonly scale?: k.LossScaleOptions;
  readonly samples?: number;
}

export interface Trained {
  readonly name: string;
  readonly parameters: readonly number[];
  readonly losses: readonly number[];
  readonly skipped: number;
}

const optimizers: readonly k.OptimizerName[] = k.help("optimizer").map(({ optimizer }) => optimizer);

/** Each optimizer: plain, with several batches a step, with a clipped norm, and with a loss scale. Batches of 8 of 21 samples: the last has 5. */
export const trainings: readonly Training[] = optimizers.flatMap((optimizer): Training[] => {
  const rows: Training[] = [
    { name: "plain", optimizer },
    { name: "accumulated", optimizer, train: { accumulate: 2 } },
    { name: "clipped", optimizer, train: { clipnorm: 0.05 } },
    { name: "weights of classes", optimizer, loss: "weighted ce" },
    { name: "a sum", optimizer, loss: "sum", train: { clipvalue: 0.01 } },
    { name: "fewer samples than processes", optimizer, samples: 17, loss: "mse" },
  ];
  if (optimizer !== "lbfgs") rows.push({ name: "scaled", optimizer, scale: { init: 1024, interval: 2 } });
  // Each iteration of L-BFGS multiplies differences of rounding.
  const options = optimizer === "lbfgs" ? { iter: 2 } : {};
  return rows.map((row) => ({ ...row, options, name: `${optimizer}, ${row.name}` }));
});

/** Makes a training. `share` gives it to the processes of a group. */
export async function train(
  row: Training,
  share?: (model: k.ModelHandle, net: k.ModuleHandle) => Promise<void>,
): Promise<Trained> {
  const { optimizer, options, train = {}, loss = "ce", scale, samples = 21 } = row;
  k.seed(3);
  const net = k.module(k.seq("sequential", ["linear", "a", 3, 5], "tanh", ["linear", "b", 5, 3]));
  k.to(net, "double");
  const o = k.opt(optimizer as "adam", net, { lr: 0.05, ...options });
  if (scale) k.lossscale(o, scale);
  const criterion =
    loss === "weighted ce"
      ? k.loss("ce", { weight: [0.2, 1, 3], ignore: 1 })
      : loss === "ce"
        ? k.loss("ce")
        : k.loss("mse", { reduce: loss === "sum" ? "sum" : "mean" });
  const model = k.model(net, criterion, o);
  const inputs = Array.from({ length: samples }, (_, i) => [Math.sin(i), Math.cos(2 * i), i / samples]);
  const targets = loss.endsWith("ce") ? inputs.map((_, i) => i % 3) : inputs.map(([a = 0, b = 0, c = 0]) => [b, c, a]);
  k.train(model, { batchsize: 8, shuffle: true, ...train });
  k.train(model, k.tensor(inputs, "double"), targets);
  await share?.(model, net);
  const losses: number[] = [];
  for (let epoch = 0; epoch < 2; epoch++) losses.push(k.run(model) as number);
  const parameters = k.parmnames(net).flatMap((name) => Array.from(k.data(k.parm(net, name), "double").data));
  const result = { name: row.name, parameters, losses, skipped: k.skipped(o) };
  k.free(model, criterion, o, net);
  return result;
}
