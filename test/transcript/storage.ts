// Storage and other information.

import type * as k from "@stepwell/sdk";
import { Followed, moduleIs, optimizerIs } from "./checks.js";

import type { Line, Sdk } from "./line.js";
import { ones, random } from "./q-words.js";

export function storage(k: Sdk): readonly Line[] {
  let m: k.ModuleHandle;
  let o: k.OptimizerHandle;
  let y: k.TensorHandle;
  let z: k.TensorHandle;
  let classes: readonly number[];
  let followed: Followed;

  return [
    {
      q: "q)o:opt(`adamw; ())",
      run: () => {
        o = k.opt("adamw", []);
      },
      check: () => optimizerIs(k, o, "adamw", [{ lr: 0.001, decay: 0.01 }], []),
    },
    {
      q: "q){x!x@\\:y}[`class`objtype`size`tensorcount`elements`bytes;o]",
      seed: ["class | `optimizer", "objtype | `adamw", "size | 0", "tensorcount| 0", "elements | 0", "bytes | 0"],
      run: () => ({
        class: k.class(o),
        objtype: k.objtype(o),
        size: k.size(o),
        tensorcount: k.tensorcount(o),
        elements: k.elements(o),
        bytes: k.bytes(o),
      }),
    },
    {
      q: "q)m:module enlist(`linear;64;10)",
      run: () => {
        m = k.module(["linear", 64, 10]);
      },
      check: () => {
        moduleIs(k, m, { weight: [10, 64], bias: [10] });
        followed = new Followed(k, [m], false);
      },
    },
    {
      q: "q)opt(o;m)",
      run: () => k.opt(o, m),
      check: () => optimizerIs(k, o, "adamw", [{ lr: 0.001, decay: 0.01 }], ["weight", "bias"]),
    },
    {
      q: "q){x!x@\\:y}[`class`objtype`size`tensorcount`elements`bytes;o]",
      seed: ["class | `optimizer", "objtype | `adamw", "size | 2", "tensorcount| 0", "elements | 0", "bytes | 0"],
      run: () => ({
        class: k.class(o),
        objtype: k.objtype(o),
        size: k.size(o),
        tensorcount: k.tensorcount(o),
        elements: k.elements(o),
        bytes: k.bytes(o),
      }),
    },
    {
      q: "q)backward z:ce(y:forward(m; 20 64#1e); 20?10); step o",
      run: () => {
        y = k.forward(m, ones(20, 64));
        classes = random(k, 20, 10);
        z = k.ce(y, classes);
        k.backward(z);
        k.step(o);
      },
      check: () => {
        followed.output(y);
        followed.loss(z, classes);
        followed.gradients([m], classes);
        followed.firstStep(o, [m], classes, [0.001]);
      },
    },
    {
      q: "q){x!x@\\:y}[`class`objtype`size`tensorcount`elements`bytes;o]",
      seed: ["class | `optimizer", "objtype | `adamw", "size | 2", "tensorcount| 4", "elements | 1302", "bytes | 5216"],
      run: () => ({
        class: k.class(o),
        objtype: k.objtype(o),
        size: k.size(o),
        tensorcount: k.tensorcount(o),
        elements: k.elements(o),
        bytes: k.bytes(o),
      }),
    },
    // q takes operators from right to left, so both terms are doubled.
    {
      q: "q)2*(1*1 8)+65*10*1 4 /buffers for 10 x 54 wt and 10-element bias + step counter",
      seed: ["1302 5216"],
      run: () => [1 + 65 * 10 * 1, 8 + 65 * 10 * 4].map((sum) => BigInt(2 * sum)),
    },
  ];
}
