// Managing multiple modules.

import { deepStrictEqual as same } from "node:assert/strict";
import type * as k from "@stepwell/sdk";
import { allFreed, Followed, moduleIs, optimizerIs, weights, withNewPointers, withoutPointers } from "./checks.js";

import type { Line, Sdk } from "./line.js";
import { get, matchCells, matchEach, ones, random, set } from "./q-words.js";

export function modules(k: Sdk): readonly Line[] {
  let m: k.ModuleHandle;
  let m0: k.ModuleHandle;
  let m1: k.ModuleHandle;
  let o: k.OptimizerHandle;
  let s: k.State;
  let y: k.TensorHandle;
  let z: k.TensorHandle;
  let classes: readonly number[];
  let followed: Followed;
  let module: k.ModuleState;
  let values: ReturnType<typeof weights>;
  let before: readonly k.AnyHandle[];

  return [
    {
      q: "q)m0:module seq(`sequential`A; (`linear;`fc;128;64); `relu`actfn)",
      run: () => {
        m0 = k.module(k.seq(["sequential", "A"], ["linear", "fc", 128, 64], ["relu", "actfn"]));
      },
      check: () => moduleIs(k, m0, { "fc.weight": [64, 128], "fc.bias": [64] }),
    },
    {
      q: "q)m1:module seq(`sequential`B; (`linear;`fc; 64;10); `relu`actfn)",
      run: () => {
        m1 = k.module(k.seq(["sequential", "B"], ["linear", "fc", 64, 10], ["relu", "actfn"]));
      },
      check: () => {
        moduleIs(k, m1, { "fc.weight": [10, 64], "fc.bias": [10] });
        followed = new Followed(k, [m0, m1], true);
      },
    },
    {
      q: "q)o:opt`adamw",
      run: () => {
        o = k.opt("adamw");
      },
      check: () => optimizerIs(k, o, "adamw", [{ lr: 0.001, decay: 0.01 }], []),
    },
    {
      q: "q)opt(o; 0; m0; .001)",
      run: () => k.opt(o, 0, m0, 0.001),
      check: () => optimizerIs(k, o, "adamw", [{ lr: 0.001, decay: 0.01 }], ["fc.weight", "fc.bias"]),
    },
    { q: "q)opt(o; 1; m1; .0001)", run: () => k.opt(o, 1, m1, 0.0001), check: () => same(k.lr(o), [0.001, 0.0001]) },
    {
      q: "q)opt[o]`parms",
      seed: [
        "parmgroup pointer module name size",
        "--------------------------------------------",
        "0 84442256 linear A.fc.weight 64 128",
        "0 84794560 linear A.fc.bias ,64",
        "1 84805488 linear B.fc.weight 10 64",
        "1 84806336 linear B.fc.bias ,10",
      ],
      run: () => k.opt(o).parms,
    },
    {
      q: "q)y:forward(m0;20 128#1e)",
      run: () => {
        y = k.forward(m0, ones(20, 128));
      },
      check: () => same(k.size(y), [20, 64]),
    },
    {
      q: "q)use[y]forward(m1; y)",
      run: () => k.use(y, k.forward(m1, y)),
      check: () => {
        followed.output(y);
        same(k.handlecount(), 4);
      },
    },
    {
      q: "q)backward z:ce(y; 20?10)",
      run: () => {
        classes = random(k, 20, 10);
        z = k.ce(y, classes);
        k.backward(z);
      },
      check: () => {
        followed.loss(z, classes);
        followed.gradients([m0, m1], classes);
      },
    },
    { q: "q)step o", run: () => k.step(o), check: () => followed.firstStep(o, [m0, m1], classes, [0.001, 0.0001]) },
    {
      q: "q)s:state o",
      run: () => {
        s = k.state(o);
      },
      check: () => same([s.optimizer, s.options], ["adamw", k.opt(o).options]),
    },
    {
      q: "q)s`parms",
      seed: [
        "parmgroup pointer module name size buffers ..",
        "-----------------------------------------------------------------------------..",
        "0 84442256 linear A.fc.weight 64 128 `step`exp_avg`exp_avg_sq`max_exp..",
        "0 84794560 linear A.fc.bias ,64 `step`exp_avg`exp_avg_sq`max_exp..",
        "1 84805488 linear B.fc.weight 10 64 `step`exp_avg`exp_avg_sq`max_exp..",
        "1 84806336 linear B.fc.bias ,10 `step`exp_avg`exp_avg_sq`max_exp..",
      ],
      run: () => s.parms,
    },
    {
      q: "q)m:module o /get container module",
      run: () => {
        m = k.module(o);
      },
      check: () => {
        module = k.state(m);
        values = weights(k, m);
        before = [m, m0, m1, o, y, z];
        same(
          module.flatMap((row) => Object.values(row.parms)).map((x) => x.shape),
          [[64, 128], [64], [10, 64], [10]],
        );
      },
    },
    { q: "q)childnames m /check names of direct children", seed: ["`A`B"], run: () => k.childnames(m) },
    {
      q: "q)names m /check full set of child modules at all depths",
      seed: ["`A`A.fc`A.actfn`B`B.fc`B.actfn"],
      run: () => k.names(m),
    },
    { q: "q)`:/tmp/m set state m /save container module", seed: ["`:/tmp/m"], run: () => set(":/tmp/m", k.state(m)) },
    {
      q: "q)`:/tmp/o set s:state o /save optimizer state",
      seed: ["`:/tmp/o"],
      run: () => {
        s = k.state(o);
        return set(":/tmp/o", s);
      },
    },
    { q: "q)free[] /free all allocated pytorch objects", run: () => k.free(), check: () => allFreed(k, ...before) },
    {
      q: "q)m:module get`:/tmp/m /recreate container module",
      run: () => {
        m = k.module(get<k.ModuleState>(":/tmp/m"));
      },
      check: () => same([k.state(m), weights(k, m)], [module, values]),
    },
    {
      q: "q)o:opt(get`:/tmp/o; m) /recreate optimizer w'most recent state",
      run: () => {
        o = k.opt(get<k.State>(":/tmp/o"), m);
      },
      check: () => same(withoutPointers(k.state(o)), withoutPointers(s)),
    },
    {
      q: "q)s~'state o",
      seed: ["optimizer| 1", "options | 1", "parms | 0"],
      run: () => matchEach(s, withNewPointers(k, o, s)),
    },
    {
      q: "q)s[`parms]~''state[o]`parms",
      seed: [
        "parmgroup pointer module name size buffers",
        "------------------------------------------",
        "1 0 1 1 1 1",
        "1 0 1 1 1 1",
        "1 0 1 1 1 1",
        "1 0 1 1 1 1",
      ],
      run: () => matchCells(s.parms, withNewPointers(k, o, s).parms),
    },
  ];
}
