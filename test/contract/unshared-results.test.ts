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
