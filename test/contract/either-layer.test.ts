// Every function takes an object with methods in every place where it takes a handle, and does the same with both.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as k from "@stepwell/sdk";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { callOperation, operationNames } from "../operation-calls.js";
import { returnsPromise } from "../promises.js";

beforeEach(() => k.reset());

const folder = mkdtempSync(join(tmpdir(), "either-layer-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "m.safetensors");

/** A class of the caller: any object whose `handle` is one. */
class Holder<Kind extends k.AnyHandle> implements k.Held<Kind> {
  constructor(readonly handle: Kind) {}
  [Symbol.dispose]() {
    k.free(this.handle);
  }
}

/** Objects as a caller names them, without a word about their layer. */
interface Objects {
  readonly tensor: k.AnyTensor;
  /** A leaf with a gradient. */
  readonly leaf: k.AnyTensor;
  readonly scalar: k.AnyTensor;
  readonly vector: k.AnyVector;
  readonly dictionary: k.AnyDictionary;
  readonly module: k.AnyModule;
  readonly optimizer: k.AnyOptimizer;
  readonly loss: k.AnyLoss;
  readonly model: k.AnyModel;
}

function handles() {
  k.seed(1);
  const module = k.module(k.seq("sequential", ["linear", 2, 2]));
  const optimizer = k.opt("sgd", module, 0.1, { average: 0.5 });
  const tensor = k.tensor([
    [0.1, 0.2],
    [0.3, 0.4],
  ]);
  const leaf = k.tensor([[0.5, 0.25]], "grad");
  k.backward(k.mse(leaf, [[1, 1]]));
  const scalar = k.mse(k.forward(module, tensor), tensor);
  const loss = k.loss("mse");
  const model = k.model(module, loss, optimizer);
  return {
    tensor,
    leaf,
    scalar,
    vector: k.vector(leaf, k.tensor([1], "grad")),
    dictionary: k.dict({ w: leaf }),
    module,
    optimizer,
    loss,
    model,
  };
}

function objects(made: ReturnType<typeof handles>) {
  return {
    tensor: new k.Tensor(made.tensor),
    leaf: new k.Tensor(made.leaf),
    scalar: new k.Tensor(made.scalar),
    vector: new Holder(made.vector),
    dictionary: new Holder(made.dictionary),
    module: new k.Module(made.module),
    optimizer: new k.Optimizer(made.optimizer),
    loss: new Holder(made.loss),
    model: new Holder(made.model),
  };
}

type Row = (o: Objects) => unknown;

/** Options that are by far not the defaults, so that they are seen to arrive. */
const trained = { metrics: ["loss", "batchloss"] } as const;

const trainedOn = (o: Objects) => {
  k.train(o.model, o.tensor, o.tensor);
  k.test(o.model, o.tensor, o.tensor);
};

/** The objects that the file of a run can hold. */
const run = ({ tensor, module, optimizer, loss, model }: Objects) => ({ tensor, module, optimizer, loss, model });

/** The result of a call, or its error. */
function onFile(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    const { code } = error as k.StepwellError;
    if (code !== "ERR_FILE") throw error;
    return (error as k.StepwellError).message;
  }
}

/** The message of an error of shape. */
function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if ((error as k.StepwellError).code === "ERR_SHAPE") return (error as k.StepwellError).message;
    throw error;
  }
  throw new Error("no error");
}

/** Calls of each function: together they have an object of every kind that the function takes. */
const rows: { readonly [name: string]: readonly Row[] } = {
  backward: [
    (o) => k.backward(o.scalar),
    (o) => k.backward(o.scalar, o.optimizer),
    (o) => k.backward(o.scalar, o.model),
    (o) => k.backward(o.leaf, o.leaf),
    (o) => k.backward(o.scalar, 2, o.optimizer),
    (o) => k.backward(o.leaf, [[1, 2]], o.model),
  ],
  grad: [(o) => k.grad(o.leaf), (o) => k.grad(k.tensor([[1, 2]], "grad"), o.leaf)],
  gradflag: [
    (o) => k.gradflag(o.leaf),
    (o) => k.gradflag(o.vector),
    (o) => k.gradflag(o.dictionary, false),
    (o) => k.gradflag(o.model),
    (o) => k.gradflag([o.module, "0.weight"], false),
  ],
  freeze: [
    (o) => k.freeze(o.leaf),
    (o) => k.freeze(o.vector, 0),
    (o) => k.freeze(o.dictionary, ["w"]),
    (o) => k.freeze(o.model, "0.weight"),
    (o) => k.freeze(o.module, ["0.weight"]),
  ],
  unfreeze: [
    (o) => [k.freeze(o.module), k.unfreeze(o.module, ["0.bias"])],
    (o) => [k.freeze(o.leaf), k.unfreeze(o.leaf)],
    (o) => [k.freeze(o.vector), k.unfreeze(o.vector, [0])],
    (o) => [k.freeze(o.dictionary), k.unfreeze(o.dictionary, "w")],
    (o) => [k.freeze(o.model), k.unfreeze(o.model)],
  ],
  zerograd: [
    (o) => k.zerograd(o.optimizer),
    (o) => k.zerograd(o.model),
    (o) => k.zerograd(o.leaf),
    (o) => k.zerograd([o.vector, 0]),
    (o) => k.zerograd([o.dictionary, ["w"]]),
    (o) => k.zerograd(o.module),
  ],
  nograd: [
    (o) => k.nograd(o.optimizer),
    (o) => k.nograd(o.model),
    (o) => k.nograd(o.leaf),
    (o) => k.nograd(o.vector),
    (o) => k.nograd(o.dictionary),
    (o) => k.nograd(o.module),
  ],
  clip: [
    (o) => k.clip(o.optimizer, 0.1),
    (o) => k.clip(o.model, 0.1),
    (o) => k.clip(o.leaf, 0.1),
    (o) => k.clip([o.vector, [0]], 0.1),
    (o) => k.clip(o.dictionary, 0.1),
    (o) => k.clip(o.module, 0.1),
  ],
  clipv: [
    (o) => k.clipv(o.optimizer, 0.1),
    (o) => k.clipv(o.model, 0.1),
    (o) => k.clipv(o.leaf, 0.1),
    (o) => k.clipv(o.vector, 0.1),
    (o) => k.clipv(o.dictionary, 0.1),
    (o) => k.clipv([o.model, ["0.weight"]], 0.1),
    (o) => k.clipv(o.module, 0.1),
  ],
  ce: [(o) => k.ce(o.tensor, [0, 1]), (o) => k.ce(o.tensor, o.tensor)],
  nll: [(o) => k.nll(o.tensor, [0, 1]), (o) => k.nll(o.tensor, k.tensor([0, 1], "long"))],
  mse: [(o) => k.mse(o.leaf, o.leaf)],
  l1: [(o) => k.l1(o.tensor, o.tensor)],
  smoothl1: [(o) => k.smoothl1(o.tensor, o.tensor, { beta: 0.5 })],
  huber: [(o) => k.huber(o.leaf, o.leaf)],
  kl: [(o) => k.kl(o.leaf, o.leaf)],
  poissonloss: [(o) => k.poissonloss(o.leaf, o.leaf)],
  hinge: [(o) => k.hinge(o.leaf, o.leaf)],
  softmargin: [(o) => k.softmargin(o.leaf, o.leaf)],
  multisoft: [(o) => k.multisoft(o.leaf, o.leaf)],
  multilabel: [
    (o) =>
      k.multilabel(
        o.tensor,
        k.tensor(
          [
            [0, -1],
            [1, 0],
          ],
          "long",
        ),
      ),
  ],
  multimargin: [(o) => k.multimargin(o.tensor, [0, 1])],
  cosineloss: [(o) => k.cosineloss(o.tensor, o.tensor, [1, -1])],
  margin: [(o) => k.margin(o.tensor, o.tensor, o.tensor)],
  triplet: [(o) => k.triplet(o.tensor, o.tensor, o.tensor)],
  ctc: [(o) => k.ctc(o.tensor, [1], 2, 1)],
  bce: [(o) => k.bce(o.tensor, o.tensor)],
  bcewithlogits: [(o) => k.bcewithlogits(o.tensor, o.tensor)],
  loss: [(o) => k.loss(o.loss, o.tensor, o.tensor), (o) => k.loss(o.model), (o) => k.loss(o.model, o.tensor, o.tensor)],
  model: [(o) => k.model(o.module, o.loss, o.optimizer)],
  train: [(o) => [k.train(o.model, trained), k.train(o.model)], (o) => k.train(o.model, o.tensor, o.tensor)],
  test: [(o) => [k.test(o.model, trained), k.test(o.model)], (o) => k.test(o.model, o.tensor, o.tensor)],
  run: [(o) => [trainedOn(o), k.run(o.model)]],
  batch: [(o) => [trainedOn(o), k.batch(o.model), k.batch(o.model)]],
  testrun: [(o) => [trainedOn(o), k.testrun(o.model)]],
  testbatch: [(o) => [trainedOn(o), k.testbatch(o.model), k.testbatch(o.model, true), k.batch(o.model, true)]],
  input: [(o) => [trainedOn(o), k.input(o.model)]],
  target: [(o) => [trainedOn(o), k.target(o.model)]],
  datasize: [(o) => [trainedOn(o), k.datasize(o.model)]],
  batchinit: [(o) => [trainedOn(o), k.batchinit(o.model)]],
  restore: [(o) => [trainedOn(o), k.restore(o.model)]],
  shuffle: [(o) => [trainedOn(o), k.shuffle(o.model)]],
  unshuffle: [(o) => [trainedOn(o), k.unshuffle(o.model)]],
  testinput: [(o) => [trainedOn(o), k.testinput(o.model)]],
  testtarget: [(o) => [trainedOn(o), k.testtarget(o.model)]],
  testsize: [(o) => [trainedOn(o), k.testsize(o.model)]],
  testinit: [(o) => [trainedOn(o), k.testinit(o.model)]],
  testrestore: [(o) => [trainedOn(o), k.testrestore(o.model)]],
  metrics: [(o) => [trainedOn(o), k.batch(o.model), k.metrics(o.model)]],
  testmetrics: [(o) => [trainedOn(o), k.testbatch(o.model), k.testmetrics(o.model)]],
  module: [
    (o) => k.module(o.optimizer),
    (o) => k.module(o.model),
    (o) => k.module(k.seq("sequential", o.module, "relu")),
    (o) => k.module(["parmdict", { w: o.leaf }]),
  ],
  callback: [
    (o) =>
      k.forward(
        k.callback((x) => x, { parms: { w: o.leaf }, buffers: { b: o.tensor } }),
        o.tensor,
      ),
  ],
  gradient: [
    (o) =>
      k.backward(
        k.sum(
          k.gradient(
            (x) => k.mul(x, 2),
            (g) => g,
          )(o.leaf),
        ),
      ),
  ],
  forward: [
    (o) => k.forward(o.module, o.tensor),
    (o) => k.forward(o.model, o.leaf),
    (o) => k.forward(k.module("cat"), o.tensor, o.tensor),
  ],
  evaluate: [(o) => k.evaluate(o.module, o.tensor), (o) => k.evaluate(o.model, o.leaf)],
  names: [(o) => k.names(o.module)],
  children: [(o) => k.children(o.module)],
  modules: [(o) => k.modules(o.module)],
  moduletypes: [(o) => k.moduletypes(o.module)],
  parmtypes: [(o) => k.parmtypes(o.module)],
  buffers: [(o) => k.buffers(o.module)],
  buffernames: [(o) => k.buffernames(o.module)],
  buffer: [() => k.buffer(k.module(["batchnorm", 2]), "running_mean"), (o) => called(() => k.buffer(o.module, "none"))],
  dim: [(o) => k.dim(o.tensor)],
  itemsize: [(o) => k.itemsize(o.tensor)],
  info: [(o) => k.info(o.tensor)],
  leaf: [(o) => k.leaf(o.leaf)],
  same: [(o) => k.same(o.tensor, o.tensor), (o) => k.same(o.leaf, o.tensor)],
  fill: [
    (o) => [k.fill(o.leaf, 2), k.tensor(o.leaf)],
    (o) => k.fill([o.module, "0.bias"], 1),
    (o) => k.fill(o.model, 1),
    (o) => [k.fill(o.vector, 1), k.fill(o.dictionary, 1)],
  ],
  knormal: [
    (o) => [k.knormal(o.tensor, "relu"), k.tensor(o.tensor)],
    (o) => [
      k.knormal([o.dictionary, "w"], "relu"),
      k.knormal([o.vector, 0], "relu"),
      k.knormal(o.module, "relu"),
      k.knormal(o.model, "relu"),
    ],
    (o) => [k.tensor(o.leaf), k.tensor(k.parm(o.module, "0.weight"))],
  ],
  kuniform: [
    (o) => [k.kuniform(o.tensor), k.tensor(o.tensor)],
    (o) => [k.kuniform([o.dictionary, "w"]), k.kuniform([o.vector, 0]), k.kuniform(o.module), k.kuniform(o.model)],
    (o) => [k.tensor(o.leaf), k.tensor(k.parm(o.module, "0.weight"))],
  ],
  xnormal: [
    (o) => [k.xnormal(o.tensor, 2), k.tensor(o.tensor)],
    (o) => [
      k.xnormal([o.dictionary, "w"], 2),
      k.xnormal([o.vector, 0], 2),
      k.xnormal(o.module, 2),
      k.xnormal(o.model, 2),
    ],
    (o) => [k.tensor(o.leaf), k.tensor(k.parm(o.module, "0.weight"))],
  ],
  xuniform: [
    (o) => [k.xuniform(o.tensor), k.tensor(o.tensor)],
    (o) => [k.xuniform([o.dictionary, "w"]), k.xuniform([o.vector, 0]), k.xuniform(o.module), k.xuniform(o.model)],
    (o) => [k.tensor(o.leaf), k.tensor(k.parm(o.module, "0.weight"))],
  ],
  snormal: [
    (o) => [k.snormal(o.tensor, 0.5), k.tensor(o.tensor)],
    (o) => [
      k.snormal([o.dictionary, "w"], 0.5),
      k.snormal([o.vector, 0], 0.5),
      k.snormal(o.module, 0.5),
      k.snormal(o.model, 0.5),
    ],
    (o) => [k.tensor(o.leaf), k.tensor(k.parm(o.module, "0.weight"))],
  ],
  tnormal: [
    (o) => [k.tnormal(o.tensor), k.tensor(o.tensor)],
    (o) => [k.tnormal([o.dictionary, "w"]), k.tnormal([o.vector, 0]), k.tnormal(o.module), k.tnormal(o.model)],
    (o) => [k.tensor(o.leaf), k.tensor(k.parm(o.module, "0.weight"))],
  ],
  orthogonal: [
    (o) => [k.orthogonal(o.tensor), k.tensor(o.tensor)],
    (o) => [
      k.orthogonal([o.dictionary, "w"]),
      k.orthogonal([o.vector, 0]),
      k.orthogonal(o.module),
      k.orthogonal(o.model),
    ],
    (o) => [k.tensor(o.leaf), k.tensor(k.parm(o.module, "0.weight"))],
  ],
  dirac: [
    (o) => refusal(() => k.dirac(o.tensor)),
    (o) => refusal(() => k.dirac(o.dictionary)),
    (o) => refusal(() => k.dirac(o.vector)),
    (o) => refusal(() => k.dirac(o.module)),
    (o) => refusal(() => k.dirac(o.model)),
  ],
  gain: [() => k.gain("relu")],
  filldiagonal: [(o) => [k.filldiagonal(o.tensor, 2), k.tensor(o.tensor)]],
  normal: [
    (o) => [k.normal(o.tensor), k.tensor(o.tensor)],
    (o) => [k.normal([o.dictionary, "w"]), k.normal(o.vector), k.normal(o.module), k.normal(o.model)],
  ],
  uniform: [
    (o) => [k.uniform(o.tensor), k.tensor(o.tensor)],
    (o) => [k.uniform([o.dictionary, "w"]), k.uniform(o.vector), k.uniform(o.module), k.uniform(o.model)],
  ],
  lognormal: [
    (o) => [k.lognormal(o.tensor), k.tensor(o.tensor)],
    (o) => [k.lognormal([o.dictionary, "w"]), k.lognormal(o.vector), k.lognormal(o.module), k.lognormal(o.model)],
  ],
  exponential: [
    (o) => [k.exponential(o.tensor), k.tensor(o.tensor)],
    (o) => [
      k.exponential([o.dictionary, "w"]),
      k.exponential(o.vector),
      k.exponential(o.module),
      k.exponential(o.model),
    ],
  ],
  geometric: [
    (o) => [k.geometric(o.tensor, 0.5), k.tensor(o.tensor)],
    (o) => [
      k.geometric([o.dictionary, "w"], 0.5),
      k.geometric(o.vector, 0.5),
      k.geometric(o.module, 0.5),
      k.geometric(o.model, 0.5),
    ],
  ],
  cauchy: [
    (o) => [k.cauchy(o.tensor), k.tensor(o.tensor)],
    (o) => [k.cauchy([o.dictionary, "w"]), k.cauchy(o.vector), k.cauchy(o.module), k.cauchy(o.model)],
  ],
  random: [
    (o) => [k.random(o.tensor), k.tensor(o.tensor)],
    (o) => [k.random([o.dictionary, "w"]), k.random(o.vector), k.random(o.module), k.random(o.model)],
  ],
  childnames: [(o) => k.childnames(o.module)],
  parmnames: [(o) => k.parmnames(o.module)],
  child: [(o) => k.child(o.module, "0")],
  parms: [(o) => k.parms(o.module)],
  parm: [(o) => k.parm(o.module, "0.weight")],
  clone: [(o) => k.clone(o.module), (o) => k.clone(o.model)],
  copyparms: [
    (o) => k.copyparms(k.module(k.seq("sequential", ["linear", 2, 2])), o.module),
    (o) => k.copyparms(o.module, k.module(k.seq("sequential", ["linear", 2, 2]))),
    (o) => k.copyparms(k.module(k.seq("sequential", ["linear", 2, 2])), o.model),
    (o) => k.copyparms(o.model, k.module(k.seq("sequential", ["linear", 2, 2]))),
  ],
  save: [(o) => onFile(() => k.save(o.module, file)), (o) => onFile(() => k.save(file, run(o)))],
  load: [
    (o) => onFile(() => [k.save(o.module, file), k.load(o.module, file, { strict: false })]),
    (o) => onFile(() => [k.save(file, run(o)), Object.keys(k.load(file, run(o)))]),
  ],
  serialize: [(o) => onFile(() => k.serialize(run(o)).length)],
  deserialize: [(o) => onFile(() => Object.keys(k.deserialize(k.serialize(run(o)), run(o))))],
  use: [
    (o) => k.use(o.leaf, o.tensor),
    (o) => k.use(o.vector, k.vector(o.tensor)),
    (o) => k.use(o.dictionary, k.dict({ v: o.tensor })),
  ],
  free: [
    (o) => k.free(o.leaf, o.vector, o.dictionary, o.module),
    (o) => k.free(o.model),
    (o) => k.free(o.optimizer, o.loss),
  ],
  classof: [(o) => Object.values(o).map((object) => k.classof(object))],
  objtype: [(o) => [o.optimizer, o.module, o.loss, o.tensor].map((object) => k.objtype(object))],
  size: [
    (o) => k.size(o.tensor),
    (o) => [o.vector, o.dictionary, o.module, o.optimizer, o.loss, o.model].map((object) => k.size(object)),
  ],
  tensorcount: [(o) => Object.values(o).map((object) => k.tensorcount(object))],
  elements: [(o) => Object.values(o).map((object) => k.elements(object))],
  bytes: [(o) => Object.values(o).map((object) => k.bytes(object))],
  opt: [
    (o) => k.opt("sgd", o.leaf, 0.5),
    (o) => k.opt("adam", o.vector),
    (o) => k.opt("lamb", o.dictionary),
    (o) => k.opt("sgd", 0, o.module),
    (o) => k.opt("sgd", [o.module, ["0.weight"]]),
    (o) => k.opt("sgd", [o.vector, 0]),
    (o) => k.opt("sgd", [o.dictionary, "w"]),
    (o) => k.opt("sgd", [o.model, "0.bias"]),
    (o) => k.opt(o.model),
    (o) => [k.opt(o.optimizer, o.leaf), k.opt(o.optimizer, 1, [o.vector, 1], 0.5), k.opt(o.optimizer)],
    (o) => k.opt(k.state(o.optimizer), o.module),
  ],
  state: [(o) => k.state(o.optimizer), (o) => k.state(o.module)],
  step: [
    (o) => k.step(o.module),
    (o) => [k.backward(o.scalar), k.step(o.optimizer, { zerograd: true })],
    (o) => k.step(o.model, () => o.scalar),
  ],
  skipped: [(o) => k.skipped(o.optimizer), (o) => k.skipped(o.model)],
  lossscale: [
    (o) => [k.nograd(o.module), k.lossscale(o.optimizer, { init: 8 }), k.lossscale(o.optimizer)],
    (o) => k.lossscale(o.model),
  ],
  average: [
    (o) => [k.backward(o.scalar), k.step(o.optimizer), k.average(o.optimizer)],
    (o) => [k.step(o.model, () => k.backward(o.scalar) ?? 1), k.average(o.model)],
  ],
  lr: [(o) => [k.lr(o.optimizer, 0.5), k.lr(o.optimizer)], (o) => k.lr(o.model)],
  schedule: [(o) => [k.schedule(o.optimizer, k.schedules.cosine({ steps: 5 })), k.schedule(o.optimizer)]],
  advance: [
    (o) => [k.schedule(o.optimizer, k.schedules.cosine({ steps: 5 })), k.advance(o.optimizer), k.lr(o.optimizer)],
  ],
  tensor: [(o) => k.tensor(o.tensor)],
  data: [(o) => k.data(o.tensor)],
  take: [(o) => k.take(o.tensor)],
  vector: [(o) => k.vector(o.tensor, [1], o.leaf)],
  dict: [(o) => k.dict({ a: o.tensor, b: 1 })],
  copyto: [(o) => k.copyto(k.tensor([[7, 8]]), o.leaf), (o) => k.copyto(o.leaf, k.tensor([[7, 8]]))],
  to: [(o) => k.to(o.module, "double"), (o) => k.to(o.tensor, "double")],
  dtype: [(o) => k.dtype(o.tensor)],
  device: [(o) => k.device(o.tensor)],
};

/** Each operation of the table, with tensors of the layer of `o.tensor`, and with a vector of it where a list is taken. */
const operations: { readonly [name: string]: readonly Row[] } = Object.fromEntries(
  operationNames.map((name) => {
    const wrap = (o: Objects) => (x: k.TensorHandle) => (o.tensor instanceof k.Tensor ? new k.Tensor(x) : x);
    const lists = { cat: k.cat, stack: k.stack, multidot: k.multidot } as const;
    const listed = (o: Objects) => called(() => lists[name as keyof typeof lists](o.vector));
    // The last digits depend on where in memory the tensors are.
    const rounded = (found: unknown) =>
      Array.isArray(found) &&
      (found as readonly k.TypedTensor[]).map(({ data }) => [...data].map((x) => Number(x).toFixed(9)));
    const calls: Row[] = [
      (o) => (name === "lstsq" ? rounded(callOperation(name, wrap(o))) : callOperation(name, wrap(o))),
    ];
    return [name, name in lists ? [...calls, listed] : calls];
  }),
);

/** The result of a call, or the code of its error. */
function called(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return (error as k.StepwellError).code;
  }
}

/** A result with the objects in it as plain data. */
function read(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(read);
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  if (!(value instanceof k.Handle)) {
    // A pointer is another one in each session.
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, key === "pointer" ? 0 : read(item)]));
  }
  const handle = value as k.AnyHandle;
  try {
    return [k.classof(handle), String(handle), k.size(handle as k.ModuleHandle), k.elements(handle)];
  } catch (error) {
    return (error as k.StepwellError).code;
  }
}

/** Everything that a call can change. */
function everything(made: ReturnType<typeof handles>): unknown {
  const readable = <Kind extends k.AnyHandle>(handle: Kind, of: (handle: Kind) => unknown) => {
    try {
      return of(handle);
    } catch (error) {
      return (error as k.StepwellError).code;
    }
  };
  const { tensor, leaf, module, optimizer, model } = made;
  return [
    ...[tensor, leaf].map((x) => readable(x, () => [k.data(x), k.grad(x), k.gradflag(x)])),
    readable(module, (m) => [k.state(m), k.gradflag(m), k.parmnames(m).map((name) => k.grad(k.parm(m, name)))]),
    readable(optimizer, (o) => [k.state(o).options, k.lr(o), k.skipped(o), k.lossscale(o)]),
    readable(model, (m) => [k.train(m), k.test(m)]),
    ...Object.values(made).map(read),
  ];
}

/** Kinds of objects whose properties a call has read. */
function recording(made: Objects, seen: Set<string>): Objects {
  const kinds: Readonly<Record<string, string>> = { leaf: "tensor", scalar: "tensor" };
  return new Proxy(made, {
    get: (target, key) => {
      if (typeof key === "string") seen.add(kinds[key] ?? key);
      return Reflect.get(target, key);
    },
  });
}

describe.each(Object.entries({ ...rows, ...operations }))("%s", (_, calls) => {
  it("does the same with handles and with objects", () => {
    for (const call of calls) {
      const outcomes = [(made: ReturnType<typeof handles>) => made, objects].map((layer) => {
        k.reset();
        const made = handles();
        const result = read(call(layer(made)));
        return [result, k.handlecount(), everything(made), k.randperm(5)];
      });
      expect(outcomes[1]).toEqual(outcomes[0]);
    }
  });
});

/** Kinds that the parameters of each function have by their declarations. */
function declared(): ReadonlyMap<string, ReadonlySet<string>> {
  const root = fileURLToPath(new URL("../../packages/sdk/commonjs/dist/node/functions/", import.meta.url));
  const kinds = new Map<string, Set<string>>();
  for (const name of readdirSync(root).filter((name) => name.endsWith(".d.ts"))) {
    for (const text of readFileSync(join(root, name), "utf8").split("export declare function ").slice(1)) {
      const [, of, parameters] = /^(\w+)(?:<[^(]*>)?(\(.*?\)): .*?;\n/s.exec(text) as unknown as [
        string,
        string,
        string,
      ];
      expect(parameters, of).not.toMatch(/Handle/);
      const found = kinds.get(of) ?? new Set();
      kinds.set(of, found);
      for (const [, kind] of parameters.matchAll(/Any(\w+)/g))
        if (kind !== "Object") found.add((kind as string).toLowerCase());
      if (parameters.includes("AnyObject")) for (const kind of all) found.add(kind);
      if (parameters.includes(": Parameters")) for (const kind of parameterKinds) found.add(kind);
      if (parameters.includes(": Target")) found.add("tensor");
    }
  }
  return kinds;
}
const parameterKinds = ["tensor", "vector", "dictionary", "module", "model"];
const all = [...parameterKinds, "optimizer", "loss"];

it("the calls have an object of every kind that a function takes", () => {
  const kinds = declared();
  expect(kinds.size).toBeGreaterThan(60);
  for (const [name, expected] of kinds) {
    // asynchronous.test.ts has these, and test/distributed has the functions of a group.
    if (returnsPromise(name)) continue;
    const seen = new Set<string>();
    for (const call of rows[name] ?? operations[name] ?? []) {
      k.reset();
      call(recording(objects(handles()), seen));
    }
    expect(
      [...expected].filter((kind) => !seen.has(kind)),
      name,
    ).toEqual([]);
  }
});
