// The data of a model: inputs and targets, their order, and the place in a pass; parts of modules; properties of tensors.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

const elements = (x: k.TensorHandle): readonly number[] => Array.from(k.data(x).data, Number);

function make() {
  const m = k.module(["linear", 1, 1]);
  const model = k.model(m, k.loss("mse"), k.opt("sgd", m, 0));
  k.train(model, { batchsize: 2 });
  k.train(model, [[1], [2], [3], [4], [5]], [[10], [20], [30], [40], [50]]);
  k.test(model, { batchsize: 2 });
  k.test(model, [[6], [7], [8]], [[60], [70], [80]]);
  return { m, model };
}

describe("data", () => {
  it("has the inputs and targets that were given", () => {
    const { model } = make();
    expect([k.datasize(model), k.testsize(model)]).toEqual([5, 3]);
    expect([k.input(model), k.target(model)].map(elements)).toEqual([
      [1, 2, 3, 4, 5],
      [10, 20, 30, 40, 50],
    ]);
    expect([k.testinput(model), k.testtarget(model)].map(elements)).toEqual([
      [6, 7, 8],
      [60, 70, 80],
    ]);
    const x = k.tensor([[1], [2]]);
    k.train(model, x, [[1], [2]]);
    expect(k.same(k.input(model), x)).toBe(true);
  });

  it("a model without data says so", () => {
    const m = k.module(["linear", 1, 1]);
    const model = k.model(m, k.loss("mse"), k.opt("sgd", m));
    for (const call of [k.input, k.target, k.datasize, k.batchinit, k.restore, k.shuffle, k.unshuffle, k.testinput]) {
      expect(expectError("ERR_ARGUMENT", () => call(model))).toMatch(/no data yet/);
    }
    expectError("ERR_HANDLE_KIND", () => k.input(m as never));
  });

  it("batchinit begins a pass and forgets metrics; restore keeps them", () => {
    const { model } = make();
    const first = k.batch(model);
    k.batch(model);
    expect(k.restore(model)).toBe(5);
    expect(k.metrics(model)).toBeTypeOf("number");
    // The rate is 0, so the first batch has the same loss again.
    expect(k.batch(model)).toBe(first);
    expect(k.batchinit(model)).toBe(3);
    expect(k.metrics(model)).toBeUndefined();
    expect(k.batch(model)).toBe(first);
    const tested = k.testbatch(model);
    expect([k.testinit(model), k.testbatch(model)]).toEqual([2, tested]);
    expect([k.testrestore(model), k.testbatch(model)]).toEqual([3, tested]);
  });

  it("shuffle draws one order for all passes until unshuffle", () => {
    const { m, model } = make();
    k.fill(m, 0);
    k.train(model, { batchsize: 1 });
    const losses = () => Array.from({ length: 6 }, () => k.batch(model)).slice(0, 5) as number[];
    const before = losses();
    expect(before).toEqual([100, 400, 900, 1600, 2500]);
    k.seed(1);
    k.shuffle(model);
    const shuffled = losses();
    expect(shuffled).not.toEqual(before);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(before);
    expect(losses()).toEqual(shuffled);
    k.seed(1);
    const order = Array.from(k.randperm(5));
    expect(shuffled).toEqual(order.map((i) => before[i]));
    k.unshuffle(model);
    expect(losses()).toEqual(before);
    k.shuffle(model);
    k.train(model, [[1]], [[10]]);
    expect(k.batch(model)).toBe(100);
  });
});

describe("parts of modules", () => {
  const make = () =>
    k.module(
      k.seq("sequential", k.seq(["sequential", "body"], ["linear", "a", 2, 3], ["batchnorm", "b", 3]), ["relu", "c"]),
    );

  it("have kinds by name, and handles in the order of the names", () => {
    const m = make();
    expect(k.moduletypes(m)).toEqual({ body: "sequential", "body.a": "linear", "body.b": "batchnorm", c: "relu" });
    expect(k.parmtypes(m)).toEqual({
      ...{ "body.a.weight": "linear", "body.a.bias": "linear" },
      ...{ "body.b.weight": "batchnorm", "body.b.bias": "batchnorm" },
    });
    expect(k.children(m).map((x) => k.objtype(x))).toEqual(["sequential", "relu"]);
    expect(k.modules(m).map((x) => k.objtype(x))).toEqual(Object.values(k.moduletypes(m)));
    const [, a] = k.modules(m);
    expect(k.same(k.parm(a as k.ModuleHandle, "weight"), k.parm(m, "body.a.weight"))).toBe(true);
    expect([k.children(a as k.ModuleHandle), k.modules(a as k.ModuleHandle)]).toEqual([[], []]);
  });

  it("have buffers that are shared with the module", () => {
    const m = make();
    const names = ["body.b.running_mean", "body.b.running_var", "body.b.num_batches_tracked"];
    expect(k.buffernames(m)).toEqual(names);
    expect(k.size(k.buffers(m))).toBe(3);
    const mean = k.buffer(m, "body.b.running_mean");
    k.fill(mean, 2);
    expect(elements(k.parm(m, "body.b.running_mean"))).toEqual([2, 2, 2]);
    expect(expectError("ERR_PARAMETER", () => k.buffer(m, "body.a.weight"))).toMatch(/no buffer named/);
  });
});

it("info, dim, itemsize, leaf and same tell the properties of tensors", () => {
  const x = k.tensor([[1, 2, 3]], "double", "grad");
  const y = k.mul(x, 2);
  const expected = { device: "cpu", dtype: "double", size: [1, 3], elements: 3, bytes: 24, gradient: true, leaf: true };
  expect(k.info(x)).toEqual(expected);
  expect(k.info(y)).toEqual({ ...expected, leaf: false });
  expect([k.dim(x), k.dim(k.tensor(1)), k.itemsize(x), k.itemsize(k.eq(x, 1))]).toEqual([2, 0, 8, 1]);
  expect([k.leaf(x), k.leaf(y), k.same(x, x), k.same(x, y)]).toEqual([true, false, true, false]);
  expectError("ERR_HANDLE_KIND", () => k.dim(k.vector(x) as never));
});
