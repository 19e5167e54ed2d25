// The faults that the transcript must detect.

import * as k from "@stepwell/sdk";
import {
  type Any,
  after,
  along,
  before,
  call,
  changed,
  copied,
  type Fault,
  isHandle,
  isOptimizer,
  isState,
  nothing,
  zeroed,
} from "./fault.js";

/** The fault, and the section that detects it. */
export const faults: readonly (readonly [what: string, section: string, fault: Fault])[] = [
  // Functions that do nothing.
  [
    "gradflag sets nothing",
    "Specifying parameters",
    { gradflag: (x, flag) => (flag === undefined ? k.gradflag(x) : undefined) },
  ],
  [
    "gradflag sets the flag of the first alone",
    "Specifying parameters",
    {
      gradflag: (x, flag) =>
        flag === undefined ? k.gradflag(x) : k.gradflag([x, k.class(x) === "vector" ? 0 : "a"] as Any, flag),
    },
  ],
  [
    "gradflag switches off",
    "Specifying parameters",
    { gradflag: (x, flag) => (flag === undefined ? k.gradflag(x) : k.gradflag(x, false)) },
  ],
  ["to does nothing", "Optimizers", { to: nothing }],
  ["to does nothing, also after a restart", "Restoring state", { to: nothing }],
  ["free frees nothing that is named", "Optimizers", { free: (...all) => (all.length === 0 ? k.free() : undefined) }],
  [
    "free without arguments frees nothing",
    "Restoring state",
    { free: (...all) => (all.length === 0 ? undefined : k.free(...(all as Any))) },
  ],
  [
    "free frees all but the last",
    "Managing multiple modules",
    {
      free: (...all) => {
        if (all.length > 0) return k.free(...(all as Any));
        k.free();
        k.tensor(0);
      },
    },
  ],
  ["backward does nothing", "Resetting gradients", { backward: nothing }],
  ["step does nothing", "Step", { step: nothing }],
  ["step does nothing to a classifier", "Parameter state", { step: nothing }],
  ["zerograd does nothing", "Resetting gradients", { zerograd: nothing }],
  ["use frees nothing", "Managing multiple modules", { use: nothing }],
  ["return does not free", "Step", { return: (x) => k.tensor(x) }],
  ["lr sets nothing", "Learning rate", { lr: (o) => k.lr(o) }],
  [
    "opt edits no group",
    "Parameter groups",
    { opt: (first, ...rest) => (isOptimizer(first) && rest.length > 1 ? undefined : call.opt?.(first, ...rest)) },
  ],
  // Numbers.
  ["step climbs", "Resetting gradients", { step: (o) => along(o, -(k.lr(o)[0] ?? 0)) }],
  [
    "step is made twice",
    "Resetting gradients",
    {
      step: (o) => {
        k.step(o);
        k.step(o);
      },
    },
  ],
  [
    "step is made twice for a classifier",
    "Storage and other information",
    {
      step: (o) => {
        k.step(o);
        k.step(o);
      },
    },
  ],
  [
    "step is that of sgd",
    "Storage and other information",
    {
      step: (o) => {
        k.step(o);
        along(o, 0.001);
      },
    },
  ],
  [
    "step ignores the rate",
    "Parameter state",
    {
      step: (o) => {
        const rates = k.lr(o);
        k.lr(o, 0.5);
        k.step(o);
        k.lr(o, rates);
      },
    },
  ],
  [
    "step takes the rate of the first group for all",
    "Managing multiple modules",
    {
      step: (o) => {
        const rates = k.lr(o);
        k.lr(o, rates[0] ?? 0);
        k.step(o);
        k.lr(o, rates);
      },
    },
  ],
  ["ce is summed", "Parameter state", { ce: (x, y) => k.ce(x, y, { reduce: "sum" }) }],
  ["ce is summed before a restart", "Restoring state", { ce: (x, y) => k.ce(x, y, { reduce: "sum" }) }],
  [
    "ce is of the first class alone",
    "Storage and other information",
    {
      ce: (x, y) =>
        k.ce(
          x,
          (y as number[]).map(() => 0),
        ),
    },
  ],
  ["mse is summed", "Resetting gradients", { mse: (x, y) => k.mse(x, y, { reduce: "sum" }) }],
  ["mse is the absolute error", "Step", { mse: (x, y) => k.l1(x, y) }],
  [
    "backward halves gradients",
    "Resetting gradients",
    after("grad", (g) => (Array.isArray(g) ? g.map((x: number) => x / 2) : g)),
  ],
  ["forward is not recorded", "Storage and other information", { forward: (m, x) => k.evaluate(m, x) }],
  [
    "forward is that of another input",
    "Parameter state",
    before("forward", (m, x) => [m, (x as number[][]).map((row) => row.map(() => 2))]),
  ],
  [
    "grad is of the other sign",
    "Resetting gradients",
    after("grad", (g) => (Array.isArray(g) ? g.map((x: number) => -x) : g)),
  ],
  ["zerograd makes gradients undefined", "Resetting gradients", { zerograd: (o) => k.nograd(o) }],
  [
    "tensor rounds",
    "Resetting gradients",
    after("tensor", (x) => (Array.isArray(x) ? x.map((y: number) => Math.round(y * 10) / 10) : x)),
  ],
  // Objects that are made.
  [
    "weights are zero",
    "Options",
    {
      module: (...all) =>
        isHandle(all[0]) || isState(all[0]) ? call.module?.(...all) : changed(call.module?.(...all), () => 0),
    },
  ],
  [
    "weights are all the same",
    "Learning rate",
    { module: (...all) => (isHandle(all[0]) ? call.module?.(...all) : changed(call.module?.(...all), () => 0.05)) },
  ],
  [
    "weights are ten times too large",
    "Parameter groups",
    { module: (...all) => (isHandle(all[0]) ? call.module?.(...all) : changed(call.module?.(...all), (x) => 10 * x)) },
  ],
  [
    "seq drops its last module",
    "Managing multiple modules",
    after("seq", (s: k.ContainerSpecification) => ({ ...s, children: s.children.slice(0, -1) })),
  ],
  ["a vector is reversed", "Specifying parameters", before("vector", (...all) => all.reverse())],
  [
    "a dictionary is sorted backwards",
    "Specifying parameters",
    before("dict", (d) => [Object.fromEntries(Object.entries(d as object).reverse())]),
  ],
  [
    "a selection takes all",
    "Specifying parameters",
    before("opt", (...all) => all.map((x) => (Array.isArray(x) && isHandle(x[0]) ? x[0] : x))),
  ],
  [
    "a selection keeps the order that there was",
    "Specifying parameters",
    before("opt", (...all) =>
      all.map((x) => (Array.isArray(x) && isHandle(x[0]) && Array.isArray(x[1]) ? [x[0], [...x[1]].sort()] : x)),
    ),
  ],
  // State.
  [
    "a module is restored with fresh weights",
    "Restoring state",
    { module: (...all) => (isState(all[0]) ? changed(call.module?.(...all), (x) => -x) : call.module?.(...all)) },
  ],
  [
    "a container is restored with fresh weights",
    "Managing multiple modules",
    { module: (...all) => (isState(all[0]) ? changed(call.module?.(...all), (x) => x / 2) : call.module?.(...all)) },
  ],
  [
    "one weight is lost in a state",
    "Restoring state",
    after("state", (s) =>
      isState(s)
        ? copied(s, (data) => {
            data[0] = 0;
          })
        : s,
    ),
  ],
  [
    "buffers of a state are zero",
    "Parameter state",
    after("state", (s) => (isState(s) ? s : copied(s, (data) => data.fill(0)))),
  ],
  [
    "buffers of a state are zero before a restart",
    "Restoring state",
    after("state", (s) => (isState(s) ? s : copied(s, (data) => data.fill(0)))),
  ],
  [
    "an optimizer is restored with buffers of zeros",
    "Restoring state",
    before("opt", (...all) => (all[0]?.parms ? [zeroed(all[0]), ...all.slice(1)] : all)),
  ],
  [
    "an optimizer is restored without its buffers",
    "Managing multiple modules",
    before("opt", (...all) =>
      all[0]?.parms
        ? [{ ...all[0], parms: all[0].parms.map((row: Any) => ({ ...row, buffers: {} })) }, ...all.slice(1)]
        : all,
    ),
  ],
  [
    "a step count is one too high",
    "Parameter state",
    after("state", (s) =>
      isState(s)
        ? s
        : {
            ...s,
            parms: s.parms.map((row: Any) => ({
              ...row,
              buffers: row.buffers.step ? { ...row.buffers, step: 2 } : row.buffers,
            })),
          },
    ),
  ],
  [
    "squares and averages are exchanged",
    "Parameter state",
    after("state", (s) =>
      isState(s)
        ? s
        : {
            ...s,
            parms: s.parms.map((row: Any) => ({
              ...row,
              buffers: row.buffers.step
                ? { ...row.buffers, exp_avg: row.buffers.exp_avg_sq, exp_avg_sq: row.buffers.exp_avg }
                : row.buffers,
            })),
          },
    ),
  ],
  [
    "a state has no buffers",
    "Parameter state",
    after("state", (s) => (isState(s) ? s : { ...s, parms: s.parms.map((row: Any) => ({ ...row, buffers: {} })) })),
  ],
  // Results.
  [
    "help has another default for amsgrad",
    "Help",
    after("help", (rows) =>
      Array.isArray(rows)
        ? rows.map((row) => ("amsgrad" in row.options ? { ...row, options: { ...row.options, amsgrad: true } } : row))
        : rows,
    ),
  ],
  [
    "help has another default beyond column 79",
    "Help",
    after("help", (rows) =>
      Array.isArray(rows)
        ? rows.map((row) => (row.optimizer === "lamb" ? { ...row, options: { ...row.options, trustmax: 10 } } : row))
        : rows,
    ),
  ],
  [
    "help has another history",
    "Help",
    after("help", (rows) =>
      Array.isArray(rows)
        ? rows.map((row) => (row.optimizer === "lbfgs" ? { ...row, options: { ...row.options, history: 10 } } : row))
        : rows,
    ),
  ],
  ["help has another default for one optimizer", "LAMB", after("help", (row) => ({ ...row, trustclip: false }))],
  [
    "help forgets what an optimizer is for",
    "Help",
    after("help", (rows) => (Array.isArray(rows) ? rows.map((row) => ({ ...row, about: "" })) : rows)),
  ],
  ["names are in another order", "Specifying parameters", after("names", (names) => [...names].reverse())],
  ["childnames are all names", "Managing multiple modules", { childnames: (m) => k.names(m) }],
  [
    "parameters are told in another order",
    "Get optimizer definition",
    after("opt", (d) => (d?.parms ? { ...d, parms: [...d.parms].reverse() } : d)),
  ],
  [
    "options are told without the last",
    "Options",
    after("opt", (d) =>
      d?.parms
        ? { ...d, options: d.options.map((row: object) => Object.fromEntries(Object.entries(row).slice(0, -1))) }
        : d,
    ),
  ],
  [
    "all options are told where some were asked for",
    "Get optimizer definition",
    before("opt", (...all) => (all[1] === false ? [all[0]] : all)),
  ],
  [
    "all parameters have one pointer",
    "Get optimizer definition",
    after("opt", (d) => (d?.parms ? { ...d, parms: d.parms.map((row: object) => ({ ...row, pointer: 1 })) } : d)),
  ],
  [
    "options by position are by default",
    "Options",
    before("opt", (...all) => (all[0] === "adam" ? [all[0], all[1]] : all)),
  ],
  [
    "options by name are ignored",
    "Options",
    before("opt", (...all) => all.filter((x) => typeof x !== "object" || isHandle(x))),
  ],
  [
    "a group too many is made",
    "Parameter groups",
    {
      opt: (first, group, ...rest) =>
        group === 4 ? undefined : call.opt?.(first, ...(group === undefined ? [] : [group]), ...rest),
    },
  ],
  ["bytes are elements", "Storage and other information", { bytes: (x) => k.elements(x) }],
  ["tensorcount counts parameters", "Storage and other information", { tensorcount: (x) => k.size(x) }],
];
