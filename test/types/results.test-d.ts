// Checked by `tsc -b test` and never run: results that need no casts.

import * as k from "@stepwell/sdk";
import { expectTypeOf } from "vitest";

const m = k.module(["linear", 2, 1]);
const o = k.opt("sgd", m);
const model = k.model(m, k.loss("mse"), o);
const t = k.tensor([[1, 2]]);

expectTypeOf(k.tensor([1])).toEqualTypeOf<k.TensorHandle>();
expectTypeOf(k.tensor([1], "grad", { dtype: "double" })).toEqualTypeOf<k.TensorHandle>();
expectTypeOf(k.tensor(JSON.parse("[1]"))).toEqualTypeOf<k.TensorHandle>();
expectTypeOf(k.tensor(t)).toEqualTypeOf<k.Numbers>();
expectTypeOf(k.tensor(t, { dimensions: 0 })).toEqualTypeOf<number>();
expectTypeOf(k.tensor(t, { dimensions: 2 })).toEqualTypeOf<number[][]>();
expectTypeOf(k.tensor(t, { dimensions: 4 })).toEqualTypeOf<number[][][][]>();
expectTypeOf(k.take(t, { dimensions: 1 })).toEqualTypeOf<number[]>();
expectTypeOf(new k.Tensor(t).values({ dimensions: 2 })).toEqualTypeOf<number[][]>();
// @ts-expect-error no such option
k.tensor(t, { dimension: 2 });
// @ts-expect-error a tensor is read, and has its type
k.tensor(t, "double");

expectTypeOf(k.data(t).data).toEqualTypeOf<Float32Array | Float64Array | BigInt64Array | Uint8Array>();
expectTypeOf(k.data(t, "float").data).toEqualTypeOf<Float32Array>();
expectTypeOf(k.data(t, "long").data).toEqualTypeOf<BigInt64Array>();
expectTypeOf(k.data(t, k.dtype(t)).data).toEqualTypeOf<Float32Array | Float64Array | BigInt64Array | Uint8Array>();
expectTypeOf(new k.Tensor(t).data("double").data).toEqualTypeOf<Float64Array>();
expectTypeOf(k.dtype(t)).toEqualTypeOf<k.ElementType>();
// @ts-expect-error no such type
k.data(t, "float16");

expectTypeOf(k.run(model)).toEqualTypeOf<number | k.Metrics>();
expectTypeOf(k.run(model, { metrics: "loss" })).toEqualTypeOf<number>();
expectTypeOf(k.run(model, { metrics: ["loss"] })).toEqualTypeOf<number>();
expectTypeOf(k.run(model, { metrics: "accuracy" }).accuracy).toEqualTypeOf<number>();
expectTypeOf(k.testrun(model, { metrics: ["loss", "batchloss"] }).batchloss).toEqualTypeOf<readonly number[]>();
// @ts-expect-error it was not asked for
k.run(model, { metrics: ["loss", "accuracy"] }).matches;
// @ts-expect-error no such metric
k.run(model, { metrics: ["f1"] });
// @ts-expect-error settings of `train`
k.run(model, { batchsize: 1 });
// Names that the type does not state give either.
declare const names: readonly [k.MetricName, ...k.MetricName[]];
declare const one: "loss" | "accuracy";
expectTypeOf(k.run(model, { metrics: names })).toEqualTypeOf<number | k.Metrics>();
expectTypeOf(k.run(model, { metrics: [one, "matches"] })).toEqualTypeOf<number | k.Metrics>();
expectTypeOf(k.run(model, { metrics: one })).toEqualTypeOf<number | Pick<Required<k.Metrics>, "accuracy">>();

expectTypeOf(k.help("linear")).toEqualTypeOf<k.ListOptionRow>();
expectTypeOf(k.help("adam")).toEqualTypeOf<k.OptionRow>();
expectTypeOf(k.to(t, "double")).toEqualTypeOf<k.TensorHandle>();
expectTypeOf(k.to(m, "double")).toEqualTypeOf<void>();
expectTypeOf(k.step(o)).toEqualTypeOf<void>();
expectTypeOf(k.step(o, { zerograd: true })).toEqualTypeOf<void>();
expectTypeOf(k.step(o, () => 1, { nonfinite: "skip" })).toEqualTypeOf<number>();
