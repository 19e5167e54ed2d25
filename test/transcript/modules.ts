// Managing multiple modules.

import * as k from "@stepwell/sdk";
import type { Line } from "./line.js";
import { get, matchCells, matchEach, ones, random, set } from "./q-words.js";

export function modules(): readonly Line[] {
  let m: k.ModuleHandle;
  let m0: k.ModuleHandle;
  let m1: k.ModuleHandle;
  let o: k.OptimizerHandle;
  let s: k.State;
  let y: k.TensorHandle;
  let z: k.TensorHandle;

  return [
    {
      q: "q)m0:module seq(`sequential`A; (`linear;`fc;128;64); `relu`actfn)",
      run: () => {
        m0 = k.module(k.seq(["sequential", "A"], ["linear", "fc", 128, 64], ["relu", "actfn"]));
      },
    },
    {
      q: "q)m1:module seq(`sequential`B; (`linear;`fc; 64;10); `relu`actfn)",
      run: () => {
        m1 = k.module(k.seq(["sequential", "B"], ["linear", "fc", 64, 10], ["relu", "actfn"]));
      },
    },
    {
      q: "q)o:opt`adamw",
      run: () => {
        o = k.opt("adamw");
      },
    },
    { q: "q)opt(o; 0; m0; .001)", run: () => k.opt(o, 0, m0, 0.001) },
    { q: "q)opt(o; 1; m1; .0001)", run: () => k.opt(o, 1, m1, 0.0001) },
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
    },
    { q: "q)use[y]forward(m1; y)", run: () => k.use(y, k.forward(m1, y)) },
    {
      q: "q)backward z:ce(y; 20?10)",
      run: () => {
        z = k.ce(y, random(20, 10));
        k.backward(z);
      },
    },
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
    { q: "q)free[] /free all allocated pytorch objects", run: () => k.free() },
    {
      q: "q)m:module get`:/tmp/m /recreate container module",
      run: () => {
        m = k.module(get<k.ModuleState>(":/tmp/m"));
      },
    },
    {
      q: "q)o:opt(get`:/tmp/o; m) /recreate optimizer w'most recent state",
      run: () => {
        o = k.opt(get<k.State>(":/tmp/o"), m);
      },
    },
    { q: "q)s~'state o", seed: ["optimizer| 1", "options | 1", "parms | 0"], run: () => matchEach(s, k.state(o)) },
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
      run: () => matchCells(s.parms, k.state(o).parms),
    },
  ];
}
