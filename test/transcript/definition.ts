// Get optimizer definition, and make another optimizer from it.

import { deepStrictEqual as same } from "node:assert/strict";
import type * as k from "@stepwell/sdk";
import { moduleIs, optimizerIs } from "./checks.js";

import type { Line, Sdk } from "./line.js";
import { matchEach } from "./q-words.js";

export function definition(k: Sdk): readonly Line[] {
  let q: k.ModuleHandle;
  let m0: k.ModuleHandle;
  let m1: k.ModuleHandle;
  let o: k.OptimizerHandle;
  let n: k.OptimizerHandle;
  let d: k.Definition;
  let t: k.Definition["options"];
  const adamw = { lr: 0.001, beta1: 0.9, beta2: 0.999, eps: 1e-8, decay: 0.01, amsgrad: false };
  const rows = [
    { ...adamw, lr: 0.01, decay: 0.01 },
    { ...adamw, lr: 0.02, decay: 0.04 },
  ];
  const both = ["0.weight", "0.bias", "1.weight", "1.bias"];

  return [
    {
      q: "q)q:module seq(`sequential; (`linear;`a;128;10); `relu`b)",
      run: () => {
        q = k.module(k.seq("sequential", ["linear", "a", 128, 10], ["relu", "b"]));
      },
      check: () => moduleIs(k, q, { "a.weight": [10, 128], "a.bias": [10] }),
    },
    {
      q: "q)o:opt(`adamw; q; .0002)",
      run: () => {
        o = k.opt("adamw", q, 0.0002);
      },
      check: () => optimizerIs(k, o, "adamw", [{ ...adamw, lr: 0.0002 }], ["a.weight", "a.bias"]),
    },
    {
      q: "q)show d:opt o",
      seed: [
        "optimizer| `adamw",
        "options | +`lr`beta1`beta2`eps`decay`amsgrad!(,0.0002;,0.9;,0.999;,1e-08;,0...",
        "parms | +`parmgroup`pointer`module`name`size!(0 0;71886512 71887200;`linea..",
      ],
      run: () => {
        d = k.opt(o);
        return d;
      },
    },
    {
      q: "q)first d`options",
      seed: ["lr | 0.0002", "beta1 | 0.9", "beta2 | 0.999", "eps | 1e-08", "decay | 0.01", "amsgrad| 0b"],
      run: () => d.options[0],
    },
    {
      q: "q)d`parms",
      seed: [
        "parmgroup pointer module name size",
        "-----------------------------------------",
        "0 71886512 linear a.weight 10 128",
        "0 71887200 linear a.bias ,10",
      ],
      run: () => d.parms,
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
      q: "q)o:opt`adamw",
      run: () => {
        o = k.opt("adamw");
      },
      check: () => optimizerIs(k, o, "adamw", [adamw], []),
    },
    {
      q: "q)opt(o; 0; m0; .01; `decay,.01)",
      run: () => k.opt(o, 0, m0, 0.01, ["decay", 0.01]),
      check: () => optimizerIs(k, o, "adamw", [{ ...adamw, lr: 0.01, decay: 0.01 }], ["weight", "bias"]),
    },
    {
      q: "q)opt(o; 1; m1; .02; `decay,.04)",
      run: () => k.opt(o, 1, m1, 0.02, ["decay", 0.04]),
      check: () => optimizerIs(k, o, "adamw", rows, both),
    },
    {
      q: "q)d:opt o",
      run: () => {
        d = k.opt(o);
      },
      check: () => same([d.optimizer, d.options, d.parms.length], ["adamw", rows, 4]),
    },
    {
      q: "q)d`options",
      seed: [
        "lr beta1 beta2 eps decay amsgrad",
        "------------------------------------",
        "0.01 0.9 0.999 1e-08 0.01 0",
        "0.02 0.9 0.999 1e-08 0.04 0",
      ],
      run: () => d.options,
    },
    {
      q: "q)opt[(o;0b)]`options /only non-default options",
      seed: ["lr decay", "----------", "0.01 0.01", "0.02 0.04"],
      run: () => k.opt(o, false).options,
    },
    {
      q: "q)n:opt d`optimizer",
      run: () => {
        n = k.opt(d.optimizer);
      },
      check: () => optimizerIs(k, n, "adamw", [adamw], []),
    },
    {
      q: "q)t:d`options",
      run: () => {
        t = d.options;
      },
      check: () => same(t, rows),
    },
    {
      q: "q){opt(x; y; (); z)}[n]'[til count t;t];",
      run: () => {
        t.forEach((row, i) => {
          k.opt(n, i, [], row);
        });
      },
      check: () => optimizerIs(k, n, "adamw", rows, []),
    },
    { q: "q)opt[n]~'d", seed: ["optimizer| 1", "options | 1", "parms | 0"], run: () => matchEach(k.opt(n), d) },
    {
      q: "q)opt(n;0;m0)",
      run: () => k.opt(n, 0, m0),
      check: () => optimizerIs(k, n, "adamw", rows, ["weight", "bias"]),
    },
    { q: "q)opt(n;1;m1)", run: () => k.opt(n, 1, m1), check: () => optimizerIs(k, n, "adamw", rows, both) },
    { q: "q)opt[n]~'d", seed: ["optimizer| 1", "options | 1", "parms | 1"], run: () => matchEach(k.opt(n), d) },
  ];
}
