// Operations on small tensors reuse the memory of tensors that were freed. No living tensor, no view and no graph notices.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";

afterEach(() => k.free());

const numbers = (x: k.TensorHandle) => Array.from(k.data(x).data, Number);
const vector = (shift: number) => Float32Array.from({ length: 16 }, (_, i) => ((i * 7 + shift) % 13) / 8 + 0.25);

/** Numbers from 0 up to a limit, the same ones in each run. */
function draws(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * limit);
  };
}

const unary = [k.tanh, k.neg, k.sigmoid, k.sqrt, k.sin, k.relu, k.abs, k.exp] as const;
const binary = [k.add, k.sub, k.mul, k.div, k.maximum] as const;

describe("tensors of few elements", () => {
  it("keep their elements while others are made, freed and written", () => {
    const draw = draws(5);
    const flat = (tensor: k.TensorHandle) => k.clamp(k.reshape(tensor, [16]), -2, 2);
    const living: { readonly tensor: k.TensorHandle; elements: number[] }[] = [];
    const hold = (tensor: k.TensorHandle) => living.push({ tensor, elements: numbers(tensor) });
    hold(k.tensor(vector(1)));
    hold(k.tensor(vector(2)));
    for (let i = 0; i < 4000; i++) {
      const [a, b] = [living[draw(living.length)], living[draw(living.length)]].map((one) => one?.tensor);
      if (a === undefined || b === undefined) throw new Error("nothing lives");
      const turn = draw(10);
      if (turn < 3 && living.length > 2) k.free(...living.splice(draw(living.length), 1).map(({ tensor }) => tensor));
      else if (turn < 5) hold(k.transpose(k.reshape(a, [4, 4])));
      else if (turn < 8) hold((binary[draw(binary.length)] ?? k.add)(flat(a), flat(b)));
      else if (turn < 9) hold((unary[draw(unary.length)] ?? k.tanh)(flat(a)));
      else {
        const one = living.find(({ tensor }) => tensor === a);
        k.fill(a, turn + i / 4096);
        if (one) one.elements = numbers(a);
      }
      if (i % 50 === 0) for (const { tensor, elements } of living) expect(numbers(tensor)).toEqual(elements);
    }
  });

  it.each([1, 2, 3])("have the gradients of a chain whose results are freed in between (seed %i)", (seed) => {
    const run = (frees: boolean) => {
      const [operations, choices] = [draws(seed), draws(seed + 100)];
      const [x, y] = [k.tensor(vector(3), "grad"), k.tensor(vector(4), "grad")];
      let living: k.TensorHandle[] = [];
      let z: k.TensorHandle = x;
      for (let i = 0; i < 120; i++) {
        const first =
          operations(2) === 0 ? (unary[operations(8)] ?? k.tanh)(z) : (binary[operations(5)] ?? k.add)(z, y);
        const next = k.add(k.tanh(first), y);
        // Without a graph, in memory of tensors that were freed.
        const scratch = k.exp(k.neg(k.detach(next)));
        if (frees) {
          const gone = living.filter(() => choices(2) === 0);
          living = [first, ...(z === x ? [] : [z]), ...living.filter((tensor) => !gone.includes(tensor))];
          k.free(scratch, ...gone);
        }
        z = next;
      }
      k.backward(k.sum(z));
      return [k.grad(x), k.grad(y), numbers(z)];
    };
    expect(run(true)).toEqual(run(false));
  });
});
