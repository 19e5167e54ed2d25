// Trainings whose optimizer does not have all of the model: a child, vectors of parameters, or children in groups.

import * as k from "@stepwell/sdk";

export type OptimizerOf = "module" | "child" | "vectors" | "children";

export interface PartialRun {
  readonly of: OptimizerOf;
  /** `fit`, `run` of a model, or steps of a loop of the program. */
  readonly loop: "fit" | "run" | "steps";
  readonly sharded: boolean;
}

const origins = ["module", "child", "vectors", "children"] as const;

export const partialRuns: readonly PartialRun[] = (["fit", "run", "steps"] as const).flatMap((loop) =>
  origins.flatMap((of) => (loop === "run" ? [false, true] : [false]).map((sharded) => ({ of, loop, sharded }))),
);

const inputs = Array.from({ length: 20 }, (_, i) => [Math.sin(i), Math.cos(2 * i), i / 20]);
const targets = inputs.map(([a = 0, b = 0]) => [a * b, a - b]);

/** A model with running statistics. Each rank begins with other numbers. */
export function partialModel(of: OptimizerOf, rank: number) {
  k.seed(1 + rank);
  const net = k.module(k.seq("sequential", ["linear", "a", 3, 4], ["batchnorm1d", "norm", 4], ["linear", "b", 4, 2]));
  k.to(net, "double");
  const parameters = (suffix: string) =>
    k.vector(...k.parmnames(net).flatMap((name) => (name.endsWith(suffix) ? [k.parm(net, name)] : [])));
  if (of === "module") return { net, o: k.opt("adam", net, 0.05) };
  if (of === "child") return { net, o: k.opt("adam", k.child(net, "b"), 0.05) };
  const [one, other] =
    of === "vectors" ? [parameters("weight"), parameters("bias")] : [k.child(net, "a"), k.child(net, "b")];
  const o = k.opt("adam", one as k.VectorHandle, 0.05);
  k.opt(o, 1, other as k.VectorHandle, 0.05);
  return { net, o };
}

/** Makes a training, and returns all numbers of the module. */
export async function trainPartially({ of, loop, sharded }: PartialRun, rank: number): Promise<unknown> {
  const { net, o } = partialModel(of, rank);
  if (loop === "fit") {
    const distributed = { sharded };
    await new k.Model(net, "mse", o).fit({ inputs, targets }, { distributed, epochs: 2, batchsize: 10 });
  } else if (loop === "run") {
    const model = k.model(net, k.loss("mse"), o);
    k.train(model, { batchsize: 10 });
    k.train(model, k.tensor(inputs, "double"), k.tensor(targets, "double"));
    await k.distributed(model, { sharded });
    for (let epoch = 0; epoch < 2; epoch++) await k.runAsync(model);
  } else {
    // A container of one process, which adds no tensor.
    const wrapped = rank === 0 ? k.module(k.seq("sequential", net, ["softmax", 1])) : undefined;
    await k.distributed(o, { sharded });
    if (wrapped) k.free(wrapped);
    for (let step = 0; step < 3; step++) {
      const own = k.tensor(inputs.slice(5 * rank + step, 5 * rank + step + 5), "double");
      k.backward(k.sum(k.pow(k.forward(net, own), 2)));
      await k.stepAsync(o, { zerograd: true });
    }
  }
  return JSON.parse(JSON.stringify(k.state(net)));
}
