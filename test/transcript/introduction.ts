// Optimizers: an optimizer without and with parameters.

import * as k from "@stepwell/sdk";
import { cuda } from "./gpu.js";
import type { Line } from "./line.js";

export function introduction(): readonly Line[] {
  let m: k.ModuleHandle;
  let o: k.OptimizerHandle;

  return [
    {
      q: "q)o:opt`sgd",
      run: () => {
        o = k.opt("sgd");
      },
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
    },
    {
      q: "q)m:module enlist(`linear;128;10)",
      run: () => {
        m = k.module(["linear", 128, 10]);
      },
    },
    {
      q: "q)to(m; `cuda)",
      run: () => {
        k.to(m, cuda);
      },
    },
    {
      q: "q)o:opt(`sgd; m; .1; .99) / learning rate of .1, momentum .99",
      run: () => {
        o = k.opt("sgd", m, 0.1, 0.99);
      },
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
