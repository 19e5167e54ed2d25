// Makes the objects of a run from its configuration.

import { relative, resolve } from "node:path";
import type * as sdk from "@stepwell/sdk";
import { CommandError, formatError } from "../command-error.js";
import { elementCount } from "../data/arrays.js";
import type { NamedFile } from "../data/named-file.js";
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
  /** Outputs of the model that no class of the targets has. */
  readonly surplusOutputs: number;
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
  const outputs = Math.max(outputsOf(training), validation ? outputsOf(validation) : 0);
  const shapes = { inputs: training.inputShape, outputs, classes: training.classes };
  const source = configuration.model;
  const located = source.kind === "module" ? { ...source, path: resolve(folder, source.path) } : source;
  const module = await makeModule(located, shapes);
  k.to(module, configuration.device as sdk.Device);
  let surplusOutputs: number;
  try {
    surplusOutputs = checkOutputs(k, module, training, outputs, configuration);
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
    surplusOutputs,
    stepsPerEpoch: Math.ceil(batches / configuration.training.accumulate),
    scaling,
    classes: training.classes,
  };
}

/** The samples for training and for validation. */
function divide(k: typeof sdk, configuration: RunConfiguration, folder: string) {
  const selection = selectionOf(configuration);
  const all = readChecked(located(configuration.data, folder), selection);
  requireClasses(located(configuration.data, folder).path, all);
  const { validation } = configuration;
  if (validation === null) return { samples: all, validation: undefined };
  if (typeof validation === "object") {
    const files = located(validation, folder);
    const other = readChecked(files, { ...selection, training: all });
    requireShape(files.path, "inputs", all.inputShape, other.inputShape);
    requireShape(files.targets ?? files.path, "targets", all.targetShape, other.targetShape);
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

function requireShape(path: string, what: string, expected: readonly number[], given: readonly number[]): void {
  if (String(given) === String(expected)) return;
  const [wanted, found] = [expected, given].map((shape) => `[${shape.join(", ")}]`);
  throw new CommandError("ERR_SHAPE", `${path}: expected ${what} ${wanted} as in the training data, given ${found}`);
}

/** Fails if all samples have one class, of which there is nothing to learn. */
function requireClasses(path: string, { targets, classes }: Samples): void {
  if (!(targets instanceof BigInt64Array) || targets.some((target) => target !== targets[0])) return;
  const given = classes ? `"${classes[0]}"` : String(targets[0]);
  throw formatError(path, `expected targets of two classes or more, given ${given} alone`);
}

/** How targets are read, which depends on the loss. */
export function selectionOf({
  features,
  target,
  loss,
}: Pick<RunConfiguration, "features" | "target"> & { readonly loss: { readonly name: string } | null }): Selection {
  return { features, target, areClasses: loss ? classLosses.includes(loss.name) : null, training: null };
}

/** Reads samples, and compares their files with the hash of the run. */
function readChecked(files: HashedFiles, selection: Selection): Samples {
  const { samples, sha256 }: ReadSamples = readSamples(files, selection);
  if (sha256 === files.sha256) return samples;
  throw formatError(files.path, "the data has changed since the run began; train anew to use it");
}

/** The files with paths that this process can open. */
const located = <Files extends DataFiles>(files: Files, folder: string): Files => ({
  ...files,
  path: from(folder, files.path),
  targets: files.targets === null ? null : from(folder, files.targets),
});

/** The files that a run reads, for messages under the arguments of `train`. */
export function filesOf({ data, validation, model }: RunConfiguration, folder: string): readonly NamedFile[] {
  const named = (argument: string, path: string | null | undefined) =>
    path === null || path === undefined ? [] : [{ argument, path: from(folder, path) }];
  const other = typeof validation === "object" ? validation : null;
  return [
    ...named("<data>", data.path),
    ...named("--targets", data.targets),
    ...named("--validation", other?.path),
    ...named("--validation-targets", other?.targets),
    ...named("--model", model.kind === "module" ? model.path : null),
  ];
}

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

/**
 * Fails unless the outputs of a module fit the targets: a loss would broadcast some shapes that differ. `needed` is the number of classes.
 * Returns how many outputs have no class.
 */
function checkOutputs(
  k: typeof sdk,
  module: sdk.AnyModule,
  samples: Samples,
  needed: number,
  { device }: RunConfiguration,
): number {
  return k.scoped(() => {
    const [inputs] = tensors(k, subset(samples, [0, samples.count > 1 ? 1 : 0]), device);
    const shape = k.size(k.evaluate(module, inputs)).slice(1);
    const given = `given [${shape.join(", ")}]`;
    const expected = samples.targetShape;
    if (expected.length > 0) {
      if (String(shape) === String(expected)) return 0;
      const hint = mayBeClasses(samples, shape) ? "; whole numbers are classes with --loss ce" : "";
      const message = `--model: expected outputs [${expected.join(", ")}] for each target, ${given}${hint}`;
      throw new CommandError("ERR_SHAPE", message);
    }
    const [count = 0] = shape;
    // The list of classes in the file of the run has a text for each output.
    if (samples.classes ? count === needed : count >= needed) return count - needed;
    throw new CommandError("ERR_SHAPE", `--model: expected an output for each of ${needed} classes, ${given}`);
  });
}

/** Whether targets could be classes of outputs. */
function mayBeClasses({ targets, targetShape }: Samples, [count = 0, ...others]: readonly number[]): boolean {
  if (String(targetShape) !== "1" || others.length > 0 || targets instanceof BigInt64Array) return false;
  return targets.every((target) => Number.isInteger(target) && target >= 0 && target < count);
}
