// Options: by position, by name and mixed.

import type * as k from "@stepwell/sdk";
import { moduleIs, optimizerIs } from "./checks.js";

import type { Line, Sdk } from "./line.js";

export function options(k: Sdk): readonly Line[] {
  let m: k.ModuleHandle;
  let o: k.OptimizerHandle;
  const parameters = ["weight", "bias"];

  return [
    {
      q: "q)m:module enlist(`linear;128;10)",
      run: () => {
        m = k.module(["linear", 128, 10]);
      },
      check: () => moduleIs(k, m, { weight: [10, 128], bias: [10] }),
    },
    {
      q: "q)o:opt(`adam; m; .0002; .85; .99; 1e-8; .02) /specify the first 5 positional options",
      run: () => {
        o = k.opt("adam", m, 0.0002, 0.85, 0.99, 1e-8, 0.02);
      },
      check: () =>
        optimizerIs(
          k,
          o,
          "adam",
          [{ lr: 0.0002, beta1: 0.85, beta2: 0.99, eps: 1e-8, decay: 0.02, amsgrad: false }],
          parameters,
        ),
    },
    {
      q: "q)exec first options from opt o",
      seed: ["lr | 0.0002", "beta1 | 0.85", "beta2 | 0.99", "eps | 1e-08", "decay | 0.02", "amsgrad| 0b"],
      run: () => k.opt(o).options[0],
    },
    {
      q: "q)o:opt(`adam; m; .0002; `decay,.02) /learning rate py position, weight decay by name",
      run: () => {
        o = k.opt("adam", m, 0.0002, ["decay", 0.02]);
      },
      check: () =>
        optimizerIs(
          k,
          o,
          "adam",
          [{ lr: 0.0002, beta1: 0.9, beta2: 0.999, eps: 1e-8, decay: 0.02, amsgrad: false }],
          parameters,
        ),
    },
    {
      q: "q)exec first options from opt o",
      seed: ["lr | 0.0002", "beta1 | 0.9", "beta2 | 0.999", "eps | 1e-08", "decay | 0.02", "amsgrad| 0b"],
      run: () => k.opt(o).options[0],
    },
    {
      q: "q)o:opt(`adam; m; `lr`decay!.01 .05)",
      run: () => {
        o = k.opt("adam", m, { lr: 0.01, decay: 0.05 });
      },
      check: () =>
        optimizerIs(
          k,
          o,
          "adam",
          [{ lr: 0.01, beta1: 0.9, beta2: 0.999, eps: 1e-8, decay: 0.05, amsgrad: false }],
          parameters,
        ),
    },
    {
      q: "q)exec first options from opt o",
      seed: ["lr | 0.01", "beta1 | 0.9", "beta2 | 0.999", "eps | 1e-08", "decay | 0.05", "amsgrad| 0b"],
      run: () => k.opt(o).options[0],
    },
    {
      q: "q)o:opt(`sgd; m; ((`lr;.01);(`momentum;.9))) /list of name-value pairs",
      run: () => {
        o = k.opt("sgd", m, [
          ["lr", 0.01],
          ["momentum", 0.9],
        ]);
      },
      check: () =>
        optimizerIs(k, o, "sgd", [{ lr: 0.01, momentum: 0.9, dampening: 0, decay: 0, nesterov: false }], parameters),
    },
    {
      q: "q)o:opt(`sgd; m; (`lr,.01),(`momentum,.9)) /alternate name-value form",
      run: () => {
        o = k.opt("sgd", m, ["lr", 0.01, "momentum", 0.9]);
      },
      check: () =>
        optimizerIs(k, o, "sgd", [{ lr: 0.01, momentum: 0.9, dampening: 0, decay: 0, nesterov: false }], parameters),
    },
    {
      q: "q)exec first options from opt o",
      seed: ["lr | 0.01", "momentum | 0.9", "dampening| 0f", "decay | 0f", "nesterov | 0b"],
      run: () => k.opt(o).options[0],
    },
  ];
}
