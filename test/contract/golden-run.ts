// The run of the golden files: an object of every kind, and an optimizer that uses all of its buffers.

import * as k from "@stepwell/sdk";
import { classes, inputs } from "./small-models.js";

export interface GoldenRun {
  readonly net: k.ModuleHandle;
  readonly optimizer: k.OptimizerHandle;
  readonly model: k.ModelHandle;
  readonly loss: k.LossHandle;
  readonly table: k.TensorHandle;
  readonly list: k.VectorHandle;
  readonly entries: k.DictionaryHandle;
}

/** The run before its first step. */
export function goldenRun(): GoldenRun {
  const width = inputs[0]?.length ?? 0;
  const net = k.module(
    k.seq("sequential", ["linear", "fc", width, 4], ["batchnorm", 4], ["dropout", 0.25], ["linear", "out", 4, 3]),
  );
  k.freeze(net, "fc.bias");
  const optimizer = k.opt("adam", net, { lr: 0.03, amsgrad: true, average: 0.9 });
  k.schedule(optimizer, { schedule: "cosine", steps: 20 } as never);
  const model = k.model(net, k.loss("ce", { smoothing: 0.1 }), optimizer);
  k.train(model, { batchsize: 4, shuffle: true });
  k.train(model, inputs, classes);
  const [a, b] = [k.tensor([1.5, -2], "double"), k.tensor([[true], [false]], "bool")];
  return {
    net,
    optimizer,
    model,
    loss: k.loss("mse", { reduce: "sum" }),
    table: k.tensor([[1, 2]], "long"),
    list: k.vector(a, b),
    entries: k.dict({ first: k.tensor([0.25]), "0": k.tensor([7]) }),
  };
}

/** Some steps across the end of an epoch, and the other objects. */
export function steps(run: GoldenRun): unknown {
  k.train(run.model, inputs, classes);
  const reports = Array.from({ length: 5 }, () => k.batch(run.model, true));
  const { parms, ...state } = k.state(run.optimizer);
  const rows = parms.map(({ pointer, ...row }) => row);
  const others = [run.list, run.entries].map((object) => [k.size(object), k.bytes(object)]);
  return [reports, rows, state, k.state(run.net), k.tensor(run.table), k.objtype(run.loss), others, k.randperm(4)];
}
