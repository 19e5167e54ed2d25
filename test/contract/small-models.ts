// The models that tests train.

import * as k from "@stepwell/sdk";

/** Ten samples of three classes. */
export const inputs = Array.from({ length: 10 }, (_, i) => [Math.sin(i), Math.cos(2 * i), i / 10]);

export const classes = Array.from({ length: 10 }, (_, i) => i % 3);

export const network = () => {
  k.seed(1);
  return k.module(k.seq("sequential", ["linear", "a", 3, 8], "tanh", ["dropout", 0.25], ["linear", "b", 8, 3]));
};

export const values = (m: k.ModuleHandle) => k.parmnames(m).map((name) => k.tensor(k.parm(m, name)));

/** A model of one layer without a bias, whose output for the input 1 is x. */
export const point = (x: readonly number[], ...optimizer: readonly [name: k.OptimizerName, ...options: number[]]) => {
  const m = k.module(["linear", 1, x.length, false]);
  k.copyto(
    x.map((value) => [value]),
    k.parm(m, "weight"),
  );
  const [name, ...options] = optimizer;
  const o = k.opt(name, m, ...(options as [number]));
  const model = k.model(m, k.loss("mse"), o);
  k.train(model, [[1]], [[1, 2, 3]]);
  return { m, o, model, at: () => (k.tensor(k.parm(m, "weight")) as number[][]).flat() };
};
