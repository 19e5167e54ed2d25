// The figures of a training, as the report and the live page show them.

import type { EpochFigures, FitEvent, TrainingEnd } from "@stepwell/sdk";
import * as k from "@stepwell/sdk";
import { packageVersion } from "../output/versions.js";
import type { TrainingObserver } from "./observer.js";
import { type ObservedModel, UpdateNorms } from "./update-norms.js";

/** The norms of a measured step. Lists have an entry for each name of {@link TrainingRecord.parameters}. */
export interface NormsRecord {
  readonly step: number;
  readonly gradient: number;
  readonly update: number;
  /** The norm of the update over the norm of the weights; null for weights of 0. */
  readonly relative: readonly (number | null)[];
  /** LAMB's trust ratios; null for other optimizers. */
  readonly trust: readonly (number | null)[] | null;
}

/** A training so far. */
export interface TrainingRecord {
  readonly title: string;
  /** Names and texts for a reader. */
  readonly settings: Readonly<Record<string, string>>;
  /** Names of the parameters. */
  readonly parameters: readonly string[];
  /** Steps of the whole training; 0 before the first one. */
  total: number;
  /** The step and the loss, of every step or of the mean of several. */
  losses: (readonly [step: number, loss: number])[];
  /** The step and the learning rate of each group. */
  rates: (readonly [step: number, ...rates: readonly number[]])[];
  norms: NormsRecord[];
  readonly epochs: EpochFigures[];
  /** The reason of the end; null while it runs. */
  reason: TrainingEnd["reason"] | null;
}

/** How a training is recorded. */
export interface RecordOptions {
  /** Default: `Training`. */
  readonly title?: string;
  /** Names and texts in addition, such as the name of the data. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The model that is trained: learning rates and norms are recorded, too. */
  readonly model?: ObservedModel;
  /** The figures of epochs before this training, if it resumes another one. */
  readonly epochs?: readonly EpochFigures[];
  /** Steps from one measurement of norms to the next. Default 10. */
  readonly every?: number;
}

/** In points of a curve. Curves of more are halved: two points become their mean. */
const MAX_POINTS = 4096;

/** In measured steps, each with numbers of every parameter. Of more, each second one is left out. */
const MAX_NORMS = 512;

/** Records a training. */
export class TrainingRecorder implements TrainingObserver {
  /** The record, which events change. */
  readonly record: TrainingRecord;
  readonly #model: ObservedModel | undefined;
  readonly #norms: UpdateNorms | undefined;
  readonly #every: number;
  /** Steps of a point of a curve, and the sum of the losses of the next point. */
  #stride = 1;
  #sum = 0;
  #pending = 0;

  /** Begins a record. */
  constructor({ title = "Training", settings = {}, model, epochs = [], every = 10 }: RecordOptions = {}) {
    this.#model = model;
    this.#norms = model && new UpdateNorms(model);
    this.#every = every;
    this.record = {
      title,
      settings: { ...settings, ...(model && modelSettings(model)), ...versionSettings() },
      parameters: model ? k.parmnames(model.module) : [],
      total: 0,
      losses: [],
      rates: [],
      norms: [],
      epochs: [...epochs],
      reason: null,
    };
  }

  begin(): void {
    if (this.#every === 1) this.#norms?.before();
  }

  event(event: FitEvent): void {
    if (event.type === "done") {
      this.record.reason = event.reason;
      return;
    }
    if (event.type === "epoch") {
      const { type: _, ...figures } = event;
      this.record.epochs.push(figures);
      return;
    }
    if (event.type !== "step") return;
    this.record.total = event.steps ?? event.step;
    this.#addLoss(event.step, event.loss);
    if (event.step % this.#every === 0) this.#addNorms(event.step);
    if ((event.step + 1) % this.#every === 0) this.#norms?.before();
  }

  #addLoss(step: number, loss: number): void {
    this.#sum += loss;
    this.#pending += 1;
    if (this.#pending < this.#stride) return;
    const { record } = this;
    record.losses.push([step, this.#sum / this.#pending]);
    if (this.#model) record.rates.push([step, ...k.lr(this.#model.optimizer)]);
    [this.#sum, this.#pending] = [0, 0];
    if (record.losses.length < MAX_POINTS) return;
    this.#stride *= 2;
    record.losses = record.losses.flatMap(([step, loss], i) =>
      i % 2 === 1 ? [[step, (loss + (record.losses[i - 1]?.[1] ?? loss)) / 2] as const] : [],
    );
    record.rates = record.rates.filter((_, i) => i % 2 === 1);
  }

  #addNorms(step: number): void {
    const measured = this.#norms?.after();
    if (!measured) return;
    const { gradient, update, parameters } = measured;
    const trust = parameters.map(({ trustRatio }) => trustRatio);
    const relative = parameters.map(({ update, weight }) => (weight > 0 ? update / weight : null));
    const { record } = this;
    record.norms.push({
      step,
      gradient,
      update,
      relative,
      trust: trust.some((ratio) => ratio !== null) ? trust : null,
    });
    if (record.norms.length >= MAX_NORMS) record.norms = record.norms.filter((_, i) => i % 2 === 1);
  }
}

function modelSettings({ module, optimizer }: ObservedModel): Readonly<Record<string, string>> {
  const { optimizer: name, options } = k.opt(optimizer, false);
  const row = (options: object) =>
    Object.entries(options)
      .map(([option, value]) => `${option} ${value}`)
      .join(", ");
  return {
    model: `${k.tensorcount(module)} tensors of ${k.elements(module).toLocaleString("en")} elements`,
    optimizer: `${name} ${options.map(row).join("; ")}`.trim(),
  };
}

function versionSettings(): Readonly<Record<string, string>> {
  const platform = `${process.platform}-${process.arch}`;
  return {
    versions: `Stepwell ${packageVersion("@stepwell/sdk")} (${k.engine}), Node ${process.versions.node}, ${platform}`,
    begun: new Date().toISOString(),
  };
}
