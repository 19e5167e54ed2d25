// Restoring state from files.

import * as k from "@stepwell/sdk";
import { cuda } from "./gpu.js";
import type { Line } from "./line.js";
import { get, matchCells, matchEach, ones, random, set } from "./q-words.js";

export function restore(): readonly Line[] {
  let q: k.ModuleHandle;
  let o: k.OptimizerHandle;
  let s: k.State;
  let y: k.TensorHandle;
  let z: k.TensorHandle;

  return [
    {
      q: "q)q:module seq(`sequential; (`linear;`a;128;64); `relu; (`linear;`b;64;10); `relu)",
      run: () => {
        q = k.module(k.seq("sequential", ["linear", "a", 128, 64], "relu", ["linear", "b", 64, 10], "relu"));
      },
    },
    {
      q: "q)to(q;`cuda) / move to gpu",
      run: () => {
        k.to(q, cuda);
      },
    },
    {
      q: "q)o:opt(`adamw; q; .0002) / then define optimizer from module q",
      run: () => {
        o = k.opt("adamw", q, 0.0002);
      },
    },
    {
      q: "q)y:forward(q; 20 128#1e) /forward calc on dummy input",
      run: () => {
        y = k.forward(q, ones(20, 128));
      },
    },
    {
      q: "q)z:ce(y; 20?10) /calculate cross-entropy loss with random targets",
      run: () => {
        z = k.ce(y, random(20, 10));
      },
    },
    { q: "q)backward z /calculate gradients", run: () => k.backward(z) },
    { q: "q)step o /run an optimization step to initialize buffers", run: () => k.step(o) },
    {
      q: "q)`:/tmp/q set state q /save module state to file",
      seed: ["`:/tmp/q"],
      run: () => set(":/tmp/q", k.state(q)),
    },
    {
      q: "q)`:/tmp/o set s:state o /save optimizer state",
      seed: ["`:/tmp/o"],
      run: () => {
        s = k.state(o);
        return set(":/tmp/o", s);
      },
    },
    { q: "q)free[] /free all pytorch objects", run: () => k.free() },
    {
      q: "q)q:module get`:/tmp/q /re-create module",
      run: () => {
        q = k.module(get<k.ModuleState>(":/tmp/q"));
      },
    },
    {
      q: "q)to(q;`cuda) /move to gpu",
      run: () => {
        k.to(q, cuda);
      },
    },
    {
      q: "q)o:opt(get`:/tmp/o;q) /re-create optimizer",
      run: () => {
        o = k.opt(get<k.State>(":/tmp/o"), q);
      },
    },
    {
      q: "q)s~'state o /compare current state",
      seed: ["optimizer| 1", "options | 1", "parms | 0"],
      run: () => matchEach(s, k.state(o)),
    },
    {
      q: "q)s[`parms]~''state[o]`parms /state matches except for memory pointers",
      seed: [
        "parmgroup pointer module name size buffers",
        "------------------------------------------",
        "1 0 1 1 1 1",
        "1 0 1 1 1 1",
        "1 0 1 1 1 1",
        "1 0 1 1 1 1",
      ],
      run: () => matchCells(s.parms, k.state(o).parms),
    },
  ];
}
