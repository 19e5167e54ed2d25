// A wrong call is reported where it is wrong, in words about that argument.

import { describe, expect, it } from "vitest";
import { Editor } from "./language-service.js";

const head = `import * as k from "@stepwell/sdk";
import { help, layers, lossscale, loss, Model, Module, module, opt, optimizer, run, schedule, schedules } from "@stepwell/sdk";
import { seq, setting, step, tensor, to, train } from "@stepwell/sdk";
const m = module(["linear", 2, 2]);
const o = opt("sgd", m);
const t = tensor([1]);
const classifier = k.model(m, loss("ce"), o);
`;
const editor = new Editor();
const optimizers = "OptimizerName";

/** A call, the text that is underlined, and parts of the message. */
type Row = readonly [call: string, text: string, ...parts: readonly string[]];

const optimizerCalls: readonly Row[] = [
  ['opt("adm", m)', '"adm"', '"adm"', optimizers],
  ['opt("adm")', '"adm"', '"adm"', optimizers],
  ['opt("adm", m, 0.1)', '"adm"', '"adm"', optimizers],
  ['opt("adm", 0, m, 0.1)', '"adm"', '"adm"', optimizers],
  ['opt("adam", m, { nesterov: true })', "nesterov", "'nesterov' does not exist in type 'NamedOptions<AdamOptions"],
  ['opt("adam", 0, m, { nesterov: true })', "nesterov", "'nesterov' does not exist in type 'NamedOptions<AdamOptions"],
  [
    'opt("adam", m, 0.1, { nesterov: true })',
    "nesterov",
    "'nesterov' does not exist in type 'NamedOptions<AdamOptions",
  ],
  ['opt("adam", { nesterov: true })', "nesterov", "'nesterov' does not exist in type", "AdamOptions"],
  ['opt("adam", m, "lr")', '"lr"', '"lr"', "number | NamedOptions<AdamOptions"],
  ['opt("sgd", m, 0.1, "0.9")', '"0.9"', '"0.9"', "number | NamedOptions<SGDOptions"],
  [
    'opt("sgd", m, { momentum: "x" })',
    '{ momentum: "x" }',
    "property 'momentum'",
    "'string' is not assignable to type 'number'",
  ],
  ['opt("sgd", m, ["lr", "x"])', '"x"', "'string' is not assignable to type 'number'"],
  [
    'opt("sgd", m, [["lr", 0.1], ["momentum", "x"]])',
    '[["lr", 0.1], ["momentum", "x"]]',
    "value: number | undefined",
    '"momentum"',
  ],
  ['opt("adam", m, 0.1, 0.9, 0.9, 1e-8, 0, true, 7)', "7", "NamedOptions<AdamOptions"],
  ['opt("sgd", 1, m)', "1", "'1' is not assignable to parameter of type '0'"],
  ['opt("sgd", "m")', '"m"', "Parameters"],
  ['opt("adam", undefined)', "undefined", "Parameters"],
  ["opt(o, m, { nestrov: true })", "nestrov", "'nestrov' does not exist in type 'NamedOptions<AnyOptions>'"],
  ["opt(o, 1, m, { nestrov: true })", "nestrov", "'nestrov' does not exist in type 'NamedOptions<AnyOptions>'"],
  ['opt(o, 1, "m")', '"m"', "Parameters"],
  ['optimizer("adm")', '"adm"', optimizers],
  ['optimizer("adam").nesterov(true)', "nesterov", "does not exist on type 'OptimizerBuilder<\"adam\">'"],
  ['optimizer("sgd").lr("x")', '"x"', "number"],
  ['help("adm")', '"adm"', optimizers, "LayerKind"],
];

const layerCalls: readonly Row[] = [
  ['module(["liner", 4, 3])', '"liner"', "LayerKind", "Did you mean '\"linear\"'?"],
  [
    'module(["linear", 4])',
    '["linear", 4]',
    "inputs: number, outputs: number, bias?",
    "Source has 2 element(s) but target requires 3",
  ],
  ['module(["linear", "a", 4])', '["linear", "a", 4]', "name: string, inputs: number, outputs: number"],
  ['module(["linear", 4, "3"])', '"3"', "'string' is not assignable to type 'number'"],
  ['module(["linear", 4, 3, { bais: false }])', "bais", "'bais' does not exist in type 'LinearDefaults'"],
  ['module(["linear", 4, 3, { bias: 1 }])', "bias", "'number' is not assignable to type 'boolean"],
  ['module(["linear", 4, {}])', "{}", "LinearDefaults & LinearOutputs"],
  ['module(["conv2d", 1, 2, { pad: 1 }])', "{ pad: 1 }", "'kernel_size' is missing"],
  ['module(["linear", "a", 4, 3, true, 5, 6, "x", { outs: 1 }])', "5", "LinearDefaults"],
  ['module("relu7")', '"relu7"', '"relu" | "tanh" | "sigmoid"'],
  ['module("linear")', '"linear"', '"relu" | "tanh" | "sigmoid"'],
  ['Module.of(["liner", 4, 3])', '"liner"', "Did you mean '\"linear\"'?"],
  ['seq("sequential", "relu7")', '"relu7"', '"relu" | "tanh" | "sigmoid"'],
  ['seq("sequential", "relu", ["dropot", 0.5])', '"dropot"', "Did you mean '\"dropout\"'?"],
  [
    'seq("sequential", seq("sequential", ["linear", 4]))',
    '["linear", 4]',
    "Source has 2 element(s) but target requires 3",
  ],
  ['seq("sequentia", "relu")', '"sequentia"', "Container"],
  ["layers.linear(4)", "linear", "Expected 2-4 arguments, but got 1"],
  ['layers.linear("a", 4, "3")', '"3"', "number"],
  ["layers.linear(4, 3, { bais: true })", "bais", "'bais' does not exist in type 'LinearDefaults'"],
  ["layers.liner(4, 3)", "liner", "Did you mean 'linear'?"],
];

const otherCalls: readonly Row[] = [
  ['tensor([1], "gradd")', '"gradd"', '"grad" | Dtype | Device | TensorOptions'],
  ['tensor([1], "grad", "doubl")', '"doubl"', '"grad" | Dtype | Device | TensorOptions'],
  ['tensor([1], { dtype: "flot" })', "dtype", "Did you mean '\"float\"'?"],
  ["tensor([1], { grda: true })", "grda", "'grda' does not exist in type 'TensorOptions'"],
  ["tensor(t, { dimension: 2 })", "dimension", "'dimension' does not exist in type", "dimensions"],
  ['k.data(t, "flot")', '"flot"', "keyof ArrayOf"],
  ['k.run(classifier, { metrics: "f1" })', "metrics", "MetricName"],
  ["k.run(classifier, { metric: 1 })", "metric", "'metric' does not exist in type"],
  ['k.full([1], 0, "flot")', '"flot"', "Dtype | Device"],
  ['to(m, "cudaa")', '"cudaa"', "Dtype | Device"],
  ['to(t, "doubl")', '"doubl"', "Dtype | Device"],
  ['loss("msee")', '"msee"', '"msee"', "keyof LossOptionsOf"],
  ['loss("mse", { beta: 1 })', "beta", "'beta' does not exist in type 'LossOptions'"],
  ['loss("ce", { ignor: 1 })', "ignor", "Did you mean to write 'ignore'?"],
  ['k.mse(t, [1], { reduce: "men" })', "reduce", "Did you mean '\"mean\"'?"],
  ['k.ce(t, ["a"])', '"a"', "'string' is not assignable to type 'Numbers'"],
  ["step(o, { zeroGrad: true })", "zeroGrad", "Did you mean to write 'zerograd'?"],
  ["step(o, { zerograd: true, clipnrm: 1 })", "clipnrm", "Did you mean to write 'clipnorm'?"],
  ['step(o, () => "x")', '() => "x"', "'string' is not assignable to type 'number | TensorHandle"],
  ["step(o, async () => 1)", "async () => 1", "Promise<number>"],
  ['step(o, () => 1, { nonfinite: "warn" })', "nonfinite", '"propagate" | "skip" | "error"'],
  ['schedule(o, { schedule: "cosinus", steps: 3 })', "schedule", '"cosine"'],
  ["schedule(o, schedules.cosine({ stps: 3 }))", "stps", "'stps' does not exist in type 'CosineScheduleOptions'"],
  ["train(classifier, { batchsiz: 3 })", "batchsiz", "Did you mean to write 'batchsize'?"],
  ['train(classifier, { metrics: ["loss", "f1"] })', '"f1"', "MetricName"],
  ["lossscale(o, { grwth: 2 })", "grwth", "Did you mean to write 'growth'?"],
  ['setting("thread")', '"thread"', '"threads"'],
  ['new Model(Module.of("relu"), "mean", optimizer("adam").build(m))', '"mean"', "LossChoice"],
];

describe.each([
  ["opt and builders", optimizerCalls],
  ["layers", layerCalls],
  ["other functions", otherCalls],
])("%s", (_, rows) => {
  it.each(rows)("%s is wrong at %s", (call, text, ...parts) => {
    editor.open(`${head}${call};\n`);
    const diagnostics = editor.diagnostics();
    expect(diagnostics.map((diagnostic) => diagnostic.text)).toEqual([text]);
    for (const part of parts) expect.soft(diagnostics[0]?.message).toContain(part);
  });
});

it("a program with the right calls has no error", () => {
  editor.open(`${head}
opt("adam", m, 0.0002, { decay: 0.02 });
opt("sgd", m, ["lr", 0.1, "momentum", 0.9]);
opt("sgd", m, [["lr", 0.1], ["momentum", 0.9]]);
opt("sgd", 0, m, 0.1, { nesterov: false, fused: false });
opt(o, 1, [m, "weight"], 0.1, { momentum: 0.9 });
opt(k.state(o), m);
module(seq(["sequential", "net"], ["linear", "a", 4, 3, false], "relu", layers.dropout(0.1), seq("sequential", ["conv2d", 1, 2, { kernel_size: 3 }])));
module(layers.fromJSON(JSON.parse("[]")));
const chosen: k.ModuleSpecification = Math.random() < 0.5 ? ["embedding", { num_embeddings: 3, columns: 4 }] : "gelu";
module(chosen);
Module.of(k.state(m));
const rates: readonly number[] = k.lr(o);
const moved: k.TensorHandle = to(t, "double");
const nothing: void = to(m, "double");
`);
  expect(editor.diagnostics()).toEqual([]);
});
