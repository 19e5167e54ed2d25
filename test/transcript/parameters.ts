// Specifying parameters: tensors, vectors, dictionaries, modules and selections out of them.

import { deepStrictEqual as same } from "node:assert/strict";
import type * as k from "@stepwell/sdk";
import { elementsOf, moduleIs } from "./checks.js";

import type { Line, Sdk } from "./line.js";

export function parameters(k: Sdk): readonly Line[] {
  let t: k.TensorHandle;
  let v: k.VectorHandle;
  let d: k.DictionaryHandle;
  let q: k.ModuleHandle;
  let o: k.OptimizerHandle;
  const names = () => k.opt(o).parms.map((row) => row.name);
  /** The optimizer has exactly the tensors of its container, in this order. */
  const trains = (values: readonly (readonly number[])[], called: readonly string[] = values.map((_, i) => `${i}`)) => {
    same(
      [k.objtype(o), k.size(o), k.opt(o).parms.map((row) => row.size)],
      ["sgd", values.length, values.map((x) => [x.length])],
    );
    const container = k.module(o);
    const held = k.parmnames(container).map((name) => elementsOf(k, () => k.parm(container, name)));
    k.free(container);
    same(held, values);
    if (called.some((name) => !/^\d/.test(name))) same(names(), called);
  };

  return [
    {
      q: "q)t:tensor(1 2 3e; `grad)",
      run: () => {
        t = k.tensor([1, 2, 3], "grad");
      },
      check: () => same([k.tensor(t), k.dtype(t), k.gradflag(t)], [[1, 2, 3], "float", true]),
    },
    {
      q: "q)o:opt(`sgd; t)",
      run: () => {
        o = k.opt("sgd", t);
      },
      check: () => trains([[1, 2, 3]]),
    },
    {
      q: "q)v:vector(1 2 3e; 1 1.2 9e; 77 78e)",
      run: () => {
        v = k.vector([1, 2, 3], [1, 1.2, 9], [77, 78]);
      },
      check: () => same([k.size(v), k.gradflag(v)], [3, [false, false, false]]),
    },
    {
      q: "q)gradflag(v;1b)",
      run: () => {
        k.gradflag(v, true);
      },
      check: () => same(k.gradflag(v), [true, true, true]),
    },
    {
      q: "q)o:opt(`sgd;v)",
      run: () => {
        o = k.opt("sgd", v);
      },
      check: () =>
        trains([
          [1, 2, 3],
          [1, Math.fround(1.2), 9],
          [77, 78],
        ]),
    },
    {
      q: "q)o:opt(`sgd;(v;1))",
      run: () => {
        o = k.opt("sgd", [v, 1]);
      },
      check: () => trains([[1, Math.fround(1.2), 9]]),
    },
    {
      q: "q)o:opt(`sgd; (v;2 0))",
      run: () => {
        o = k.opt("sgd", [v, [2, 0]]);
      },
      check: () =>
        trains([
          [77, 78],
          [1, 2, 3],
        ]),
    },
    {
      q: "q)d:dict `a`b!(1 2 3e;4 5e)",
      run: () => {
        d = k.dict({ a: [1, 2, 3], b: [4, 5] });
      },
      check: () => same([k.size(d), k.gradflag(d)], [2, [false, false]]),
    },
    {
      q: "q)gradflag(d;1b)",
      run: () => {
        k.gradflag(d, true);
      },
      check: () => same(k.gradflag(d), [true, true]),
    },
    {
      q: "q)o:opt(`sgd; d) /dictionary",
      run: () => {
        o = k.opt("sgd", d);
      },
      check: () =>
        trains(
          [
            [1, 2, 3],
            [4, 5],
          ],
          ["a", "b"],
        ),
    },
    {
      q: "q)o:opt(`sgd; (d;`b)) /dictionary with single key",
      run: () => {
        o = k.opt("sgd", [d, "b"]);
      },
      check: () => trains([[4, 5]], ["b"]),
    },
    {
      q: "q)o:opt(`sgd; (d;`b`a)) /with list of keys",
      run: () => {
        o = k.opt("sgd", [d, ["b", "a"]]);
      },
      check: () =>
        trains(
          [
            [4, 5],
            [1, 2, 3],
          ],
          ["b", "a"],
        ),
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
      check: () => moduleIs(k, q, { "a.weight": [64, 128], "a.bias": [64], "b.weight": [10, 64], "b.bias": [10] }),
    },
    { q: "q)names q", seed: ["`a`relu1`b`relu2"], run: () => k.names(q) },
    {
      q: "q)o:opt(`sgd;q) /typical case, specifying all parameters in a module",
      run: () => {
        o = k.opt("sgd", q);
      },
      check: () => same(names(), ["a.weight", "a.bias", "b.weight", "b.bias"]),
    },
    {
      q: "q)o:opt(`sgd;(q;0)) /specifying by index",
      run: () => {
        o = k.opt("sgd", [q, 0]);
      },
      check: () => same(names(), ["a.weight", "a.bias"]),
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
      check: () => same(names(), ["b.weight", "b.bias", "a.weight", "a.bias"]),
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
