// Resetting gradients.

import { deepStrictEqual as same } from "node:assert/strict";
import type * as k from "@stepwell/sdk";
import { near } from "./checks.js";

import type { Line, Sdk } from "./line.js";

export function gradients(k: Sdk): readonly Line[] {
  let x: k.TensorHandle;
  let y: k.TensorHandle;
  let z: k.TensorHandle;
  let o: k.OptimizerHandle;

  return [
    {
      q: "q)x:tensor(.5 1 4.0; `grad)",
      run: () => {
        x = k.tensor([0.5, 1, 4], "double", "grad");
      },
      check: () => same([k.tensor(x), k.dtype(x), k.gradflag(x), k.grad(x)], [[0.5, 1, 4], "double", true, undefined]),
    },
    {
      q: "q)y:tensor 1 2 3.0",
      run: () => {
        y = k.tensor([1, 2, 3], "double");
      },
      check: () => same([k.tensor(y), k.dtype(y), k.gradflag(y)], [[1, 2, 3], "double", false]),
    },
    {
      q: "q)o:opt(`sgd; x; 1.0) /learning rate=1, i.e. use gradient w'out scaling",
      run: () => {
        o = k.opt("sgd", x, 1);
      },
      check: () => same([k.lr(o), k.size(o)], [[1], 1]),
    },
    {
      q: "q)backward z:mse(x;y)",
      run: () => {
        z = k.mse(x, y);
        k.backward(z);
      },
      check: () => near("loss", [k.tensor(z) as number], [(0.25 + 1 + 1) / 3]),
    },
    { q: "q)grad x", seed: ["-0.3333333 -0.6666667 0.6666667"], run: () => k.grad(x) },
    {
      q: "q)step o",
      run: () => k.step(o),
      check: () => near("x", k.data(x).data, [0.5 + 1 / 3, 1 + 2 / 3, 4 - 2 / 3]),
    },
    { q: "q)tensor x", seed: ["0.8333333 1.666667 3.333333"], run: () => k.tensor(x) },
    { q: "q)zerograd o", run: () => k.zerograd(o), check: () => same(k.grad(x), [0, 0, 0]) },
    { q: "q)grad x", seed: ["0 0 0f"], run: () => k.grad(x) },
    {
      q: "q)use[z]mse(x;y); backward z",
      run: () => {
        k.use(z, k.mse(x, y));
        k.backward(z);
      },
      check: () => {
        near("loss", [k.tensor(z) as number], [(0.25 + 1 + 1) / 27]);
        same(k.handlecount(), 4);
      },
    },
    { q: "q)grad x", seed: ["-0.1111111 -0.2222222 0.2222222"], run: () => k.grad(x) },
    {
      q: "q)step o",
      run: () => k.step(o),
      check: () => near("x", k.data(x).data, [0.5 + 4 / 9, 1 + 8 / 9, 4 - 8 / 9]),
    },
    { q: "q)tensor x", seed: ["0.9444444 1.888889 3.111111"], run: () => k.tensor(x) },
  ];
}
