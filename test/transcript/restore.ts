// Restoring state from files.

import { deepStrictEqual as same } from "node:assert/strict";
import type * as k from "@stepwell/sdk";
import {
  allFreed,
  Followed,
  moduleIs,
  moved,
  optimizerIs,
  weights,
  withNewPointers,
  withoutPointers,
} from "./checks.js";

import { cuda, toGpu } from "./gpu.js";
import type { Line, Sdk } from "./line.js";
import { get, matchCells, matchEach, ones, random, set } from "./q-words.js";

export function restore(k: Sdk): readonly Line[] {
  let q: k.ModuleHandle;
  let o: k.OptimizerHandle;
  let s: k.State;
  let y: k.TensorHandle;
  let z: k.TensorHandle;
  let classes: readonly number[];
  let followed: Followed;
  let module: k.ModuleState;
  let values: ReturnType<typeof weights>;
  let before: readonly k.AnyHandle[];
  const sizes = { "a.weight": [64, 128], "a.bias": [64], "b.weight": [10, 64], "b.bias": [10] };

  return [
    {
      q: "q)q:module seq(`sequential; (`linear;`a;128;64); `relu; (`linear;`b;64;10); `relu)",
      run: () => {
        q = k.module(k.seq("sequential", ["linear", "a", 128, 64], "relu", ["linear", "b", 64, 10], "relu"));
      },
      check: () => moduleIs(k, q, sizes),
    },
    {
      q: "q)to(q;`cuda) / move to gpu",
      run: () => {
        toGpu(k, q);
      },
      check: () => {
        moved(k, q, cuda);
        followed = new Followed(k, [q], true);
      },
    },
    {
      q: "q)o:opt(`adamw; q; .0002) / then define optimizer from module q",
      run: () => {
        o = k.opt("adamw", q, 0.0002);
      },
      check: () => optimizerIs(k, o, "adamw", [{ lr: 0.0002, decay: 0.01 }], Object.keys(sizes)),
    },
    {
      q: "q)y:forward(q; 20 128#1e) /forward calc on dummy input",
      run: () => {
        y = k.forward(q, ones(20, 128));
      },
      check: () => followed.output(y),
    },
    {
      q: "q)z:ce(y; 20?10) /calculate cross-entropy loss with random targets",
      run: () => {
        classes = random(k, 20, 10);
        z = k.ce(y, classes);
      },
      check: () => followed.loss(z, classes),
    },
    { q: "q)backward z /calculate gradients", run: () => k.backward(z), check: () => followed.gradients([q], classes) },
    {
      q: "q)step o /run an optimization step to initialize buffers",
      run: () => k.step(o),
      check: () => {
        followed.firstStep(o, [q], classes, [0.0002, 0.0002]);
        module = k.state(q);
        values = weights(k, q);
        before = [q, o, y, z];
      },
    },
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
    { q: "q)free[] /free all pytorch objects", run: () => k.free(), check: () => allFreed(k, ...before) },
    {
      q: "q)q:module get`:/tmp/q /re-create module",
      run: () => {
        q = k.module(get<k.ModuleState>(":/tmp/q"));
      },
      check: () => {
        same([k.state(q), weights(k, q)], [module, values]);
        same(k.class(q), "module");
      },
    },
    {
      q: "q)to(q;`cuda) /move to gpu",
      run: () => {
        toGpu(k, q);
      },
      check: () => moved(k, q, cuda),
    },
    {
      q: "q)o:opt(get`:/tmp/o;q) /re-create optimizer",
      run: () => {
        o = k.opt(get<k.State>(":/tmp/o"), q);
      },
      check: () => same(withoutPointers(k.state(o)), withoutPointers(s)),
    },
    {
      q: "q)s~'state o /compare current state",
      seed: ["optimizer| 1", "options | 1", "parms | 0"],
      run: () => matchEach(s, withNewPointers(k, o, s)),
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
      run: () => matchCells(s.parms, withNewPointers(k, o, s).parms),
    },
  ];
}
