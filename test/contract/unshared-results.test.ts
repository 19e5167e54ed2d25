// A result shares no memory with an argument: a write to one tensor never changes another, on every engine.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";

afterEach(() => k.free());

const numbers = (x: k.TensorHandle) => Array.from(k.data(x).data, Number);
const start = [1, 2, 3, 4];
const matrix = (grad: boolean) => k.tensor(Float32Array.from(start), { shape: [2, 2], grad });

/** Operations whose results PyTorch makes views of their argument, or which leave it as it is. */
const views: Readonly<Record<string, (x: k.TensorHandle) => k.TensorHandle | readonly k.TensorHandle[]>> = {
  reshape: (x) => k.reshape(x, [4]),
  squeeze: (x) => k.squeeze(x),
  unsqueeze: (x) => k.unsqueeze(x, 0),
  transpose: (x) => k.transpose(x),
  permute: (x) => k.permute(x, [1, 0]),
  expand: (x) => k.expand(x, [2, 2]),
  narrow: (x) => k.narrow(x, 0, 0, 1),
  select: (x) => k.select(x, 1, 0),
  flatten: (x) => k.flatten(x),
  cat: (x) => k.cat([x]),
  roll: (x) => k.roll(x, 0, 0),
  detach: (x) => k.detach(x),
  cast: (x) => k.cast(x, "float"),
  "sum over no dimensions": (x) => k.sum(x, []),
  "logsumexp over no dimensions": (x) => k.logsumexp(x, []),
  aminmax: (x) => k.aminmax(x, []),
};

describe.each(Object.entries(views))("%s", (_, view) => {
  it("a write to the result leaves the argument, and the reverse", () => {
    const x = matrix(false);
    const results = [view(x)].flat() as k.TensorHandle[];
    const before = results.map(numbers);
    k.copyto(k.full([2, 2], 9), x);
    expect(results.map(numbers)).toEqual(before);
    k.copyto(matrix(false), x);
    for (const result of results) {
      const zeros = k.zeros(k.size(result) as readonly number[]);
      k.copyto(zeros, result);
      expect(numbers(x)).toEqual(start);
    }
  });

  it("a step on the argument leaves the result, and one on the result the argument", () => {
    const [x, y] = [matrix(true), matrix(false)];
    const results = [view(x), view(y)].flat() as k.TensorHandle[];
    const before = results.map(numbers);
    k.grad(x, k.ones([2, 2]));
    k.step(k.opt("sgd", x, 0.5));
    expect(results.map(numbers)).toEqual(before);
    const leaf = [view(y)].flat()[0] as k.TensorHandle;
    k.gradflag(leaf, true);
    k.backward(k.sum(leaf));
    k.step(k.opt("sgd", leaf, 0.5));
    expect(numbers(y)).toEqual(start);
    expect(numbers(leaf).every((number, i) => number === (before[0]?.[i] as number) - 0.5)).toBe(true);
  });
});

it("sizes that no memory holds are errors, not the end of the process", () => {
  const empty = k.full([2 ** 28, 0], 0);
  const calls: (() => unknown)[] = [
    () => k.onehot([0], 2 ** 50),
    () => k.eye(2 ** 31 - 1),
    () => k.unsqueeze(k.ones(Array(64).fill(1)), 0),
  ];
  calls.push(
    () => k.narrow(1, 0, 0, 0),
    () => k.cat([1, 2]),
    () => k.kthvalue([1], 2 ** 32 - 1),
  );
  // The result of 8 GB fits into the memory of some machines.
  const large = [() => k.prod(k.full([2 ** 31 - 1, 0], 0), 1), () => k.logsumexp(k.full([2 ** 31 - 1, 0], 0), 1)];
  for (const call of k.engine === "wasm" ? [...calls, ...large] : calls) {
    expect(call).toThrow(expect.objectContaining({ code: expect.stringMatching(/^ERR_(?:SHAPE|MEMORY|ARGUMENT)$/) }));
  }
  // Without elements there is nothing to loop over; a loop over their lanes would not end before the test does.
  for (const y of [k.softmax(k.reshape(empty, [0, 2 ** 28]), 0), k.cumsum(empty, 1), k.sort(empty, 1)].flat()) {
    expect(k.elements(y as k.TensorHandle)).toBe(0);
  }
});

/** Modules whose results are views of the input in PyTorch, are the input, or are a tensor that a function holds. */
const w = () =>
  k.tensor(
    [
      [5, 6],
      [7, 8],
    ],
    "grad",
  );
const modules: Readonly<Record<string, () => k.ModuleHandle>> = {
  identity: () => k.module("identity"),
  transpose: () => k.module(["transpose", 0, 1]),
  permute: () => k.module(["permute", [1, 0]]),
  select: () => k.module(["select", 0, 0]),
  expand: () => k.module(["expand", [2, 2, 2]]),
  reshape: () => k.module(["reshape", [4]]),
  flatten: () => k.module(["flatten", 0]),
  squeeze: () => k.module("squeeze"),
  unsqueeze: () => k.module(["unsqueeze", 0]),
  pad: () => k.module(["pad", [0, 0]]),
  dropout: () => k.module(["dropout", 0]),
  droppath: () => k.module(["droppath", 0]),
  sequential: () => k.module(k.seq("sequential", "identity", ["transpose", 0, 1], "identity")),
  "a function of its input": () => k.callback((x) => x),
  "a function with two results": () => k.callback((x) => [x, x]),
};

describe.each(Object.entries(modules))("the result of %s", (_, make) => {
  it.each([k.forward, k.evaluate])("shares no memory with its input (%o)", (pass) => {
    for (const grad of [false, true]) {
      const x = matrix(grad);
      const results = [pass(make(), x)].flat() as k.TensorHandle[];
      const before = results.map(numbers);
      k.fill(x, 7);
      expect(results.map(numbers)).toEqual(before);
      k.copyto(matrix(false), x);
      const [first, ...others] = results as [k.TensorHandle, ...k.TensorHandle[]];
      k.fill(first, 9);
      expect(numbers(x)).toEqual(start);
      expect(others.map(numbers)).toEqual(before.slice(1));
    }
  });
});

it("a result of a function shares no memory with a tensor that the function holds", () => {
  const parameter = w();
  const constant = k.tensor([
    [5, 6],
    [7, 8],
  ]);
  const m = k.callback(() => parameter, { parms: { w: parameter } });
  for (const module of [m, k.callback(() => parameter), k.callback(() => constant)]) {
    for (const pass of [k.forward, k.evaluate]) {
      const y = pass(module, matrix(false));
      k.fill(y, 9);
      expect([numbers(parameter), numbers(constant)]).toEqual([
        [5, 6, 7, 8],
        [5, 6, 7, 8],
      ]);
    }
  }
  // The copy is in the graph.
  k.backward(k.sum(k.forward(m, matrix(false)) as k.TensorHandle));
  expect(k.grad(parameter)).toEqual([
    [1, 1],
    [1, 1],
  ]);
});

it("a result of a function shares no memory with an object that a function has made of a tensor of the pass", () => {
  const kept: k.VectorHandle[] = [];
  const keeps = () =>
    k.callback((x: k.TensorHandle) => {
      kept.push(k.keep(k.vector(x)));
      return k.neg(x);
    });
  const cached: k.TensorHandle[] = [];
  const caches = () =>
    k.callback((x: k.TensorHandle) => {
      cached.push(k.keep(k.neg(x)));
      return cached.at(-1) as k.TensorHandle;
    });
  const values = () => [...kept.map((held) => numbers(k.cat(held))), ...cached.map(numbers)];
  // The identity passes on the tensor that the other branch puts into an object.
  const branches = k.module(k.seq("fork", "identity", k.seq("sequential", keeps())));
  const twice = k.module(k.seq("sequential", caches(), "identity", ["flatten", 0]));
  for (const module of [branches, twice, caches(), k.module(k.seq("sequential", keeps(), caches()))]) {
    for (const pass of [k.forward, k.evaluate]) {
      for (const grad of [false, true]) {
        const results = [pass(module, matrix(grad))].flat() as k.TensorHandle[];
        const before = values();
        for (const result of results) k.fill(result, 9);
        expect(values()).toEqual(before);
      }
    }
  }
});
