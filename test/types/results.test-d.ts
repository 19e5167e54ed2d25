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

// Files take plain data in types of a program, also of interfaces.
interface Configuration {
  readonly lr: number;
  readonly layers: readonly number[];
  readonly name?: string;
}
declare const configuration: Configuration;
const fluent = new k.Model(k.Module.of(["linear", 2, 1]), "mse", k.optimizer("sgd").build(m));
const training = fluent.fit({ samples: [] });
declare const history: k.FitHistory;
const ids = [new Int8Array(1), new Uint8ClampedArray(1), new Uint32Array(1), new BigInt64Array(1)];
const { position } = training;
const objects = { m, fluent, configuration, position, epochs: history.epochs, generator: k.generator(), ids, big: 3n };
k.serialize(objects);
k.save("run", { ...objects, list: [configuration] });
k.saveAsync("run", objects);
k.checkpoints("runs").save(objects, { step: 1 });
declare const run: k.RunObjects;
k.save("run", run);
// @ts-expect-error no typed array of numbers
k.serialize({ view: new DataView(new ArrayBuffer(8)) });
// @ts-expect-error an array that no file holds
k.serialize({ ids: new BigUint64Array([5n]) });
// @ts-expect-error an instance
k.serialize({ when: new Date() });
// @ts-expect-error an instance
k.serialize({ map: new Map([["a", 1]]) });
// @ts-expect-error a function
k.serialize({ deep: [{ call: () => 1 }] });
// @ts-expect-error nothing
k.save("run", { nothing: undefined });
// @ts-expect-error an object of the engine within plain data
k.saveAsync("run", { nets: { m } });
// @ts-expect-error no dictionary
k.save("run", [m]);
// @ts-expect-error no dictionary
k.checkpoints("runs").save(fluent, { step: 1 });

expectTypeOf(k.loadAsync(m, "net")).toEqualTypeOf<Promise<void>>();
expectTypeOf(k.loadAsync(m, "net", { strict: false })).toEqualTypeOf<Promise<k.LoadReport>>();
declare const strict: boolean;
expectTypeOf(k.loadAsync(m, "net", { strict })).toEqualTypeOf<Promise<k.LoadReport | undefined>>();
expectTypeOf(fluent.module.loadAsync("net")).toEqualTypeOf<Promise<k.Module>>();
expectTypeOf(fluent.module.loadAsync("net", { strict: false })).toEqualTypeOf<Promise<k.LoadReport>>();

expectTypeOf(k.runAsync(model)).toEqualTypeOf<Promise<number | k.Metrics>>();
expectTypeOf(k.runAsync(model, { progress: () => {} })).toEqualTypeOf<Promise<number | k.Metrics>>();
expectTypeOf(k.runAsync(model, { metrics: ["loss"] })).toEqualTypeOf<Promise<number>>();
expectTypeOf(k.runAsync(model, { metrics: "matches" })).toEqualTypeOf<Promise<Pick<Required<k.Metrics>, "matches">>>();
