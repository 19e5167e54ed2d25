// Step: until the loss is small.

import { deepStrictEqual as same } from "node:assert/strict";
import type * as k from "@stepwell/sdk";

import type { Line, Sdk } from "./line.js";

export function step(k: Sdk): readonly Line[] {
  let t: k.TensorHandle;
  let o: k.OptimizerHandle;
  let f: () => readonly [loss: number, tensor: k.Numbers];

  return [
    {
      q: "q)t:tensor(.5 2 4e; `grad)",
      run: () => {
        t = k.tensor([0.5, 2, 4], "grad");
      },
      check: () => same([k.tensor(t), k.dtype(t), k.gradflag(t)], [[0.5, 2, 4], "float", true]),
    },
    {
      q: "q)o:opt(`sgd; t; 1.0)",
      run: () => {
        o = k.opt("sgd", t, 1);
      },
      check: () => same([k.lr(o), k.size(o)], [[1], 1]),
    },
    {
      q: "q)f:{zerograd o; backward l:mse(t; 1 2 3e); step o; (return l;tensor t)}",
      run: () => {
        f = () => {
          k.zerograd(o);
          const l = k.mse(t, [1, 2, 3]);
          k.backward(l);
          k.step(o);
          same(k.handlecount(), 3);
          return [k.return(l) as number, k.tensor(t)];
        };
      },
      check: () => same(typeof f, "function"),
    },
    // The page shows this with five significant digits.
    {
      q: "q)`loss`tensor!/:1_(.00001<first@) f\\0w /run update steps until error below .00001",
      seed: [
        "loss tensor",
        "---------------------------",
        "0.41667 0.83333 2 3.3333",
        "0.046296 0.94444 2 3.1111",
        "0.005144 0.98148 2 3.037",
        "0.00057156 0.99383 2 3.0123",
        "6.3507e-05 0.99794 2 3.0041",
        "7.0566e-06 0.99931 2 3.0014",
      ],
      run: () => {
        const rows: object[] = [];
        for (let loss = Number.POSITIVE_INFINITY; loss > 0.00001; ) {
          // The page takes six; if steps did nothing, it would go on for ever.
          if (rows.length === 20) break;
          const [next, tensor] = f();
          rows.push({ loss: next, tensor });
          loss = next;
        }
        return rows;
      },
      look: { precision: 5 },
    },
  ];
}
