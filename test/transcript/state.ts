// Parameter state, before and after a step.

import { deepStrictEqual as same } from "node:assert/strict";
import type * as k from "@stepwell/sdk";
import { Followed, moduleIs, optimizerIs } from "./checks.js";

import type { Line, Sdk } from "./line.js";
import { ones, random } from "./q-words.js";

export function state(k: Sdk): readonly Line[] {
  let q: k.ModuleHandle;
  let o: k.OptimizerHandle;
  let s: k.State;
  let y: k.TensorHandle;
  let z: k.TensorHandle;
  let classes: readonly number[];
  let followed: Followed;
  const parameters = ["a.weight", "a.bias", "b.weight", "b.bias"];

  return [
    {
      q: "q)q:module seq(`sequential; (`linear;`a;128;64); `relu; (`linear;`b;64;10); `relu)",
      run: () => {
        q = k.module(k.seq("sequential", ["linear", "a", 128, 64], "relu", ["linear", "b", 64, 10], "relu"));
      },
      check: () => {
        moduleIs(k, q, { "a.weight": [64, 128], "a.bias": [64], "b.weight": [10, 64], "b.bias": [10] });
        followed = new Followed(k, [q], true);
      },
    },
    {
      q: "q)o:opt(`adamw; q; .0002)",
      run: () => {
        o = k.opt("adamw", q, 0.0002);
      },
      check: () => optimizerIs(k, o, "adamw", [{ lr: 0.0002, decay: 0.01 }], parameters),
    },
    {
      q: "q)s:state o",
      run: () => {
        s = k.state(o);
      },
      check: () =>
        same(
          [s.optimizer, s.options, s.parms.map((row) => row.buffers)],
          ["adamw", k.opt(o).options, [{}, {}, {}, {}]],
        ),
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
      check: () => followed.output(y),
    },
    {
      q: "q)z:ce(y; 20?10)",
      run: () => {
        classes = random(k, 20, 10);
        z = k.ce(y, classes);
      },
      check: () => followed.loss(z, classes),
    },
    { q: "q)backward z", run: () => k.backward(z), check: () => followed.gradients([q], classes) },
    { q: "q)step o", run: () => k.step(o), check: () => followed.firstStep(o, [q], classes, [0.0002, 0.0002]) },
    {
      q: "q)s:state o",
      run: () => {
        s = k.state(o);
      },
      check: () =>
        same(
          s.parms.map((row) => row.name),
          parameters,
        ),
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
