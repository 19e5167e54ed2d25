// Help.

import { deepStrictEqual as same } from "node:assert/strict";

import type { Line, Sdk } from "./line.js";

/** The whole table, of which the page shows 79 columns: PyTorch's defaults, and the k-api's for LAMB. */
const table = {
  adagrad: ["torch.optim.Adagrad", { lr: 0.01, lrdecay: 0, decay: 0, init: 0, eps: 1e-10 }],
  adam: ["torch.optim.Adam", { lr: 0.001, beta1: 0.9, beta2: 0.999, eps: 1e-8, decay: 0, amsgrad: false }],
  adamw: ["torch.optim.AdamW", { lr: 0.001, beta1: 0.9, beta2: 0.999, eps: 1e-8, decay: 0.01, amsgrad: false }],
  lamb: [
    "",
    {
      lr: 0.001,
      beta1: 0.9,
      beta2: 0.999,
      eps: 1e-8,
      decay: 0,
      unbiased: true,
      globalnorm: true,
      trustclip: true,
      trustmin: 0,
      trustmax: 1,
    },
  ],
  lbfgs: [
    "torch.optim.LBFGS",
    { lr: 1, iter: 20, eval: null, gradtol: 1e-7, changetol: 1e-9, history: 100, search: null },
  ],
  rmsprop: ["torch.optim.RMSprop", { lr: 0.01, alpha: 0.99, eps: 1e-8, decay: 0, momentum: 0, centered: false }],
  sgd: ["torch.optim.SGD", { lr: 0.01, momentum: 0, dampening: 0, decay: 0, nesterov: false }],
} as const;

export function help(k: Sdk): readonly Line[] {
  return [
    // The page ends at the width of the console; our table goes on with what each optimizer is for.
    {
      q: "q)help`optimizer",
      seed: [
        "optimizer pytorch options ..",
        "-----------------------------------------------------------------------------..",
        'adagrad "torch.optim.Adagrad" `lr`lrdecay`decay`init`eps!0.01 0 0 0 1e-10 ..',
        'adam "torch.optim.Adam" `lr`beta1`beta2`eps`decay`amsgrad!(0.001;0.9;..',
        'adamw "torch.optim.AdamW" `lr`beta1`beta2`eps`decay`amsgrad!(0.001;0.9;..',
        'lamb "" `lr`beta1`beta2`eps`decay`unbiased`globalnorm..',
        'lbfgs "torch.optim.LBFGS" `lr`iter`eval`gradtol`changetol`history`searc..',
        'rmsprop "torch.optim.RMSprop" `lr`alpha`eps`decay`momentum`centered!(0.01;0..',
        'sgd "torch.optim.SGD" `lr`momentum`dampening`decay`nesterov!(0.01;0..',
      ],
      run: () => k.help("optimizer"),
      check: () => {
        const rows = k.help("optimizer");
        same(
          rows.map(({ optimizer, pytorch, options }) => [optimizer, pytorch, Object.entries(options)]),
          Object.entries(table).map(([name, [pytorch, options]]) => [name, pytorch, Object.entries(options)]),
        );
        for (const { optimizer, options } of rows) same(k.help(optimizer), options);
        // A line for each, with its purpose.
        same(new Set(rows.map(({ about }) => about.length > 20 && about)).size, rows.length);
      },
    },
    {
      q: "q)help`adamw",
      seed: ["lr | 0.001", "beta1 | 0.9", "beta2 | 0.999", "eps | 1e-08", "decay | 0.01", "amsgrad| 0b"],
      run: () => k.help("adamw"),
    },
  ];
}
