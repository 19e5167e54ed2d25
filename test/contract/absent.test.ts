// An argument that is undefined is absent. Null is a value, which an argument takes only where a function documents it.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { isLacking } from "../engine-differences.js";
import { folderFunctions } from "../folder-functions.js";
import { operationArguments, operationNames } from "../operation-calls.js";
import { groupFunctions } from "../promises.js";
import { expectError } from "./expect-error.js";

afterEach(() => {
  k.setting("alloptions", true);
  k.free();
});

const make = () => {
  const m = k.module(["linear", 2, 1]);
  const o = k.opt("sgd", m, 0.1);
  const loss = k.loss("mse");
  const model = k.model(m, loss, o);
  const x = k.tensor([1, 2], "grad");
  k.schedule(o, k.schedules.plateau({}));
  k.train(model, [[1, 2]], [[1]]);
  k.test(model, [[1, 2]], [[1]]);
  const averaged = k.opt("sgd", x, { average: 0.5 });
  k.grad(x, [1, 1]);
  k.step(averaged);
  const l = k.mse(x, [0, 0]);
  return { m, o, loss, model, x, l, averaged };
};

type Objects = ReturnType<typeof make>;

/** Every argument of a call, in order. `optional` is the position of the first that may be absent. */
interface Row {
  readonly call: string;
  readonly args: (objects: Objects) => readonly unknown[];
  readonly optional?: number;
  /** Positions at which null has a documented meaning. */
  readonly nullable?: readonly number[];
  /** The code for null at some position, if it is none of an argument. */
  readonly codes?: { readonly [position: number]: k.ErrorCode };
}

const row = (call: string, args: Row["args"], optional?: number, nullable: readonly number[] = []): Row => ({
  call,
  args,
  nullable,
  ...(optional === undefined ? {} : { optional }),
});

/** A row of a function with options after the first argument. */
const optionRow = (call: string, args: Row["args"], optional: number): Row => ({
  ...row(call, args, optional),
  codes: { 1: "ERR_OPTION_TYPE", 2: "ERR_OPTION_TYPE", 3: "ERR_OPTION_TYPE", 4: "ERR_OPTION_TYPE" },
});

const inputs = [[1, 2]];
const none = {};
const lossRow = (call: string) => row(call, ({ x }) => [x, [0, 0], none], 2);
const sampleRows = (call: string) => [
  row(call, ({ model }) => [model, { batchsize: 2 }]),
  row(call, ({ model }) => [model, inputs, [[1]]]),
];
const oneObject = ["size", "tensorcount", "elements", "bytes", "classof", "objtype", "skipped", "free", "zerograd"];
const oneModule = [
  ...["names", "childnames", "parmnames", "parms", "children", "modules", "moduletypes", "parmtypes", "buffers"],
  "buffernames",
];
const oneTensor = ["nograd", "take", "data", "dtype", "device", "dim", "itemsize", "info", "leaf"];
const oneModel = [
  ...["run", "testrun", "metrics", "testmetrics", "input", "target", "datasize", "batchinit", "restore", "shuffle"],
  ...["unshuffle", "testinput", "testtarget", "testsize", "testinit", "testrestore"],
];

const table: readonly Row[] = [
  ...oneObject.map((call) => row(call, ({ o }) => [o])),
  ...oneModule.map((call) => row(call, ({ m }) => [m])),
  ...oneTensor.map((call) => row(call, ({ x }) => [x])),
  ...oneModel.map((call) => row(call, ({ model }) => [model])),
  ...["batch", "testbatch"].map((call) => row(call, ({ model }) => [model, false], 1)),
  ...["train", "test"].flatMap(sampleRows),
  ...["mse", "l1", "smoothl1", "bcewithlogits", "huber", "kl", "poissonloss", "hinge", "softmargin", "multisoft"].map(
    lossRow,
  ),
  ...["ce", "nll", "multimargin"].map((call) => row(call, () => [k.tensor(inputs, "grad"), [1], none], 2)),
  row("multilabel", () => [k.tensor(inputs, "grad"), [[1, -1]], none], 2),
  row("cosineloss", () => [k.tensor(inputs, "grad"), [[2, 1]], [1], none], 3),
  ...["margin", "triplet"].map((call) => row(call, () => [k.tensor(inputs, "grad"), [[2, 1]], [[1, 1]], none], 3)),
  row("ctc", () => [k.tensor(inputs, "grad"), [1], 1, 1, none], 4),
  row("bce", () => [k.tensor([0.5], "grad"), [1], none], 2),
  row("loss", () => ["mse", none], 1),
  row("loss", ({ loss, x }) => [loss, x, [0, 0]]),
  row("average", ({ averaged }) => [averaged]),
  row("backward", ({ l, o }) => [l, o], 1),
  row("backward", ({ l, o }) => [l, 2, o], 1),
  row("backward", ({ x, o }) => [x, [1, 1], o], 2),
  row("grad", ({ x }) => [x, [1, 1]]),
  row("gradflag", ({ x }) => [x, false]),
  ...["freeze", "unfreeze"].map((call) => row(call, ({ m }) => [m, "weight"], 1)),
  row("callback", () => [(x: k.TensorHandle) => x, none], 1),
  row("gradient", () => [(x: k.TensorHandle) => x, (g: k.TensorHandle) => g]),
  row("clone", ({ m }) => [m]),
  row("same", ({ x }) => [x, x]),
  row("buffer", () => [k.module(["batchnorm", 2]), "running_mean"]),
  row("fill", ({ x }) => [x, 1]),
  // Options say with a code of their own that null is none.
  ...["xnormal", "xuniform", "orthogonal"].map((call) => optionRow(call, () => [k.eye(2), 2], 1)),
  ...["knormal", "kuniform"].map((call) => optionRow(call, () => [k.eye(2), "relu", "fanout", 0.5], 1)),
  optionRow("snormal", () => [k.eye(2), 0.5, 0.1], 2),
  optionRow("tnormal", () => [k.eye(2), 0.5, 2, -1, 1], 1),
  optionRow("dirac", () => [k.full([2, 2, 3], 1), 2], 1),
  row("gain", () => ["leakyrelu", 0.5], 1),
  row("filldiagonal", () => [k.eye(2), 3, false], 2),
  ...["normal", "uniform", "lognormal", "cauchy"].map((call) => row(call, ({ x }) => [x, 1, 2], 1)),
  row("random", ({ x }) => [x, 1, 2], 1, [1, 2]),
  row("exponential", ({ x }) => [x, 1], 1),
  row("geometric", ({ x }) => [x, 0.5]),
  row("copyparms", ({ m }) => [m, k.module(["linear", 2, 1])]),
  row("gradflag", ({ m }) => [[m, "weight"], true]),
  row("clip", ({ m }) => [m, 1]),
  row("clipv", ({ m }) => [m, 1]),
  row("forward", ({ m }) => [m, inputs]),
  row("evaluate", ({ m }) => [m, inputs]),
  row("module", () => [["linear", 2, 1]]),
  row("child", () => [k.module(k.seq("sequential", ["linear", "a", 1, 1])), "a"]),
  row("parm", ({ m }) => [m, "weight"]),
  row("model", ({ m, loss, o }) => [m, loss, o]),
  row("tensor", () => [[1], "grad", "double"], 1),
  row("full", () => [[2], 1, "double"], 2),
  row("vector", ({ x }) => [x, [1]]),
  row("dict", ({ x }) => [{ x }]),
  row("copyto", ({ x }) => [[3, 4], x]),
  row("to", ({ x }) => [x, "double"]),
  row("use", ({ x }) => [x, k.tensor([5])]),
  // A third argument can be an option.
  { ...row("opt", ({ m }) => ["sgd", m, { momentum: 0.5 }], 2), codes: { 2: "ERR_OPTION_TYPE" } },
  row("opt", ({ o }) => [o, true]),
  row("opt", ({ o, m }) => [k.state(o), m]),
  row("lr", ({ o }) => [o, 0.5]),
  row("lossscale", ({ o }) => [o, { init: 4 }], undefined, [1]),
  row("schedule", ({ o }) => [o, { schedule: "cosine", steps: 3 }], undefined, [1]),
  row("advance", ({ o }) => [o, 0.5]),
  row("state", ({ o }) => [o, true], 1),
  row("step", ({ o }) => [o, { zerograd: true }], 1),
  { ...row("step", ({ o }) => [o, () => 1, { zerograd: true }], 2), codes: { 0: "ERR_HANDLE_INVALID" } },
  row("help", () => ["adam", true], 0),
  row("setting", () => ["alloptions", false]),
  row("setting", () => ["threads", 1]),
  row("seed", () => [1]),
  row("randperm", () => [3]),
  row("generator", () => [k.generator()], 0),
  row("cudadevices", () => [[]], 0),
  row("memory", () => ["cpu"], 0),
  row("sync", () => ["cpu"], 0),
  row("scoped", () => [() => 1]),
  row("leaks", () => [none], 0),
];

/** Second names of `classof`, `take` and `sync`, functions without an argument or without an engine, and asynchronous ones. A test below has
 * functions of files. `keep` takes any value. */
const exempt = [
  ...["class", "return", "handlecount", "reset", "ready", "scope", "leakcheck", "keep", "cudaStatus"],
  ...["synchronize", "seq", "save", "load", "inspect", "serialize", "deserialize", "optimizer"],
  ...["stepAsync", "runAsync", "evaluateAsync", "saveAsync", "loadAsync"],
  ...groupFunctions,
  ...folderFunctions,
];

const call = (name: string, args: readonly unknown[]) =>
  (k as unknown as { readonly [name: string]: (...args: readonly unknown[]) => unknown })[name]?.(...args);

it("the table has every function", () => {
  const isFunction = (value: unknown) => typeof value === "function" && !/^class /.test(String(value));
  const names = Object.entries(k).flatMap(([name, value]) => (isFunction(value) ? [name] : []));
  const listed = new Set([...table.map(({ call }) => call), ...exempt, ...operationNames]);
  expect([...listed].sort()).toEqual(names.sort());
});

describe.each(table.map((row, i) => [`${row.call} (${i})`, row] as const))("%s", (_, { call: name, args, ...row }) => {
  it("takes its arguments", () => {
    expect(() => call(name, args(make()))).not.toThrow();
  });

  it("takes null at no place that documents none", () => {
    for (const position of args(make()).keys()) {
      if (row.nullable?.includes(position)) continue;
      const objects = make();
      const given = args(objects).with(position, null);
      const before = [k.handlecount(), k.setting("alloptions"), k.setting("threads"), k.gradflag(objects.x)];
      const state = k.state(objects.o);
      const code = row.codes?.[position] ?? "ERR_ARGUMENT";
      const message = expectError(code, () => call(name, given));
      if (code !== "ERR_HANDLE_INVALID") expect(message).toMatch(/given null/);
      expect([k.handlecount(), k.setting("alloptions"), k.setting("threads"), k.gradflag(objects.x)]).toEqual(before);
      expect(k.state(objects.o)).toEqual(state);
    }
  });

  it("takes undefined as an argument that is absent", () => {
    const { length } = args(make());
    for (let position = row.optional ?? length; position < length; position += 1) {
      const given = args(make()).slice(0, position);
      expect(() => call(name, given)).not.toThrow();
      const again = args(make()).slice(0, position);
      expect(() => call(name, [...again, ...Array(length - position).fill(undefined)])).not.toThrow();
    }
  });
});

it("a metric, options of a file and of a tensor are no null", () => {
  const { m, o } = make();
  k.schedule(o, { schedule: "step", every: 2 } as never);
  k.advance(o, undefined);
  expectError("ERR_ARGUMENT", () => k.advance(o, null as never));
  expect(k.schedule(o)).toMatchObject({ progress: { taken: 1 } });
  expectError("ERR_ARGUMENT", () => k.load(m, "/nowhere", null as never));
  expectError("ERR_FORMAT", () => k.opt({ ...k.state(o), fused: null } as never, m));
});

it("where a value turns reading into setting, null is refused as undefined is", () => {
  const { x } = make();
  expectError("ERR_ARGUMENT", () => k.gradflag(x, null as never));
  expectError("ERR_ARGUMENT", () => k.gradflag(x, undefined as never));
  expect(k.gradflag(x)).toBe(true);
});

/** Arguments of operations that null leaves out, as undefined does. */
const nullable = new RegExp(
  [
    /^(?:squeeze|sum|mean|prod|a?max|a?min|aminmax|arg(?:max|min)|all|any|nan(?:sum|mean)|variance|std|mean(?:std|var)|vnorm) dim$|^clamp m(?:in|ax)$|^eye m$| dtype$/,
    /^(linear|conv(transpose)?[123]d) bias$|^interpolate (size|scale|align|rescale)$/,
    /^fmaxpool[23]d (outsize|ratio|samples)$|^(max|avg|lp)pool[123]d stride$|^avgpool[123]d divisor$/,
  ]
    .map(({ source }) => source)
    .join("|"),
);

describe.each(k.help("tensor"))("the operation $operation", ({ operation, arguments: names }) => {
  it("takes null only where it documents that", () => {
    const args = operationArguments(operation, (tensor) => tensor);
    for (const [position, argument] of args.entries()) {
      const isOptions = typeof argument === "object" && argument?.constructor === Object;
      const given = args.with(position, null);
      if (isOptions || nullable.test(`${operation} ${names[position]}`)) continue;
      const before = k.handlecount();
      expect(expectError("ERR_ARGUMENT", () => call(operation, given))).toMatch(/given null/);
      expect(k.handlecount()).toBe(before);
    }
  });

  it("takes undefined after its arguments as absent", () => {
    const args = operationArguments(operation, (tensor) => tensor);
    const isPlain = args.every((argument) => (argument as object | undefined)?.constructor !== Object);
    if (!isPlain || isLacking(operation, args)) return;
    const rest = Array(names.length - args.length).fill(undefined);
    expect(() => call(operation, [...args, ...rest])).not.toThrow();
  });
});
