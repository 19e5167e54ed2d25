// For every function: whether the closure of a step may call it during the step, and with which effect.

import * as k from "@stepwell/sdk";
import { expect } from "vitest";
import { callOperation, operationNames } from "../operation-calls.js";
import { elementsOf, gradient, type Name, type Scene, start, times } from "./closure-scene.js";
import { expectError } from "./expect-error.js";

export type Outcome = k.ErrorCode | "allowed" | { readonly after: readonly [readonly number[], readonly number[]] };

export interface Row {
  readonly what: string;
  readonly act: (scene: Scene) => unknown;
  /** Runs after the gradient was set, and not before. */
  readonly late?: true;
  /** `library` is where the tensor library's own differs. An error in the closure, which changes nothing; or the parameter after this step and after the next. */
  readonly outcome?: Outcome | ({ readonly [name in Name]: Outcome } & { readonly library?: Outcome });
  /** Must be true after the first step, in addition to the parameter's value. */
  readonly check?: (scene: Scene, name: Name, fused: boolean) => void;
}

const both = (outcome: Outcome): { readonly [name in Name]: Outcome } => ({ sgd: outcome, lbfgs: outcome });
const never = both("ERR_ARGUMENT");
/** The parameter belongs to the line search. */
const notSearched = (after: readonly [readonly number[], readonly number[]]) =>
  ({ sgd: { after }, lbfgs: "ERR_PARAMETER" }) as const;
const isFloat = ({ x }: Scene, expected: k.Dtype) => expect(k.dtype(x)).toBe(expected);

const table: { readonly [name: string]: readonly Row[] } = {
  step: [
    { what: "the optimizer", act: ({ o }) => k.step(o), outcome: never },
    { what: "the optimizer with a closure", act: ({ o }) => k.step(o, () => 1), outcome: never },
    { what: "a model of the optimizer", act: ({ model }) => k.step(model, () => 1), outcome: never },
    {
      what: "another optimizer of other parameters",
      act: ({ other }) => k.step(other, { zerograd: true }),
      check: ({ y }) => expect(elementsOf(y)).toEqual([0.75]),
    },
    {
      what: "another optimizer of other parameters, with a closure",
      act: ({ other, y }) =>
        k.step(other, () => {
          k.grad(y, [2]);
          return 1;
        }),
      check: ({ y }) => expect(elementsOf(y)).toEqual([0.5]),
    },
    {
      what: "another optimizer of the same parameters",
      act: (scene) => {
        gradient(scene);
        k.step(scene.rivals);
      },
      // x - .5 * 2 x is 0.
      outcome: notSearched([
        [0, 0],
        [0, 0],
      ]),
    },
    {
      what: "another optimizer of the same parameters, with a closure",
      act: (scene) => k.step(scene.rivals, () => gradient(scene)),
      outcome: notSearched([
        [0, 0],
        [0, 0],
      ]),
    },
  ],
  run: [
    { what: "a model of the optimizer", act: ({ model }) => k.run(model), outcome: never },
    {
      what: "a model of the same module with another optimizer",
      act: ({ rival }) => k.run(rival),
      // The output is the first element, 3, so the gradient of its square is 6, and 3 - .5 * 6 is 0.
      outcome: notSearched([
        [0, -1.8],
        [0, -1.62],
      ]),
    },
  ],
  batch: [
    { what: "a model of the optimizer", act: ({ model }) => k.batch(model), outcome: never },
    {
      what: "a model of the same module with another optimizer",
      act: ({ rival }) => k.batch(rival),
      outcome: notSearched([
        [0, -1.8],
        [0, -1.62],
      ]),
    },
  ],
  free: [
    { what: "the optimizer", act: ({ o }) => k.free(o), outcome: never },
    { what: "a model of the optimizer", act: ({ model }) => k.free(model), outcome: never },
    { what: "the optimizer behind other objects", act: ({ y, o }) => k.free(y, o), outcome: never },
    { what: "everything", act: () => k.free(), outcome: never },
    {
      what: "the module, whose parameters the optimizer keeps",
      act: ({ m }) => k.free(m),
      check: ({ m }) => expectError("ERR_HANDLE_FREED", () => k.names(m)),
    },
    {
      what: "another handle of the parameter",
      act: ({ m }) => k.free(k.parm(m, "weight")),
    },
    { what: "another optimizer", act: ({ other }) => k.free(other) },
    { what: "a model of another optimizer", act: ({ rival }) => k.free(rival) },
  ],
  reset: [{ what: "the engine", act: () => k.reset(), outcome: never }],
  take: [{ what: "a tensor", act: () => expect(k.take(k.tensor([4]))).toEqual([4]) }],
  use: [
    {
      what: "another handle of the parameter",
      act: ({ m }) => {
        const handle = k.parm(m, "weight");
        k.use(handle, k.tensor([7]));
        expect(k.tensor(handle)).toEqual([7]);
      },
    },
  ],
  opt: [
    { what: "the definition", act: ({ o }) => expect(k.opt(o).parms).toHaveLength(1) },
    { what: "a new optimizer", act: ({ m }) => k.opt("adam", m) },
    {
      what: "an option, which lbfgs takes up with its next step",
      act: ({ o }) => k.opt(o, [], 0.1),
      outcome: {
        sgd: { after: [times(0.8), times(0.64)] },
        // The second step is a tenth as long as the one that goes to 0: .8 x * .9.
        lbfgs: { after: [times(0.8), times(0.72)] },
      },
    },
    {
      what: "a parameter more",
      act: ({ o, y }) => k.opt(o, y),
      outcome: { sgd: "allowed", lbfgs: "ERR_PARAMETER" },
      check: ({ o, y }, name) => {
        expect(k.size(o)).toBe(name === "sgd" ? 2 : 1);
        expect(elementsOf(y)).toEqual([name === "sgd" ? 0.95 : 1]);
      },
    },
    {
      what: "a group more",
      act: ({ o, y }) => k.opt(o, 1, y, 0.5),
      outcome: { sgd: "allowed", lbfgs: "ERR_PARAMETER" },
      check: ({ o, y }, name) => {
        expect(k.lr(o)).toEqual(name === "sgd" ? [0.05, 0.5] : [1]);
        expect(elementsOf(y)).toEqual([name === "sgd" ? 0.5 : 1]);
      },
    },
    {
      what: "a second optimizer of its state",
      act: ({ o, m }) => k.opt(k.state(o), m),
    },
    {
      what: "another handle of the optimizer, which can be freed no more than the first",
      act: ({ model }) => {
        const handle = k.opt(model);
        expectError("ERR_ARGUMENT", () => k.step(handle));
        expectError("ERR_ARGUMENT", () => k.free(handle));
      },
    },
  ],
  lr: [
    { what: "reading", act: ({ o }) => k.lr(o) },
    {
      what: "a rate, which lbfgs takes up with its next step",
      act: ({ o }) => k.lr(o, 0.1),
      outcome: { sgd: { after: [times(0.8), times(0.64)] }, lbfgs: { after: [times(0.8), times(0.72)] } },
    },
  ],
  schedule: [
    {
      what: "binding one, which sets its first rate at once",
      act: ({ o }) => k.schedule(o, k.schedules.linear({ start: 0.5, end: 1, steps: 10 })),
      outcome: {
        sgd: { after: [times(0.95), times(0.9025)] },
        // Half of the way to 0.
        lbfgs: { after: [times(0.8), times(0.4)] },
      },
    },
  ],
  advance: [
    {
      what: "a schedule bound in the closure",
      act: ({ o }) => {
        k.schedule(o, k.schedules.exponential({ gamma: 0.1 }));
        k.advance(o);
      },
      outcome: {
        sgd: { after: [times(0.99), times(0.9801)] },
        lbfgs: { after: [times(0.8), times(0.72)] },
      },
    },
  ],
  lossscale: [
    {
      what: "a scale before the gradients, which are set without it",
      act: ({ o }) => k.lossscale(o, { init: 4 }),
      outcome: {
        sgd: { after: [times(0.9), times(0.81)] },
        library: "ERR_OPTION_RANGE",
        lbfgs: "ERR_ARGUMENT",
      },
    },
  ],
  average: [
    {
      what: "averages that are not there",
      act: ({ o }) => k.average(o),
      outcome: { sgd: "ERR_ARGUMENT", lbfgs: "ERR_PARAMETER" },
    },
  ],
  state: [
    {
      what: "the optimizer, as before the step",
      act: ({ o }) => {
        const saved = k.state(o);
        expect(saved.parms[0]?.buffers ?? {}).toEqual({});
      },
    },
    { what: "the module", act: ({ m }) => k.state(m) },
  ],
  module: [
    {
      what: "the container of the optimizer",
      act: ({ o, x }) => expect(elementsOf(k.parm(k.module(o), "weight"))).toEqual(elementsOf(x)),
    },
    { what: "a new module", act: () => k.module(["linear", 1, 1]) },
  ],
  to: [
    {
      what: "converting the module",
      act: ({ m }) => k.to(m, "float"),
      outcome: notSearched([times(0.9), times(0.81)]),
      check: (scene, name) => isFloat(scene, name === "sgd" ? "float" : "double"),
    },
    { what: "a copy of the parameter", act: ({ x }) => k.to(x, "float"), check: (scene) => isFloat(scene, "double") },
  ],
  copyto: [
    {
      what: "the parameter",
      act: ({ x }) => k.copyto([[1, 1]], x),
      outcome: notSearched([
        [0.9, 0.9],
        [0.81, 0.81],
      ]),
    },
    { what: "another tensor", act: ({ y }) => k.copyto([5], y), check: ({ y }) => expect(elementsOf(y)).toEqual([5]) },
  ],
  fill: [
    {
      what: "the parameter",
      act: ({ x }) => k.fill(x, 1),
      outcome: notSearched([
        [0.9, 0.9],
        [0.81, 0.81],
      ]),
    },
    { what: "another tensor", act: ({ y }) => k.fill(y, 5), check: ({ y }) => expect(elementsOf(y)).toEqual([5]) },
  ],
  normal: [
    {
      what: "the parameter, without deviation",
      act: ({ x }) => k.normal(x, 1, 0),
      outcome: notSearched([
        [0.9, 0.9],
        [0.81, 0.81],
      ]),
    },
  ],
  inspect: [
    {
      what: "a file",
      act: ({ file }) => k.inspect(file),
      outcome: both("allowed"),
    },
  ],
  serialize: [
    {
      what: "the module",
      act: ({ m }) => k.serialize({ m }),
      outcome: both("allowed"),
    },
  ],
  deserialize: [
    {
      what: "bytes of no run",
      act: () => k.deserialize(new Uint8Array(8)),
      outcome: both("ERR_FORMAT"),
    },
  ],
  load: [
    {
      what: "the module",
      act: ({ m, file }) => k.load(m, file),
      outcome: notSearched([
        [0.9, 0.9],
        [0.81, 0.81],
      ]),
    },
  ],
  save: [
    {
      what: "the module",
      act: ({ m, file }) => k.save(m, file),
      outcome: both("allowed"),
    },
  ],
  gradflag: [
    {
      what: "off, which lbfgs takes up with its next step",
      act: ({ x }) => k.gradflag(x, false),
      outcome: { sgd: { after: [start, start] }, lbfgs: { after: [times(0.8), times(0.8)] } },
    },
    {
      what: "off and on again",
      act: ({ x }) => {
        k.gradflag(x, false);
        k.gradflag(x, true);
      },
    },
  ],
  freeze: [
    {
      what: "a parameter, which lbfgs takes up with its next step",
      act: ({ x }) => k.freeze(x),
      outcome: { sgd: { after: [start, start] }, lbfgs: { after: [times(0.8), times(0.8)] } },
    },
  ],
  copyparms: [
    {
      what: "into the parameters",
      act: ({ m }) => k.scoped(() => k.copyparms(k.clone(m), m)),
      outcome: { sgd: "allowed", lbfgs: "ERR_PARAMETER" },
    },
  ],
  unfreeze: [
    {
      what: "a parameter that was frozen",
      act: ({ x }) => {
        k.freeze(x);
        k.unfreeze(x);
      },
    },
  ],
  grad: [
    { what: "reading", act: ({ x }) => k.grad(x) },
    {
      what: "another gradient",
      late: true,
      act: ({ x }) => k.grad(x, [[0, 0]]),
      outcome: { sgd: { after: [start, times(0.9)] }, lbfgs: { after: [start, times(0.8)] } },
    },
  ],
  zerograd: [{ what: "the optimizer", act: ({ o }) => k.zerograd(o) }],
  nograd: [{ what: "the optimizer", act: ({ o }) => k.nograd(o) }],
  clip: [{ what: "the optimizer", act: ({ o }) => k.clip(o, 1) }],
  clipv: [{ what: "the optimizer", act: ({ o }) => k.clipv(o, 1) }],
  backward: [
    {
      what: "a loss of the module",
      act: ({ m, o }) => {
        const loss = k.mse(k.forward(m, k.tensor([[1, 0]], "double")), k.tensor([[0]], "double"));
        k.zerograd(o);
        k.backward(loss, o);
      },
    },
    {
      what: "an output of the module, with a gradient",
      act: ({ m, o }) => {
        const y = k.forward(m, k.tensor([[1, 0]], "double"));
        k.zerograd(o);
        k.backward(y, k.full(k.size(y), 1, "double"), o);
      },
    },
  ],
  model: [{ what: "one more of the optimizer", act: ({ m, o }) => k.model(m, k.loss("mse"), o) }],
  train: [{ what: "options of a model of the optimizer", act: ({ model }) => k.train(model, { batchsize: 1 }) }],
  test: [{ what: "options of a model of the optimizer", act: ({ model }) => k.test(model, { batchsize: 1 }) }],
  testrun: [
    {
      what: "a model of the optimizer",
      act: ({ model }) => {
        k.test(model, k.tensor([[1, 0]], "double"), k.tensor([[0]], "double"));
        expect(k.testrun(model)).toBeGreaterThan(0);
      },
    },
  ],
  testbatch: [
    {
      what: "a model of the optimizer",
      act: ({ model }) => {
        k.test(model, k.tensor([[1, 0]], "double"), k.tensor([[0]], "double"));
        expect(k.testbatch(model)).toBeGreaterThan(0);
        expect(k.testmetrics(model)).toBeGreaterThan(0);
      },
    },
  ],
  seed: [{ what: "a seed", act: () => k.seed(1) }],
  generator: [{ what: "the state", act: () => k.generator(k.generator()) }],
  randperm: [{ what: "an order", act: () => k.randperm(3) }],
  setting: [
    { what: "alloptions", act: () => k.setting("alloptions", false) },
    { what: "threads", act: () => k.setting("threads", 1) },
  ],
  ready: [{ what: "the engine", act: () => void k.ready() }],
};

/** A model of its own, with a batch of each kind. */
const measured = () => {
  const m = k.module(["linear", 1, 1]);
  const model = k.model(m, k.loss("mse"), k.opt("sgd", m));
  k.train(model, [[1]], [[1]]);
  k.test(model, [[1]], [[1]]);
  k.batch(model);
  k.testbatch(model);
  return model;
};

/** Functions that read and make objects that the step does not use. */
const harmless: { readonly [name: string]: (scene: Scene) => unknown } = {
  tensor: ({ x }) => k.tensor(x),
  data: ({ x }) => k.data(x),
  size: ({ o }) => k.size(o),
  elements: ({ model }) => k.elements(model),
  bytes: ({ o }) => k.bytes(o),
  tensorcount: ({ o }) => k.tensorcount(o),
  classof: ({ o }) => k.classof(o),
  objtype: ({ o }) => k.objtype(o),
  skipped: ({ o }) => k.skipped(o),
  handlecount: () => k.handlecount(),
  scope: () => k.scope().close(),
  scoped: () => k.scoped(() => void k.tensor([1])),
  keep: ({ x }) => k.keep(x),
  leaks: () => k.leaks(),
  leakcheck: () => k.leakcheck()(),
  callback: () =>
    k.forward(
      k.callback((x) => k.mul(x, 2)),
      [1],
    ),
  gradient: () =>
    k.backward(
      k.gradient(
        (x) => k.mul(x, 2),
        (g) => g,
      )(k.tensor([1], "grad")),
    ),
  clone: ({ m }) => k.clone(m),
  cudadevices: () => k.cudadevices(),
  cudaStatus: () => k.cudaStatus(),
  memory: () => k.memory(),
  sync: () => k.sync("cpu"),
  synchronize: () => k.synchronize("cpu"),
  help: () => k.help(),
  full: () => k.full([2], 1),
  vector: ({ x }) => k.vector(x),
  dict: ({ x }) => k.dict({ x }),
  dtype: ({ x }) => k.dtype(x),
  device: ({ x }) => k.device(x),
  forward: ({ m }) => k.forward(m, k.tensor([[1, 0]], "double")),
  evaluate: ({ m }) => k.evaluate(m, k.tensor([[1, 0]], "double")),
  names: ({ m }) => k.names(m),
  childnames: ({ m }) => k.childnames(m),
  parmnames: ({ m }) => k.parmnames(m),
  child: () => k.child(k.module(k.seq("sequential", ["linear", "a", 1, 1])), "a"),
  parm: ({ m }) => k.parm(m, "weight"),
  parms: ({ m }) => k.parms(m),
  ce: () => k.ce(k.tensor([[1, 2]]), [1]),
  nll: () => k.nll(k.tensor([[1, 2]]), [1]),
  mse: () => k.mse(k.tensor([1]), [2]),
  l1: () => k.l1(k.tensor([1]), [2]),
  smoothl1: () => k.smoothl1(k.tensor([1]), [2]),
  bce: () => k.bce(k.tensor([0.5]), [1]),
  huber: () => k.huber(k.tensor([1]), [2]),
  kl: () => k.kl(k.tensor([-1]), [0.5]),
  poissonloss: () => k.poissonloss(k.tensor([1]), [2]),
  hinge: () => k.hinge(k.tensor([1]), [1]),
  softmargin: () => k.softmargin(k.tensor([1]), [1]),
  multilabel: () => k.multilabel(k.tensor([1, 2]), [0, -1]),
  multimargin: () => k.multimargin(k.tensor([[1, 2]]), [1]),
  multisoft: () => k.multisoft(k.tensor([1, 2]), [1, 0]),
  cosineloss: () => k.cosineloss(k.tensor([1, 2]), [2, 1], 1),
  margin: () => k.margin(k.tensor([1]), [2], [1]),
  triplet: () => k.triplet(k.tensor([1, 2]), [2, 1], [1, 1]),
  ctc: () => k.ctc(k.tensor([[-1, -2]]), [1], 1, 1),
  bcewithlogits: () => k.bcewithlogits(k.tensor([1]), [1]),
  loss: () => k.loss("mse"),
  children: ({ m }) => k.children(m),
  modules: ({ m }) => k.modules(m),
  moduletypes: ({ m }) => k.moduletypes(m),
  parmtypes: ({ m }) => k.parmtypes(m),
  buffers: ({ m }) => k.buffers(m),
  buffernames: ({ m }) => k.buffernames(m),
  buffer: () => k.buffer(k.module(["batchnorm", 2]), "running_mean"),
  dim: ({ x }) => k.dim(x),
  itemsize: ({ x }) => k.itemsize(x),
  info: ({ x }) => k.info(x),
  leaf: ({ x }) => k.leaf(x),
  same: ({ x }) => k.same(x, x),
  filldiagonal: () => k.filldiagonal(k.eye(2), 3),
  knormal: () => k.knormal(k.eye(2)),
  kuniform: () => k.kuniform(k.eye(2)),
  xnormal: () => k.xnormal(k.eye(2)),
  xuniform: () => k.xuniform(k.eye(2)),
  snormal: () => k.snormal(k.eye(2), 0.5),
  tnormal: () => k.tnormal(k.eye(2)),
  orthogonal: () => k.orthogonal(k.eye(2)),
  dirac: () => k.dirac(k.full([2, 2, 3], 1)),
  gain: () => k.gain("relu"),
  uniform: () => k.uniform(k.tensor([1])),
  lognormal: () => k.lognormal(k.tensor([1])),
  exponential: () => k.exponential(k.tensor([1])),
  cauchy: () => k.cauchy(k.tensor([1])),
  random: () => k.random(k.tensor([1])),
  geometric: () => k.geometric(k.tensor([1]), 0.5),
  input: () => k.input(measured()),
  target: () => k.target(measured()),
  datasize: () => k.datasize(measured()),
  batchinit: () => k.batchinit(measured()),
  restore: () => k.restore(measured()),
  shuffle: () => k.shuffle(measured()),
  unshuffle: () => k.unshuffle(measured()),
  testinput: () => k.testinput(measured()),
  testtarget: () => k.testtarget(measured()),
  testsize: () => k.testsize(measured()),
  testinit: () => k.testinit(measured()),
  testrestore: () => k.testrestore(measured()),
  metrics: () => k.metrics(measured()),
  testmetrics: () => k.testmetrics(measured()),
};

export const rows: readonly (Row & { readonly name: string })[] = [
  ...Object.entries(table).flatMap(([name, rows]) => rows.map((row) => ({ ...row, name }))),
  ...Object.entries(harmless).map(([name, act]) => ({ name, what: "anything", act })),
  ...operationNames.map((name) => ({ name, what: "an operation", act: () => callOperation(name) })),
];
