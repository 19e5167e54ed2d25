// Optimizers: an optimizer without and with parameters.

import { deepStrictEqual as same } from "node:assert/strict";
import type * as k from "@stepwell/sdk";
import { freed, moduleIs, moved, optimizerIs } from "./checks.js";

import { cuda, toGpu } from "./gpu.js";
import type { Line, Sdk } from "./line.js";

export function introduction(k: Sdk): readonly Line[] {
  let m: k.ModuleHandle;
  let o: k.OptimizerHandle;

  return [
    {
      q: "q)o:opt`sgd",
      run: () => {
        o = k.opt("sgd");
      },
      check: () => optimizerIs(k, o, "sgd", [{ lr: 0.01, momentum: 0, dampening: 0, decay: 0, nesterov: false }], []),
    },
    // Here the page shows the options as a list of one dictionary; further down as a table of one row.
    {
      q: "q)opt o",
      seed: [
        "optimizer| `sgd",
        "options | ,`lr`momentum`dampening`decay`nesterov!(0.01;0f;0f;0f;0b)",
        "parms | +`parmgroup`pointer`module`name`size!(`long$();`long$();`symbol$()..",
      ],
      run: () => k.opt(o),
      look: { rows: true },
    },
    {
      q: "q)free o",
      run: () => {
        k.free(o);
      },
      check: () => {
        freed(k, o);
        same(k.handlecount(), 0);
      },
    },
    {
      q: "q)m:module enlist(`linear;128;10)",
      run: () => {
        m = k.module(["linear", 128, 10]);
      },
      check: () => moduleIs(k, m, { weight: [10, 128], bias: [10] }),
    },
    {
      q: "q)to(m; `cuda)",
      run: () => {
        toGpu(k, m);
      },
      check: () => moved(k, m, cuda),
    },
    {
      q: "q)o:opt(`sgd; m; .1; .99) / learning rate of .1, momentum .99",
      run: () => {
        o = k.opt("sgd", m, 0.1, 0.99);
      },
      check: () =>
        optimizerIs(
          k,
          o,
          "sgd",
          [{ lr: 0.1, momentum: 0.99, dampening: 0, decay: 0, nesterov: false }],
          ["weight", "bias"],
        ),
    },
    {
      q: "q)opt o",
      seed: [
        "optimizer| `sgd",
        "options | ,`lr`momentum`dampening`decay`nesterov!(0.1;0.99;0f;0f;0b)",
        "parms | +`parmgroup`pointer`module`name`size!(0 0;63102096 63425808;`linea..",
      ],
      run: () => k.opt(o),
      look: { rows: true },
    },
  ];
}
