// An editor completes names where a program writes them: also in the middle of a dictionary, and after options by position.

import * as k from "@stepwell/sdk";
import { describe, expect, it } from "vitest";
import { Editor } from "./language-service.js";

const head = `import * as k from "@stepwell/sdk";
import { layers, lossscale, loss, Model, Module, module, opt, optimizer, schedule, schedules, seq, step, tensor, to, train } from "@stepwell/sdk";
const m = module(["linear", 2, 2]);
const o = opt("sgd", m);
const t = tensor([1]);
const classifier = k.model(m, loss("ce"), o);
`;
const editor = new Editor();

const optimizers = k.help("optimizer").map(({ optimizer }) => optimizer);
const kinds = Object.keys(k.layers).filter((kind) => kind !== "fromJSON");
const optionsOf = (name: "adam" | "lamb" | "lbfgs" | "conv2d" | "linear" | "batchnorm") =>
  Object.keys(k.help(name, true));
const dtypes = ["float", "double", "half", "bfloat16", "long", "float32", "float64", "float16", "int64"];
const metrics = ["loss", "batchloss", "accuracy", "matches"];
const losses = ["ce", "nll", "mse", "l1", "smoothl1", "bce", "bcewithlogits"];
const scheduleNames = k.help("schedule").map(({ schedule }) => schedule);

/** A program with a bar where names are completed, the names that are there, and names that are not. */
type Row = readonly [program: string, names: readonly string[], absent?: readonly string[]];

const rows: readonly Row[] = [
  ['opt("|")', optimizers],
  ['opt("|", m)', optimizers],
  ['optimizer("|")', optimizers],
  ['opt("adam", m, { | })', [...optionsOf("adam"), "fused", "offload"], ["nesterov"]],
  ['opt("adam", m, { am| })', optionsOf("adam"), ["nesterov"]],
  ['opt("adam", m, { lr: 1, am| })', ["amsgrad", "eps"], ["nesterov", "lr"]],
  ['opt("adam", m, 0.1, { | })', optionsOf("adam"), ["nesterov"]],
  ['opt("adam", m, 0.1, 0.9, { am| })', optionsOf("adam"), ["nesterov"]],
  ['opt("lamb", 0, m, { tr| })', optionsOf("lamb"), ["nesterov"]],
  ['opt("lamb", { tr| })', optionsOf("lamb"), ["nesterov"]],
  ['opt("adam", m, ["|"])', optionsOf("adam"), ["nesterov"]],
  ['opt("adam", m, [["|"]])', optionsOf("adam"), ["nesterov"]],
  ['opt("lbfgs", m, { search: "|" })', ["strong_wolfe"]],
  ['opt("adam", m, 0.1, { moments: "|" })', ["full", "bfloat16"]],
  ["opt(o, m, { tr| })", ["trustclip", "momentum", "lr"]],
  ["opt(o, 1, m, 0.1, { | })", ["trustclip", "momentum", "lr"]],
  ['optimizer("lamb").|', [...optionsOf("lamb"), "group", "build"], ["nesterov"]],
  ['optimizer("adam").moments("|")', ["full", "bfloat16"]],
  ['module("|")', ["relu", "dropout"], ["linear"]],
  ['module(["|"])', kinds],
  ['module(["linear", { | }])', [...optionsOf("linear"), "in_features"], ["kernel_size"]],
  ['module(["linear", 4, 3, { | }])', ["bias"], ["inputs", "eps"]],
  ['module(["linear", "a", 4, 3, { b| }])', ["bias"], ["inputs", "eps"]],
  ['module(["conv2d", 1, 2, 3, { pa| }])', ["pad", "padding", "groups"], ["size", "eps"]],
  ['module(["batchnorm", { | }])', optionsOf("batchnorm"), ["pad"]],
  ['Module.of(["|"])', kinds],
  ['Module.of(["linear", 4, 3, { | }])', ["bias"], ["eps"]],
  ['seq("|")', ["sequential"]],
  ['seq("sequential", "|")', ["relu", "dropout"], ["linear"]],
  ['seq("sequential", "relu", ["|"])', kinds],
  ['seq("sequential", "relu", ["linear", 4, 3, { b| }])', ["bias"], ["eps"]],
  ["layers.|", [...kinds, "fromJSON"]],
  ["layers.conv2d(1, 2, 3, { pa| })", ["pad", "padding", "groups"], ["size", "eps"]],
  ['layers.linear("a", 4, 3, { | })', ["bias"], ["eps"]],
  ['tensor([1], "|")', ["grad", ...dtypes, "cpu", "cuda"]],
  ['tensor([1], "grad", "|")', ["grad", ...dtypes, "cpu", "cuda"]],
  ["tensor([1], { gr| })", ["grad", "dtype"], ["dimensions"]],
  ['k.data(t, "|")', ["float", "double", "half", "bfloat16", "long"]],
  ['k.run(classifier, { metrics: "|" })', metrics],
  ['k.run(classifier, { metrics: ["loss", "|"] })', metrics],
  ["tensor([1], { | })", ["grad", "dtype", "device", "shape"]],
  ['tensor([1], { dtype: "|" })', dtypes],
  ['tensor([1], { device: "|" })', ["cpu", "cuda"]],
  ['to(m, "|")', [...dtypes, "cpu", "cuda"]],
  ['to(t, "|")', [...dtypes, "cpu", "cuda"]],
  ['k.full([1], 0, "|")', ["grad", ...dtypes, "cpu", "cuda"]],
  ['k.help("|")', ["optimizer", "module", ...optimizers, ...kinds]],
  ['k.setting("|")', ["alloptions", "threads"]],
  ['loss("|")', losses],
  ['loss("ce", { | })', ["ignore", "reduce"], ["beta"]],
  ['loss("smoothl1", { | })', ["beta", "reduce"], ["ignore"]],
  ['k.ce(t, [1], { reduce: "|" })', ["none", "mean", "sum"]],
  ['new Model(Module.of("relu"), "|")', losses],
  ['schedule(o, { schedule: "|" })', scheduleNames],
  ["schedules.|", scheduleNames],
  ["schedules.cosine({ | })", ["steps", "min", "T_max"]],
  ["step(o, { | })", ["zerograd", "clipnorm", "nonfinite"]],
  ["step(o, { zerograd: true, cl| })", ["clipnorm", "nonfinite"]],
  ['step(o, { nonfinite: "|" })', ["propagate", "skip", "error"]],
  ["step(o, () => 1, { | })", ["zerograd", "clipnorm", "nonfinite"]],
  ["lossscale(o, { | })", ["init", "growth"]],
  ["train(classifier, { | })", ["batchsize", "shuffle", "metrics"]],
  ['train(classifier, { metrics: "|" })', metrics],
  ['train(classifier, { metrics: ["loss", "|"] })', metrics],
];

describe("names are completed in", () => {
  it.each(rows.map(([program, names, absent = []]) => ({ program, names, absent })))(
    "$program",
    ({ program, names, absent }) => {
      const at = program.indexOf("|");
      editor.open(`${head}${program.replace("|", "")};\n`);
      const found = editor.completions(`${head}${program.slice(0, at)}`);
      for (const name of names) expect.soft(found).toContain(name);
      for (const name of absent) expect.soft(found).not.toContain(name);
    },
  );
});
