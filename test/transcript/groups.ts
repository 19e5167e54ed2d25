// Parameter groups.

import { deepStrictEqual as same } from "node:assert/strict";
import type * as k from "@stepwell/sdk";
import { moduleIs, optimizerIs } from "./checks.js";

import type { Line, Sdk } from "./line.js";

export function groups(k: Sdk): readonly Line[] {
  let m0: k.ModuleHandle;
  let m1: k.ModuleHandle;
  let o: k.OptimizerHandle;
  let d: k.Definition;
  const sgd = { lr: 0.01, momentum: 0, dampening: 0, decay: 0, nesterov: false };

  return [
    {
      q: "q)o:opt(`sgd; (); .1; .9) / learning rate of .1, momentum of .9 as defaults",
      run: () => {
        o = k.opt("sgd", [], 0.1, 0.9);
      },
      check: () => optimizerIs(k, o, "sgd", [{ ...sgd, lr: 0.1, momentum: 0.9 }], []),
    },
    {
      q: "q)m0:module enlist(`linear;128;64)",
      run: () => {
        m0 = k.module(["linear", 128, 64]);
      },
      check: () => moduleIs(k, m0, { weight: [64, 128], bias: [64] }),
    },
    {
      q: "q)m1:module enlist(`linear;64;10)",
      run: () => {
        m1 = k.module(["linear", 64, 10]);
      },
      check: () => moduleIs(k, m1, { weight: [10, 64], bias: [10] }),
    },
    {
      q: "q)opt(o; 0; m0)",
      run: () => k.opt(o, 0, m0),
      check: () => optimizerIs(k, o, "sgd", [{ ...sgd, lr: 0.1, momentum: 0.9 }], ["weight", "bias"]),
    },
    {
      q: "q)opt(o; 1; m1; .05; .95) / different learning rate & momentum for 2nd group",
      run: () => k.opt(o, 1, m1, 0.05, 0.95),
      check: () => same(k.size(o), 4),
    },
    {
      q: "q)d:opt o",
      run: () => {
        d = k.opt(o);
      },
      check: () => same([d.optimizer, d.parms.length], ["sgd", 4]),
    },
    {
      q: "q)d`options",
      seed: [
        "lr momentum dampening decay nesterov",
        "--------------------------------------",
        "0.1 0.9 0 0 0",
        "0.05 0.95 0 0 0",
      ],
      run: () => d.options,
    },
    {
      q: "q)d`parms",
      seed: [
        "parmgroup pointer module name size",
        "-----------------------------------------",
        "0 83836176 linear 0.weight 64 128",
        "0 83512464 linear 0.bias ,64",
        "1 83843488 linear 1.weight 10 64",
        "1 83842736 linear 1.bias ,10",
      ],
      run: () => d.parms,
    },
    {
      q: "q)o:opt(`sgd;();.1) /implicit group 0",
      run: () => {
        o = k.opt("sgd", [], 0.1);
      },
      check: () => optimizerIs(k, o, "sgd", [{ ...sgd, lr: 0.1 }], []),
    },
    {
      q: "q)opt(o;1;();.01) /group 1's learning rate",
      run: () => k.opt(o, 1, [], 0.01),
      check: () =>
        optimizerIs(
          k,
          o,
          "sgd",
          [0.1, 0.01].map((lr) => ({ ...sgd, lr })),
          [],
        ),
    },
    {
      q: "q)opt(o;2;();.001) /group 2..",
      run: () => k.opt(o, 2, [], 0.001),
      check: () =>
        optimizerIs(
          k,
          o,
          "sgd",
          [0.1, 0.01, 0.001].map((lr) => ({ ...sgd, lr })),
          [],
        ),
    },
    {
      q: "q)exec options from opt o",
      seed: [
        "lr momentum dampening decay nesterov",
        "---------------------------------------",
        "0.1 0 0 0 0",
        "0.01 0 0 0 0",
        "0.001 0 0 0 0",
      ],
      run: () => k.opt(o).options,
    },
    {
      q: "q)opt(o;4;();.0001)",
      seed: ["'opt: group 4 invalid, cannot be greater than number of groups(3)", "[0] opt(o;4;();.0001)", "^"],
      run: () => k.opt(o, 4, [], 0.0001),
    },
  ];
}
