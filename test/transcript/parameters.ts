// Specifying parameters: tensors, vectors, dictionaries, modules and selections out of them.

import * as k from "@stepwell/sdk";
import type { Line } from "./line.js";

export function parameters(): readonly Line[] {
  let t: k.TensorHandle;
  let v: k.VectorHandle;
  let d: k.DictionaryHandle;
  let q: k.ModuleHandle;
  let o: k.OptimizerHandle;

  return [
    {
      q: "q)t:tensor(1 2 3e; `grad)",
      run: () => {
        t = k.tensor([1, 2, 3], "grad");
      },
    },
    {
      q: "q)o:opt(`sgd; t)",
      run: () => {
        o = k.opt("sgd", t);
      },
    },
    {
      q: "q)v:vector(1 2 3e; 1 1.2 9e; 77 78e)",
      run: () => {
        v = k.vector([1, 2, 3], [1, 1.2, 9], [77, 78]);
      },
    },
    {
      q: "q)gradflag(v;1b)",
      run: () => {
        k.gradflag(v, true);
      },
    },
    {
      q: "q)o:opt(`sgd;v)",
      run: () => {
        o = k.opt("sgd", v);
      },
    },
    {
      q: "q)o:opt(`sgd;(v;1))",
      run: () => {
        o = k.opt("sgd", [v, 1]);
      },
    },
    {
      q: "q)o:opt(`sgd; (v;2 0))",
      run: () => {
        o = k.opt("sgd", [v, [2, 0]]);
      },
    },
    {
      q: "q)d:dict `a`b!(1 2 3e;4 5e)",
      run: () => {
        d = k.dict({ a: [1, 2, 3], b: [4, 5] });
      },
    },
    {
      q: "q)gradflag(d;1b)",
      run: () => {
        k.gradflag(d, true);
      },
    },
    {
      q: "q)o:opt(`sgd; d) /dictionary",
      run: () => {
        o = k.opt("sgd", d);
      },
    },
    {
      q: "q)o:opt(`sgd; (d;`b)) /dictionary with single key",
      run: () => {
        o = k.opt("sgd", [d, "b"]);
      },
    },
    {
      q: "q)o:opt(`sgd; (d;`b`a)) /with list of keys",
      run: () => {
        o = k.opt("sgd", [d, ["b", "a"]]);
      },
    },
    {
      q: "q)opt[o]`parms",
      seed: [
        "parmgroup pointer module name size",
        "-------------------------------------",
        "0 83526432 parmdict b 2",
        "0 83398432 parmdict a 3",
      ],
      run: () => k.opt(o).parms,
    },
    {
      q: "q)q:module seq(`sequential; (`linear;`a;128;64); `relu`relu1; (`linear;`b;64;10); `relu`relu2)",
      run: () => {
        q = k.module(
          k.seq("sequential", ["linear", "a", 128, 64], ["relu", "relu1"], ["linear", "b", 64, 10], ["relu", "relu2"]),
        );
      },
    },
    { q: "q)names q", seed: ["`a`relu1`b`relu2"], run: () => k.names(q) },
    {
      q: "q)o:opt(`sgd;q) /typical case, specifying all parameters in a module",
      run: () => {
        o = k.opt("sgd", q);
      },
    },
    {
      q: "q)o:opt(`sgd;(q;0)) /specifying by index",
      run: () => {
        o = k.opt("sgd", [q, 0]);
      },
    },
    {
      q: "q)opt[o]`parms",
      seed: [
        "parmgroup pointer module name size",
        "-----------------------------------------",
        "0 83362896 linear a.weight 64 128",
        "0 83423968 linear a.bias ,64",
      ],
      run: () => k.opt(o).parms,
    },
    {
      q: "q)o:opt(`sgd; (q;`b`a)) /specifying by submodule name(s)",
      run: () => {
        o = k.opt("sgd", [q, ["b", "a"]]);
      },
    },
    {
      q: "q)opt[o]`parms",
      seed: [
        "parmgroup pointer module name size",
        "-----------------------------------------",
        "0 83376160 linear b.weight 10 64",
        "0 83460704 linear b.bias ,10",
        "0 83362896 linear a.weight 64 128",
        "0 83423968 linear a.bias ,64",
      ],
      run: () => k.opt(o).parms,
    },
  ];
}
