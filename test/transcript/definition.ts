// Get optimizer definition, and make another optimizer from it.

import * as k from "@stepwell/sdk";
import type { Line } from "./line.js";
import { matchEach } from "./q-words.js";

export function definition(): readonly Line[] {
  let q: k.ModuleHandle;
  let m0: k.ModuleHandle;
  let m1: k.ModuleHandle;
  let o: k.OptimizerHandle;
  let n: k.OptimizerHandle;
  let d: k.Definition;
  let t: k.Definition["options"];

  return [
    {
      q: "q)q:module seq(`sequential; (`linear;`a;128;10); `relu`b)",
      run: () => {
        q = k.module(k.seq("sequential", ["linear", "a", 128, 10], ["relu", "b"]));
      },
    },
    {
      q: "q)o:opt(`adamw; q; .0002)",
      run: () => {
        o = k.opt("adamw", q, 0.0002);
      },
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
    },
    {
      q: "q)m1:module enlist(`linear; 64;10)",
      run: () => {
        m1 = k.module(["linear", 64, 10]);
      },
    },
    {
      q: "q)o:opt`adamw",
      run: () => {
        o = k.opt("adamw");
      },
    },
    { q: "q)opt(o; 0; m0; .01; `decay,.01)", run: () => k.opt(o, 0, m0, 0.01, ["decay", 0.01]) },
    { q: "q)opt(o; 1; m1; .02; `decay,.04)", run: () => k.opt(o, 1, m1, 0.02, ["decay", 0.04]) },
    {
      q: "q)d:opt o",
      run: () => {
        d = k.opt(o);
      },
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
    },
    {
      q: "q)t:d`options",
      run: () => {
        t = d.options;
      },
    },
    {
      q: "q){opt(x; y; (); z)}[n]'[til count t;t];",
      run: () => {
        t.forEach((row, i) => {
          k.opt(n, i, [], row);
        });
      },
    },
    { q: "q)opt[n]~'d", seed: ["optimizer| 1", "options | 1", "parms | 0"], run: () => matchEach(k.opt(n), d) },
    { q: "q)opt(n;0;m0)", run: () => k.opt(n, 0, m0) },
    { q: "q)opt(n;1;m1)", run: () => k.opt(n, 1, m1) },
    { q: "q)opt[n]~'d", seed: ["optimizer| 1", "options | 1", "parms | 1"], run: () => matchEach(k.opt(n), d) },
  ];
}
