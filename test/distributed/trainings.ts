// Trainings that one process makes, or several on parts of each batch, with equal results.

import * as k from "@stepwell/sdk";

export interface Training {
  readonly name: string;
  readonly optimizer: k.OptimizerName;
  readonly options?: object;
  readonly train?: k.TrainOptions;
  /** `own` is a function with a parameter of its own, which has a gradient only if the samples have class 2. */
  readonly loss?: "ce" | "weighted ce" | "mse" | "sum" | "own";
  readonly scale?: k.LossScaleOptions;
  readonly samples?: number;
  readonly epochs?: number;
  /** Parameters of 16 bits. The numbers of the one step are whole, so that no sum is rounded. */
  readonly dtype?: "half" | "bfloat16";
}

export interface Trained {
  readonly name: string;
  readonly parameters: readonly number[];
  readonly losses: readonly number[];
  readonly skipped: number;
}

const optimizers: readonly k.OptimizerName[] = k.help("optimizer").map(({ optimizer }) => optimizer);

/**
 * Each optimizer: plain, with several batches a step, clipped, with a loss scale, with gradients that processes lack, and with parameters of
 * 16 bits. Batches of 8 of 21 samples: the last has 5, and three or four processes have different numbers of them.
 */
export const trainings: readonly Training[] = optimizers.flatMap((optimizer): Training[] => {
  const rows: Training[] = [
    { name: "plain", optimizer, epochs: 2 },
    { name: "accumulated", optimizer, train: { accumulate: 2 } },
    { name: "clipped", optimizer, train: { clipnorm: 0.05 } },
    { name: "weights of classes", optimizer, loss: "weighted ce" },
    { name: "a sum", optimizer, loss: "sum", train: { clipvalue: 0.01 } },
    { name: "fewer samples than processes", optimizer, samples: 17, loss: "mse" },
    { name: "missing gradients", optimizer, loss: "own" },
  ];
  // The line search of L-BFGS has a loss, and no scale.
  if (optimizer !== "lbfgs") {
    rows.push({ name: "scaled", optimizer, scale: { init: 1024, interval: 2 }, epochs: 2 });
    for (const dtype of ["half", "bfloat16"] as const) rows.push({ name: dtype, optimizer, dtype });
  }
  // Each iteration of L-BFGS multiplies differences of rounding.
  const options = optimizer === "lbfgs" ? { iter: 2 } : {};
  return rows.map((row) => ({ ...row, options, name: `${optimizer}, ${row.name}` }));
});

/** Gives a training to the processes of a group. */
type Share = (optimizer: k.OptimizerHandle, parameters: readonly k.TensorHandle[]) => Promise<void>;

/** Makes a training. */
export async function train(row: Training, share?: Share): Promise<Trained> {
  if (row.dtype) return trainOneStep(row, row.dtype, share);
  const { optimizer, options, train = {}, loss = "ce", scale, samples = 21, epochs = 1 } = row;
  k.seed(3);
  const net = k.module(k.seq("sequential", ["linear", "a", 3, 5], "tanh", ["linear", "b", 5, 3]));
  k.to(net, "double");
  const own = k.tensor([0.1, 0.2, 0.3], "double", { grad: true });
  const parameters = [...k.parmnames(net).map((name) => k.parm(net, name)), ...(loss === "own" ? [own] : [])];
  const o = k.opt(optimizer as "adam", net, { lr: 0.05, ...options });
  if (loss === "own") k.opt(o, own);
  if (scale) k.lossscale(o, scale);
  const criterion =
    loss === "weighted ce"
      ? k.loss("ce", { weight: [0.2, 1, 3], ignore: 1 })
      : loss === "ce"
        ? k.loss("ce")
        : k.loss("mse", { reduce: loss === "sum" ? "sum" : "mean" });
  const model = loss === "own" ? k.model(net, lossWith(own), o) : k.model(net, criterion, o);
  const inputs = Array.from({ length: samples }, (_, i) => [Math.sin(i), Math.cos(2 * i), i / samples]);
  const hasClasses = loss.endsWith("ce") || loss === "own";
  const targets = hasClasses
    ? BigInt64Array.from(inputs, (_, i) => BigInt(i % 3))
    : inputs.map(([a = 0, b = 0, c = 0]) => [b, c, a]);
  k.train(model, { batchsize: 8, shuffle: true, ...train });
  k.train(model, k.tensor(inputs, "double"), targets);
  await share?.(o, parameters);
  const losses: number[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) losses.push(k.run(model) as number);
  const result = { name: row.name, parameters: numbersOf(parameters), losses, skipped: k.skipped(o) };
  k.free(model, criterion, o, net, own);
  return result;
}

const numbersOf = (parameters: readonly k.TensorHandle[]) =>
  parameters.flatMap((parameter) => Array.from(k.data(parameter).data as ArrayLike<number | bigint>, Number));

/** The mean over the samples of the cross entropy, and of a square for samples of class 2. */
function lossWith(own: k.TensorHandle): k.LossFunction {
  return (output, target) => {
    const classes = Array.from(k.data(target).data as BigInt64Array, Number);
    const chosen = classes.map((c) => [c === 2 ? 1 : 0]);
    const entropy = k.ce(output, target);
    if (!classes.includes(2)) return entropy;
    const squares = k.mul(k.pow(k.sub(output, own), 2), k.tensor(chosen, "double"));
    return k.add(entropy, k.div(k.sum(squares), chosen.length));
  };
}

/** One step from zeros on whole numbers, whose sums 16 bits hold. */
async function trainOneStep(row: Training, dtype: "half" | "bfloat16", share?: Share): Promise<Trained> {
  const samples = 21;
  const net = k.module(["linear", 3, 5]);
  k.to(net, dtype);
  const parameters = k.parmnames(net).map((name) => k.parm(net, name));
  for (const parameter of parameters) k.copyto(k.full(k.size(parameter) as number[], 0, dtype), parameter);
  const o = k.opt(row.optimizer as "adam", net, { lr: 0.05 });
  const criterion = k.loss("mse", { reduce: "sum" });
  const model = k.model(net, criterion, o);
  const digit = (i: number, j: number) => ((i * 7 + j * 5) % 3) - 1;
  const digits = (length: number) =>
    Array.from({ length: samples }, (_, i) => Array.from({ length }, (_, j) => digit(i, j)));
  k.train(model, { batchsize: samples });
  k.train(model, k.tensor(digits(3), dtype), k.tensor(digits(5), dtype));
  await share?.(o, parameters);
  const losses = [k.run(model) as number];
  const result = { name: row.name, parameters: numbersOf(parameters), losses, skipped: k.skipped(o) };
  k.free(model, criterion, o, net);
  return result;
}
