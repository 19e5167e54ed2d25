// Learning rate.

import { deepStrictEqual as same } from "node:assert/strict";
import type * as k from "@stepwell/sdk";
import { moduleIs, optimizerIs } from "./checks.js";

import type { Line, Sdk } from "./line.js";

export function rates(k: Sdk): readonly Line[] {
  let m: k.ModuleHandle;
  let m0: k.ModuleHandle;
  let m1: k.ModuleHandle;
  let o: k.OptimizerHandle;

  return [
    {
      q: "q)m:module enlist(`linear;128;64)",
      run: () => {
        m = k.module(["linear", 128, 64]);
      },
      check: () => moduleIs(k, m, { weight: [64, 128], bias: [64] }),
    },
    {
      q: "q)o:opt(`sgd;m;.1;.8)",
      run: () => {
        o = k.opt("sgd", m, 0.1, 0.8);
      },
      check: () => optimizerIs(k, o, "sgd", [{ lr: 0.1, momentum: 0.8 }], ["weight", "bias"]),
    },
    {
      q: "q)first opt[o]`options",
      seed: ["lr | 0.1", "momentum | 0.8", "dampening| 0f", "decay | 0f", "nesterov | 0b"],
      run: () => k.opt(o).options[0],
    },
    {
      q: "q)opt(o; (); .002; .9)",
      run: () => k.opt(o, [], 0.002, 0.9),
      check: () => optimizerIs(k, o, "sgd", [{ lr: 0.002, momentum: 0.9 }], ["weight", "bias"]),
    },
    {
      q: "q)first opt[o]`options",
      seed: ["lr | 0.002", "momentum | 0.9", "dampening| 0f", "decay | 0f", "nesterov | 0b"],
      run: () => k.opt(o).options[0],
    },
    {
      q: "q)m0:module enlist(`linear;128;64)",
      run: () => {
        m0 = k.module(["linear", 128, 64]);
      },
      check: () => moduleIs(k, m0, { weight: [64, 128], bias: [64] }),
    },
    {
      q: "q)m1:module enlist(`linear; 64;10)",
      run: () => {
        m1 = k.module(["linear", 64, 10]);
      },
      check: () => moduleIs(k, m1, { weight: [10, 64], bias: [10] }),
    },
    {
      q: "q)o:opt`sgd",
      run: () => {
        o = k.opt("sgd");
      },
      check: () => optimizerIs(k, o, "sgd", [{ lr: 0.01, momentum: 0 }], []),
    },
    {
      q: "q)opt(o; 0; m0; .01; .9) /learning rate .01, momentum .9",
      run: () => k.opt(o, 0, m0, 0.01, 0.9),
      check: () => optimizerIs(k, o, "sgd", [{ lr: 0.01, momentum: 0.9 }], ["weight", "bias"]),
    },
    {
      q: "q)opt(o; 1; m1; .001; .99) /learning rate .001, momentum .99",
      run: () => k.opt(o, 1, m1, 0.001, 0.99),
      check: () =>
        same(
          k.opt(o).options.map(({ lr, momentum }) => [lr, momentum]),
          [
            [0.01, 0.9],
            [0.001, 0.99],
          ],
        ),
    },
    { q: "q)lr o", seed: ["0.01 0.001"], run: () => k.lr(o) },
    {
      q: "q)lr(o; .9*lr(o))",
      run: () =>
        k.lr(
          o,
          k.lr(o).map((rate) => 0.9 * rate),
        ),
      check: () => same(k.lr(o), [0.9 * 0.01, 0.9 * 0.001]),
    },
    {
      q: "q)opt[o]`options",
      seed: [
        "lr momentum dampening decay nesterov",
        "----------------------------------------",
        "0.009 0.9 0 0 0",
        "0.0009 0.99 0 0 0",
      ],
      run: () => k.opt(o).options,
    },
  ];
}
