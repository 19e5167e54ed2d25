// Validates the options of a training before it begins. The options of `train` and `test` are checked by the engine.

import { requireWhole } from "../../data/checked-source.js";
import { StepwellError } from "../../errors.js";
import type { DistributedOptions, MetricName, TestOptions, TrainOptions } from "../../generated/settings.js";
import type { LossName } from "../../types/arguments.js";
import type { ShuffleOptions } from "../../types/data-sources.js";
import type { SampleOptions } from "../../types/results.js";
import { namedOptions } from "../../values/named-options.js";
import { isList } from "../../values/plain-data.js";
import { refuse } from "../../values/refuse.js";
import { checkedSignal, signalOf } from "../../values/signal.js";
import { readCheckpoint } from "./fit-checkpoint.js";
import type {
  CheckpointOptions,
  EarlyStopOptions,
  FitOptions,
  MeasureSourceOptions,
  ValidationOptions,
} from "./fit-types.js";

/** Options of `fit` that `train` does not have, all valid. */
export interface Course {
  readonly epochs: number;
  readonly advance: "step" | "epoch";
  readonly signal: AbortSignal | undefined;
  /** Whether a loss that is not finite ends the training. */
  readonly stopsAtNonFinite: boolean;
  readonly validation: unknown;
  readonly earlystop: Required<EarlyStopOptions> | undefined;
  readonly checkpoint: CheckpointOptions | undefined;
  /** The position from which it goes on, which is not checked. */
  readonly resume: unknown;
  /** How other processes take part, if they may. */
  readonly distributed: DistributedOptions | undefined;
}

/** Options of a training or of a validation that data in memory do not have. */
export interface SourceSettings {
  /** True, or options: from the given options, or set for the model. */
  readonly shuffle: boolean | ShuffleOptions;
  readonly prefetch: number | undefined;
  /** Options that a source of batches does not have, and that were given. */
  readonly ofSamples: readonly string[];
}

/** Settings of the model's own handle, which count where an option is left out, and properties of the model. */
export interface Defaults {
  readonly train: SampleOptions<TrainOptions>;
  readonly loss: LossName | "callback";
  readonly scalesLosses: boolean;
}

const wholeNumber = (where: string, value: unknown) => requireWhole(where, value, 1);

const word = (where: string, words: readonly string[], value: unknown) => {
  if (!words.includes(value as string)) refuse(where, `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`, value);
};

/** The options of `fit`: the course of the training, the options of `train` for its model, and the metrics. */
export function readFitOptions(
  options: unknown,
  defaults: Defaults,
): readonly [course: Course, train: TrainOptions, metrics: TestOptions["metrics"], source: SourceSettings] {
  const own = ["advance", "signal", "validation", "earlystop", "prefetch", "checkpoint", "resume", "distributed"];
  const known = ["epochs", "batchSize", ...Object.keys(defaults.train), ...own];
  const given = namedOptions<FitOptions>("fit", options, known as (keyof FitOptions)[]);
  const { epochs = 1, advance = "step", signal, validation, earlystop: stop, ...more } = given;
  const {
    prefetch,
    checkpoint: file,
    resume,
    distributed: several,
    shuffle = defaults.train.shuffle,
    ...others
  } = more;
  wholeNumber("fit: epochs", epochs);
  word("fit: advance", ["step", "epoch"], advance);
  checkedSignal("fit", signal);
  const distributed = readDistributed(several);
  const earlystop = stop === undefined ? undefined : readEarlyStop(stop);
  const checkpoint = file === undefined ? undefined : readCheckpoint(file);
  if (resume !== undefined && checkpoint?.resume) refuse("fit: resume", "no position besides the file", resume);
  const { nonfiniteloss: _, ...rest } = others;
  const { nonfinite = unlessDefault(defaults.train.nonfinite) } = rest;
  const {
    nonfiniteloss: policy = unlessDefault(defaults.train.nonfiniteloss) ??
      (nonfinite === undefined && !defaults.scalesLosses ? "stop" : "propagate"),
  } = others;
  word("fit: nonfiniteloss", ["stop", "propagate", "skip", "error"], policy);
  const metrics = metricsOf(rest.metrics, defaults.train.metrics, defaults, earlystop);
  const train = {
    ...settings(defaults.train, rest),
    ...rest,
    // Options of a buffer are read by the source. The engine refuses any other value.
    ...((typeof shuffle !== "object" || shuffle === null) && { shuffle }),
    ...(nonfinite && { nonfinite }),
    nonfiniteloss: policy === "stop" ? ("skip" as const) : policy,
    metrics,
  };
  const stopsAtNonFinite = policy === "stop";
  const course = { epochs, advance, signal, validation, earlystop, checkpoint, resume, distributed, stopsAtNonFinite };
  return [course, train, metrics, { shuffle, prefetch, ofSamples: ofSamples(others) }];
}

/** Options that were given, and that a source of batches does not have. */
const ofSamples = (given: object) =>
  ["batchSize", "batchsize", "droplast"].filter((name) => (given as Record<string, unknown>)[name]);

/** The settings of the model's own handle that no given option replaces. */
function settings(
  set: SampleOptions<TrainOptions>,
  given: Omit<TrainOptions, "nonfiniteloss" | "shuffle">,
): TrainOptions {
  const { batchsize, clipnorm, clipvalue, nonfinite: _, metrics: __, ...others } = set;
  const isSized = given.batchsize !== undefined || given.batchSize !== undefined;
  return {
    ...others,
    ...(isSized ? {} : { batchsize }),
    // A given kind of clipping replaces the other kind.
    clipnorm: given.clipvalue ? null : clipnorm,
    clipvalue: given.clipnorm ? null : clipvalue,
  };
}

/** The metrics that are measured: those that are given or set, with the loss and the metric of the early stop. */
function metricsOf(
  given: unknown,
  set: readonly MetricName[],
  { loss }: Defaults,
  earlystop: EarlyStopOptions | undefined,
): readonly [MetricName, ...MetricName[]] {
  const asked = given === undefined ? set : given;
  const list = (isList(asked) ? asked : [asked]) as readonly MetricName[];
  const isDefault = given === undefined && String(list) === "loss";
  // Figures are for a reader, so that losses of classes have their accuracy; `train` leaves it out by default.
  const classes = isDefault && (loss === "ce" || loss === "nll") ? (["accuracy"] as const) : [];
  const more = [...classes, ...(earlystop?.metric ? [earlystop.metric] : [])];
  const metrics = new Set<unknown>(["loss"]);
  // An empty list and other values are errors of `train`. The first such value ends a list, which may be sparse and of any length.
  for (const name of list) {
    if (typeof name !== "string") return list as [MetricName];
    metrics.add(name);
  }
  return (list.length === 0 ? list : [...metrics, ...more.filter((name) => !metrics.has(name))]) as [MetricName];
}

const unlessDefault = <Word>(policy: Word) => (policy === "propagate" ? undefined : policy);

/** Whether options that may be invalid ask for other processes. */
export function wantsOthers(options: unknown): boolean {
  try {
    return Boolean((options as FitOptions).distributed);
  } catch {
    // Null, a revoked proxy, or an exception of the caller's own object.
    return false;
  }
}

function readDistributed(given: unknown): DistributedOptions | undefined {
  const where = "fit: distributed";
  if (given === undefined || typeof given === "boolean") return given ? {} : undefined;
  if (typeof given !== "object" || given === null) refuse(where, "a boolean or a dictionary of options", given);
  const options = namedOptions<DistributedOptions>(where, given, ["sharded"]);
  const { sharded = false } = options;
  if (typeof sharded !== "boolean") refuse(`${where}: sharded`, "a boolean", sharded);
  return { sharded };
}

function readEarlyStop(given: unknown): Required<EarlyStopOptions> {
  const where = "fit: earlystop";
  const names = ["metric", "patience", "mindelta", "mode", "restorebest"] as const;
  const {
    metric = "loss",
    patience = 1,
    mindelta = 0,
    ...others
  } = namedOptions<EarlyStopOptions>(where, given, names);
  const { mode = metric === "loss" ? "min" : "max", restorebest = false } = others;
  word(`${where}: metric`, ["loss", "accuracy", "matches"], metric);
  wholeNumber(`${where}: patience`, patience);
  if (!Number.isFinite(mindelta) || mindelta < 0) refuse(`${where}: mindelta`, "a finite number >= 0", mindelta);
  word(`${where}: mode`, ["min", "max"], mode);
  if (typeof restorebest !== "boolean") refuse(`${where}: restorebest`, "a boolean", restorebest);
  return { metric, patience, mindelta, mode, restorebest };
}

/** The options of `test` among the entries of validation data, and how often it is measured. */
export function readValidationOptions(
  entries: object,
  set: SampleOptions<TestOptions>,
): readonly [options: TestOptions, every: number, source: SourceSettings] {
  const where = "fit: validation";
  const names = ["batchSize", ...Object.keys(set).filter((name) => name !== "metrics"), "every", "prefetch"];
  const given = namedOptions<ValidationOptions>(where, entries, names as (keyof ValidationOptions)[]);
  const { every = 1, prefetch, ...options } = given;
  wholeNumber(`${where}: every`, every);
  return [testSettings(set, options), every, { shuffle: false, prefetch, ofSamples: ofSamples(options) }];
}

/** The options of a measurement. */
export function readMeasureOptions(
  options: unknown,
  set: SampleOptions<TestOptions>,
  loss: LossName | "callback",
  isSource: boolean,
): readonly [options: TestOptions, source: SourceSettings, signal: AbortSignal | undefined] {
  const own = isSource ? ["prefetch", "signal"] : [];
  const names = ["batchSize", ...Object.keys(set), ...own] as (keyof MeasureSourceOptions)[];
  const { prefetch, signal, ...given } = namedOptions<MeasureSourceOptions>("measure", options, names);
  signalOf("measure", signal && { signal });
  const defaults = { loss } as Defaults;
  const metrics = metricsOf(given.metrics, set.metrics, defaults, undefined);
  const source = { shuffle: false, prefetch, ofSamples: ofSamples(given) };
  return [{ ...testSettings(set, given), ...given, metrics }, source, signal];
}

function testSettings({ batchsize, droplast }: SampleOptions<TestOptions>, given: TestOptions): TestOptions {
  const isSized = given.batchsize !== undefined || given.batchSize !== undefined;
  return { droplast, ...(isSized ? {} : { batchsize }), ...given };
}

/** Fails unless a schedule can be advanced with each epoch. */
export function checkAdvance({ advance }: Course, isScheduled: boolean): void {
  if (advance !== "epoch" || isScheduled) return;
  throw new StepwellError("ERR_ARGUMENT", "fit: advance: expected an optimizer with a schedule, given one without");
}
