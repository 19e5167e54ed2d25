// Models: a module, a loss and an optimizer that are trained and tested on data.

import { callAsync } from "../../client/asynchronous-calls.js";
import type { TestOptions, TrainOptions } from "../../generated/settings.js";
import { Handle, type ModelHandle } from "../../handle.js";
import type { Target } from "../../types/arguments.js";
import type { AsyncOptions } from "../../types/asynchronous.js";
import type { MetricNames, MetricsOf } from "../../types/metrics.js";
import type { AnyLoss, AnyModel, AnyModule, AnyOptimizer, AnyTensor } from "../../types/objects.js";
import type { LossFunction } from "../../types/own-modules.js";
import type { BatchReport, Metrics, SampleOptions } from "../../types/results.js";
import type { TensorData } from "../../types/tensor-data.js";
import { callOptions } from "../../values/call-options.js";
import { isFunction } from "../../values/plain-data.js";
import { refuse, refuseSurplus } from "../../values/refuse.js";
import { client } from "../client.js";
import { outputsOf } from "./outputs.js";
import { passOf, withMetrics } from "./pass-metrics.js";

/**
 * Makes a model: a module, a loss and an optimizer under one handle, which {@link run} trains. The three are shared: their own
 * handles stay valid, and freeing those leaves the model whole. The loss must reduce to one number.
 *
 * The optimizer may train a part of the module. `step`, `lr`, `zerograd`, `nograd` and `clip` of a model use its optimizer;
 * `forward` and `evaluate` use its module.
 *
 * @example
 * ```ts
 * const m = module(["linear", 4, 3]);
 * const classifier = model(m, loss("ce"), opt("adam", m));
 * train(classifier, { batchsize: 64, shuffle: true, clipnorm: 1, metrics: ["loss", "accuracy"] });
 * train(classifier, inputs, classes);
 * for (let epoch = 0; epoch < 10; epoch++) console.log(run(classifier));
 * ```
 */
export function model(module: AnyModule, loss: AnyLoss, optimizer: AnyOptimizer): ModelHandle;
/**
 * Makes a model whose loss is a function of the output and the target, which returns a tensor of one element. It runs as the function of
 * a {@link callback} does. With `accumulate` it counts as a mean over samples.
 *
 * Plain numbers as targets take the type of the parameters, and a `BigInt64Array` becomes `long`.
 *
 * @example
 * ```ts
 * const huge = model(m, (y, target) => mean(pow(sub(y, target), 4)), opt("adam", m));
 * ```
 */
export function model(module: AnyModule, loss: LossFunction, optimizer: AnyOptimizer): ModelHandle;
export function model(...args: readonly unknown[]): unknown {
  const [module, loss, ...others] = args;
  // The engine takes the number of a function, which only this call gives.
  if (typeof loss === "number") refuse("model", "a loss handle or a function as argument 2", loss);
  if (!isFunction(loss)) return client.call("model", args);
  const run = (inputs: readonly unknown[]) => outputsOf("model", Reflect.apply(loss, undefined, inputs));
  const hosted = { where: "loss of model", run };
  const made = client.call("model", [module, client.host(hosted), ...others]) as ModelHandle;
  Handle.hold(made, [hosted]);
  return made;
}

/** The options with which a model is trained. */
export function train(model: AnyModel): SampleOptions<TrainOptions>;
/** Sets options with which a model is trained; options that are left out stay. */
export function train(model: AnyModel, options: TrainOptions): void;
/**
 * Sets the data on which a model is trained: as many targets as inputs along dimension 0. Tensors are shared, not copied, and get
 * no gradient.
 *
 * Plain numbers take the type that the module needs. A plain list of targets for `ce` and `nll` is classes; classes of more
 * dimensions come as a `long` tensor or a `BigInt64Array`.
 *
 * @returns the number of batches
 */
export function train(model: AnyModel, inputs: AnyTensor | TensorData, targets: Target): number;
export function train(...args: readonly unknown[]): unknown {
  return client.call("train", args);
}

/** The options with which a model is tested. */
export function test(model: AnyModel): SampleOptions<TestOptions>;
/** Sets options with which a model is tested; options that are left out stay. */
export function test(model: AnyModel, options: TestOptions): void;
/** Sets the data on which a model is tested, as {@link train} does. */
export function test(model: AnyModel, inputs: AnyTensor | TensorData, targets: Target): number;
export function test(...args: readonly unknown[]): unknown {
  return client.call("test", args);
}

/**
 * Trains a model on all batches, once each. For a batch it runs the forward calculation and the loss, replaces the gradients, clips
 * them as set, and makes a step. `lbfgs` gets its closure. If a batch fails, the batches before it have been trained on.
 *
 * @returns the loss, or a dictionary if other metrics are set
 */
export function run(model: AnyModel): number | Metrics;
/** Trains a model on all batches, and returns the given metrics instead of those that {@link train} has set. */
export function run<const Names extends MetricNames>(
  model: AnyModel,
  options: { readonly metrics: Names },
): MetricsOf<Names>;
export function run(...args: readonly unknown[]): unknown {
  return passOf("run", "train", args);
}

/**
 * Trains a model as {@link run} does, on a thread of the engine, with the same result. In WebAssembly it runs in turns of the event loop, a
 * batch or 8 ms at a time. Until it is over, the model, its module, optimizer and
 * samples, and all that shares parameters with them, are `ERR_BUSY` for other calls. Everything else goes on: a `clone` of the module
 * predicts, and `copyparms` gives it the new weights afterwards. Natively not for functions of the program in the model: `ERR_UNSUPPORTED`.
 *
 * `progress` takes the figures of each batch. A signal ends it after the present batch: the promise rejects with the reason of the signal, and the model is as after that batch. The
 * thread makes the asynchronous calls of a program one after the other.
 *
 * @returns the loss, or a dictionary if other metrics are set
 * @example
 * ```ts
 * const served = clone(m);
 * const progress = ({ batch, batches, loss }: BatchReport) => console.log(`${batch} of ${batches}: ${loss}`);
 * const loss = await runAsync(classifier, { signal: AbortSignal.timeout(60_000), progress });
 * copyparms(m, served);
 * ```
 */
export function runAsync(
  model: AnyModel,
  options?: AsyncOptions & { readonly metrics?: undefined },
): Promise<number | Metrics>;
/** As before, with the given metrics instead of those that {@link train} has set. */
export function runAsync<const Names extends MetricNames>(
  model: AnyModel,
  options: AsyncOptions & { readonly metrics: Names },
): Promise<MetricsOf<Names>>;
export async function runAsync(...args: readonly unknown[]): Promise<unknown> {
  const [model, options, ...surplus] = args;
  refuseSurplus("runAsync", surplus);
  const { metrics, ...others } = callOptions("runAsync", options);
  const call = () => callAsync(client, "run", [model], { ...others, name: "runAsync" });
  return metrics === undefined ? call() : withMetrics("runAsync", "train", model, metrics, call);
}

/**
 * Trains a model on the next batch, as {@link run} does; for a program that shows progress or can be stopped. With the option
 * `accumulate` it is a step on several batches.
 *
 * @returns the loss before the step; undefined after the last batch, and the next call begins the next pass
 * @example
 * ```ts
 * for (let loss = batch(m); loss !== undefined; loss = batch(m)) {
 *   signal.throwIfAborted();
 *   await setImmediate();
 * }
 * ```
 */
export function batch(model: AnyModel, all?: false): number | undefined;
/** Trains a model on the next batch, and returns all figures of the step; undefined after the last batch. */
export function batch(model: AnyModel, all: true): BatchReport | undefined;
export function batch(...args: readonly unknown[]): unknown {
  return client.call("batch", args);
}

/**
 * The metrics of the pass over training batches that has begun; after its end, of the whole pass. They are what {@link run} returns
 * for these batches; undefined before the first one.
 */
export function metrics(model: AnyModel): number | Metrics | undefined;
export function metrics(...args: readonly unknown[]): unknown {
  return client.call("metrics", args);
}

/**
 * Tests a model on all of its batches for testing, as `evaluate` runs it. It changes nothing.
 *
 * @returns the loss, or a dictionary if other metrics are set
 */
export function testrun(model: AnyModel): number | Metrics;
/** Tests a model, and returns the given metrics instead of those that {@link test} has set. */
export function testrun<const Names extends MetricNames>(
  model: AnyModel,
  options: { readonly metrics: Names },
): MetricsOf<Names>;
export function testrun(...args: readonly unknown[]): unknown {
  return passOf("testrun", "test", args);
}

/**
 * Tests a model on the next batch for testing, as {@link testrun} does.
 *
 * @returns the loss; undefined after the last batch, and the next call begins the next pass
 */
export function testbatch(model: AnyModel, all?: false): number | undefined;
/** Tests a model on the next batch, and returns all figures of it; undefined after the last batch. */
export function testbatch(model: AnyModel, all: true): BatchReport | undefined;
export function testbatch(...args: readonly unknown[]): unknown {
  return client.call("testbatch", args);
}

/** The metrics of the pass over testing batches that has begun, as {@link metrics} has them of training. */
export function testmetrics(model: AnyModel): number | Metrics | undefined;
export function testmetrics(...args: readonly unknown[]): unknown {
  return client.call("testmetrics", args);
}
