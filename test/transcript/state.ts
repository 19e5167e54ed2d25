// Parameter state, before and after a step.

import * as k from "@stepwell/sdk";
import type { Line } from "./line.js";
import { ones, random } from "./q-words.js";

export function state(): readonly Line[] {
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
      q: "q)o:opt(`adamw; q; .0002)",
      run: () => {
        o = k.opt("adamw", q, 0.0002);
      },
    },
    {
      q: "q)s:state o",
      run: () => {
        s = k.state(o);
      },
    },
    {
      q: "q)s`parms",
      seed: [
        "parmgroup pointer module name size buffers",
        "---------------------------------------------------------",
        "0 86044448 linear a.weight 64 128 (`symbol$())!()",
        "0 86045456 linear a.bias ,64 (`symbol$())!()",
        "0 86050448 linear b.weight 10 64 (`symbol$())!()",
        "0 86051344 linear b.bias ,10 (`symbol$())!()",
      ],
      run: () => s.parms,
    },
    {
      q: "q)y:forward(q; 20 128#1e)",
      run: () => {
        y = k.forward(q, ones(20, 128));
      },
    },
    {
      q: "q)z:ce(y; 20?10)",
      run: () => {
        z = k.ce(y, random(20, 10));
      },
    },
    { q: "q)backward z", run: () => k.backward(z) },
    { q: "q)step o", run: () => k.step(o) },
    {
      q: "q)s:state o",
      run: () => {
        s = k.state(o);
      },
    },
    {
      q: "q)s`parms",
      seed: [
        "parmgroup pointer module name size buffers ..",
        "-----------------------------------------------------------------------------..",
        "0 86044448 linear a.weight 64 128 `step`exp_avg`exp_avg_sq`max_exp_av..",
        "0 86045456 linear a.bias ,64 `step`exp_avg`exp_avg_sq`max_exp_av..",
        "0 86050448 linear b.weight 10 64 `step`exp_avg`exp_avg_sq`max_exp_av..",
        "0 86051344 linear b.bias ,10 `step`exp_avg`exp_avg_sq`max_exp_av..",
      ],
      run: () => s.parms,
    },
    // The averages come from random weights and random targets.
    {
      q: "q)last s .`parms`buffers",
      seed: [
        "step | 1",
        "exp_avg | 0 0 0 0.01468916 0 0.0003890909 0 0 0 0e",
        "exp_avg_sq | 0 0 0 2.157714e-05 0 1.513918e-08 0 0 0 0e",
        "max_exp_avg_sq| ::",
      ],
      run: () => s.parms.at(-1)?.buffers,
      look: { width: Number.POSITIVE_INFINITY },
      random: /^exp_avg/,
    },
  ];
}
