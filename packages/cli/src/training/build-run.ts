// Makes the objects of a run from its configuration.

import { relative, resolve } from "node:path";
import type * as sdk from "@stepwell/sdk";
import { CommandError, formatError } from "../command-error.js";
import { elementCount } from "../data/arrays.js";
import { type DataFiles, type ReadSamples, readSamples } from "../data/read-samples.js";
import { type Samples, type Scaling, type Selection, scaled, scalingOf, subset } from "../data/samples.js";
import { makeModule, modelError } from "../model/model-file.js";
import type { HashedFiles, RunConfiguration } from "./configuration.js";

/** A run in memory. */
export interface Run {
  readonly configuration: RunConfiguration;
  readonly module: sdk.AnyModule;
  readonly optimizer: sdk.OptimizerHandle;
  readonly model: sdk.ModelHandle;
  /** Samples that are trained on, and others. */
  readonly counts: { readonly training: number; readonly validation: number };
  /** Steps of an epoch. */
  readonly stepsPerEpoch: number;
  readonly scaling: Scaling | null;
  readonly classes: readonly string[] | null;
}

/** Losses whose targets are classes. */
const classLosses = ["ce", "nll", "multimargin"];

/** Reads the data and makes the run. Paths of the configuration start at `folder`. */
export async function buildRun(configuration: RunConfiguration, folder: string): Promise<Run> {
  const k = await import("@stepwell/sdk");
  // The generator gives the division of the samples and the first weights.
  k.seed(configuration.seed);
  const { samples, validation } = divide(k, configuration, folder);
  const scaling = configuration.scale ? scalingOf(samples) : null;
  const training = scaling ? scaled(samples, scaling) : samples;
  const shapes = { inputs: training.inputShape, outputs: outputsOf(training), classes: training.classes };
  const source = configuration.model;
  const located = source.kind === "module" ? { ...source, path: resolve(folder, source.path) } : source;
  const module = await makeModule(located, shapes);
  k.to(module, configuration.device as sdk.Device);
  try {
    checkOutputs(k, module, training, configuration);
  } catch (error) {
    throw modelError(source, error);
  }
  const { loss, optimizer: chosen, schedule } = configuration;
  const optimizer = (k.opt as (...parts: readonly unknown[]) => sdk.OptimizerHandle)(
    chosen.name,
    module,
    chosen.options,
  );
  if (schedule) k.schedule(optimizer, schedule as sdk.ScheduleSpecification);
  const lossHandle = (k.loss as (...parts: readonly unknown[]) => sdk.LossHandle)(loss.name, loss.options);
  const model = k.model(module, lossHandle, optimizer);
  const metrics = classLosses.includes(loss.name) ? (["loss", "accuracy"] as const) : (["loss"] as const);
  k.train(model, { ...configuration.training, nonfiniteloss: "skip", metrics });
  const batches = k.train(model, ...tensors(k, training, configuration.device));
  if (validation) {
    k.test(model, { batchsize: configuration.training.batchsize, metrics });
    k.test(model, ...tensors(k, scaling ? scaled(validation, scaling) : validation, configuration.device));
  }
  return {
    configuration,
    module,
    optimizer,
    model,
    counts: { training: training.count, validation: validation?.count ?? 0 },
    stepsPerEpoch: Math.ceil(batches / configuration.training.accumulate),
    scaling,
    classes: training.classes,
  };
}

/** The samples for training and for validation. */
function divide(k: typeof sdk, configuration: RunConfiguration, folder: string) {
  const selection = selectionOf(configuration);
  const all = readChecked(configuration.data, folder, selection);
  const { validation } = configuration;
  if (validation === null) return { samples: all, validation: undefined };
  if (typeof validation === "object") {
    const other = readChecked(validation, folder, { ...selection, classes: all.classes });
    if (String(other.inputShape) !== String(all.inputShape)) {
      const given = `[${other.inputShape.join(", ")}]`;
      throw new CommandError(
        "ERR_SHAPE",
        `${validation.path}: expected inputs [${all.inputShape.join(", ")}], given ${given}`,
      );
    }
    return { samples: all, validation: other };
  }
  const count = Math.round(all.count * validation);
  if (count === 0 || count === all.count) {
    throw new CommandError(
      "ERR_ARGUMENT",
      `--validation: a share of ${validation} of ${all.count} samples leaves none on one side`,
    );
  }
  const order = k.randperm(all.count);
  return { samples: subset(all, order.subarray(count)), validation: subset(all, order.subarray(0, count)) };
}

/** How targets are read, which depends on the loss. */
export function selectionOf({
  features,
  target,
  loss,
}: Pick<RunConfiguration, "features" | "target"> & { readonly loss: { readonly name: string } | null }): Selection {
  return { features, target, areClasses: loss ? classLosses.includes(loss.name) : null, classes: null };
}

/** Reads samples, and compares their files with the hash of the run. */
function readChecked(files: HashedFiles, folder: string, selection: Selection): Samples {
  const { samples, sha256 }: ReadSamples = readSamples(located(files, folder), selection);
  if (sha256 === files.sha256) return samples;
  throw formatError(files.path, "the data has changed since the run began; train anew to use it");
}

/** The files with paths that this process can open. */
const located = (files: DataFiles, folder: string): DataFiles => ({
  ...files,
  path: from(folder, files.path),
  targets: files.targets === null ? null : from(folder, files.targets),
});

/** A path of the configuration, as short as it can be from the working folder. */
function from(folder: string, path: string): string {
  const absolute = resolve(folder, path);
  const short = relative(process.cwd(), absolute);
  return short.startsWith("..") ? absolute : short;
}

/** The number of outputs that a model needs. */
function outputsOf({ targets, targetShape, classes }: Samples): number {
  if (classes) return classes.length;
  if (!(targets instanceof BigInt64Array)) return elementCount(targetShape);
  let last = 0n;
  for (const target of targets) if (target > last) last = target;
  return Number(last) + 1;
}

/** Tensors of the inputs and the targets. */
function tensors(k: typeof sdk, samples: Samples, device: string) {
  const shaped = (data: Float32Array | BigInt64Array, shape: readonly number[]) => {
    const flat = k.tensor(data);
    const whole = shape.length === 0 ? flat : k.reshape(flat, [samples.count, ...shape]);
    if (device !== "cpu") k.to(whole, device as sdk.Device);
    return whole;
  };
  return [shaped(samples.inputs, samples.inputShape), shaped(samples.targets, samples.targetShape)] as const;
}

/** Fails unless the outputs of a module fit the targets: a loss would broadcast some shapes that differ. */
function checkOutputs(k: typeof sdk, module: sdk.AnyModule, samples: Samples, { device }: RunConfiguration): void {
  k.scoped(() => {
    const [inputs] = tensors(k, subset(samples, [0, samples.count > 1 ? 1 : 0]), device);
    const shape = k.size(k.evaluate(module, inputs)).slice(1);
    const expected = samples.targetShape;
    if (expected.length > 0) {
      if (String(shape) === String(expected)) return;
      throw new CommandError(
        "ERR_SHAPE",
        `--model: expected outputs [${expected.join(", ")}] for each target, given [${shape.join(", ")}]`,
      );
    }
    const classes = outputsOf(samples);
    if ((shape[0] ?? 0) >= classes) return;
    throw new CommandError(
      "ERR_SHAPE",
      `--model: expected an output for each of ${classes} classes, given [${shape.join(", ")}]`,
    );
  });
}
