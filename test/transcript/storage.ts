// Storage and other information.

import * as k from "@stepwell/sdk";
import type { Line } from "./line.js";
import { ones, random } from "./q-words.js";

export function storage(): readonly Line[] {
  let m: k.ModuleHandle;
  let o: k.OptimizerHandle;
  let y: k.TensorHandle;
  let z: k.TensorHandle;

  return [
    {
      q: "q)o:opt(`adamw; ())",
      run: () => {
        o = k.opt("adamw", []);
      },
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
    },
    { q: "q)opt(o;m)", run: () => k.opt(o, m) },
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
        z = k.ce(y, random(20, 10));
        k.backward(z);
        k.step(o);
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
