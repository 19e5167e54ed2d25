// Checked by `tsc -b test` and never run: types of options that are generated from the tables of the session.

import * as k from "@stepwell/sdk";
import { expectTypeOf } from "vitest";

const m = k.module(["linear", 2, 1]);
const o = k.opt("sgd", m);
const x = k.tensor([[1, 2]]);

// Every name that the session accepts compiles, PyTorch's names too.
k.step(o, { zero_grad: true, clipnorm: 1, nonfinite: "skip" });
k.mse(x, x, { reduction: "sum" });
k.ce(x, [0], { ignore_index: 1, reduce: "none" });
k.lossscale(o, { init_scale: 2, growth_interval: 3, min: null });
k.load(m, "m.safetensors", { cast: true });
// @ts-expect-error no such option
k.step(o, { zeroGrad: true });
// @ts-expect-error no such word
k.step(o, { nonfinite: "warn" });
// @ts-expect-error mse has no classes
k.mse(x, x, { ignore: 1 });
// @ts-expect-error only the smooth L1 loss has it
k.loss("mse", { beta: 1 });
// @ts-expect-error no such metric
k.train(k.model(m, k.loss("mse"), o), { metrics: "f1" });

expectTypeOf<k.LossName>().toEqualTypeOf<keyof k.LossOptionsOf>();
expectTypeOf<k.LossOptionsOf["smoothl1"]>().toEqualTypeOf<k.SmoothL1Options>();
expectTypeOf<k.LayerOptionsOf["conv2d"]>().toHaveProperty("kernel_size");
expectTypeOf<k.NonFinitePolicy>().toEqualTypeOf<"propagate" | "skip" | "error">();
expectTypeOf<k.MetricName>().toEqualTypeOf<"loss" | "batchloss" | "accuracy" | "matches">();
expectTypeOf<"ERR_ARGUMENT" | "ERR_ADDON_LOAD">().toExtend<k.ErrorCode>();
// @ts-expect-error no such code
expectTypeOf<"ERR_OTHER">().toExtend<k.ErrorCode>();

// Values of type any, such as parsed JSON, match the signature that they matched before.
declare const any: ReturnType<typeof JSON.parse>;
expectTypeOf(k.opt("adam", any)).toEqualTypeOf<k.OptimizerHandle>();
expectTypeOf(k.opt("adam", any, any)).toEqualTypeOf<k.OptimizerHandle>();
expectTypeOf(k.opt(any, m)).toEqualTypeOf<k.OptimizerHandle>();
expectTypeOf(k.opt(o, m, any)).toEqualTypeOf<void>();
expectTypeOf(k.tensor(any)).toEqualTypeOf<k.TensorHandle>();
expectTypeOf(k.tensor(any, "grad")).toEqualTypeOf<k.TensorHandle>();
expectTypeOf(k.module(any)).toEqualTypeOf<k.ModuleHandle>();

// The package itself is the functions as one argument.
expectTypeOf<typeof k>().toExtend<k.Api>();
// The classes are the types of their objects.
expectTypeOf(k.Module.of(["linear", 2, 1]).forward([[1, 2]])).toEqualTypeOf<k.Tensor>();
expectTypeOf<k.TensorClass>().toEqualTypeOf<typeof k.Tensor>();
