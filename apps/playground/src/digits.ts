// Optimizers that train the same classifier of digits, each its own copy, on the same batches.

import type {
  Api,
  ModuleHandle,
  ModuleSpecification,
  OptimizerHandle,
  OptimizerName,
  OptionRow,
  ScheduleSpecification,
  TensorHandle,
} from "@stepwell/sdk";
import { classes, type Digits, pixels, type SplitDigits } from "./digits-data.js";
import { type LayerStep, measureStep } from "./trust.js";

const hidden = 64;

/** The layers of the classifier. */
export const layers: ModuleSpecification = {
  container: "sequential",
  children: [["linear", "hidden", pixels, hidden], "relu", ["linear", "output", hidden, classes]],
};

export interface ContenderSettings {
  readonly optimizer: OptimizerName;
  readonly options: OptionRow & { readonly lr: number };
}

export interface TrainingSettings {
  /** Digits of a batch; a divisor of their number. */
  readonly batch: number;
  readonly epochs: number;
  readonly seed: number;
  readonly contenders: readonly ContenderSettings[];
}

/** One optimizer with the classifier that it trains. */
interface Contender {
  readonly settings: ContenderSettings;
  readonly classifier: ModuleHandle;
  readonly optimizer: OptimizerHandle;
}

/** The result of a step of one contender. */
export interface StepResult {
  readonly optimizer: OptimizerName;
  /** Mean loss of the batch, before the step. */
  readonly loss: number;
  /** The learning rate of the step. */
  readonly lr: number;
  /** The distance that each tensor of the classifier moved; present if requested. */
  readonly layers: readonly LayerStep[];
}

/**
 * A training of several contenders. They start from the same weights and meet the same batches. The learning rate rises
 * over the first tenth of the steps to the one that was set, and falls to 0 over the others.
 */
export class Training {
  readonly settings: TrainingSettings;
  /** Steps of the whole training. */
  readonly steps: number;
  readonly #api: Api;
  readonly #digits: SplitDigits;
  readonly #contenders: readonly Contender[];
  readonly #testImages: TensorHandle;
  #order: Float64Array;
  #step = 0;

  constructor(api: Api, digits: SplitDigits, settings: TrainingSettings) {
    this.#api = api;
    this.#digits = digits;
    this.settings = settings;
    const perEpoch = Math.floor(digits.training.labels.length / settings.batch);
    this.steps = perEpoch * settings.epochs;
    const warmup = Math.max(1, Math.round(this.steps / 10));
    const schedule: ScheduleSpecification = {
      schedule: "warmup",
      steps: warmup,
      start: 1 / warmup,
      next: { schedule: "linear", start: 1, end: 0, steps: Math.max(1, this.steps - warmup) },
    };
    this.#contenders = settings.contenders.map((contender) => {
      api.seed(settings.seed);
      const classifier = api.module(layers);
      const optimizer = api.opt(contender.optimizer, classifier, contender.options as never);
      api.schedule(optimizer, schedule);
      return { settings: contender, classifier, optimizer };
    });
    const { images, labels } = digits.test;
    this.#testImages = api.tensor(images, { shape: [labels.length, pixels] });
    this.#order = api.randperm(digits.training.labels.length);
  }

  /** Steps that have been made. */
  get step(): number {
    return this.#step;
  }

  /** Passes over the training digits, with the part of the present one. */
  get epoch(): number {
    return (this.#step * this.settings.epochs) / this.steps;
  }

  get isDone(): boolean {
    return this.#step >= this.steps;
  }

  /** One batch for every contender. */
  advance(measures: boolean): readonly StepResult[] {
    const { batch } = this.settings;
    const total = this.#order.length;
    const at = (this.#step * batch) % (total - (total % batch));
    if (at === 0 && this.#step > 0) this.#order = this.#api.randperm(total);
    const { images, labels } = pick(this.#digits.training, this.#order.subarray(at, at + batch));
    const inputs = this.#api.tensor(images, { shape: [batch, pixels] });
    const targets = this.#api.tensor(BigInt64Array.from(labels, BigInt));
    try {
      return this.#contenders.map((contender) => this.#train(contender, inputs, targets, measures));
    } finally {
      this.#api.free(inputs, targets);
      this.#step++;
    }
  }

  #train(contender: Contender, inputs: TensorHandle, targets: TensorHandle, measures: boolean): StepResult {
    const api = this.#api;
    const { classifier, optimizer, settings } = contender;
    const [lr = 0] = api.lr(optimizer);
    api.zerograd(optimizer);
    const outputs = api.forward(classifier, inputs);
    const loss = api.ce(outputs, targets);
    api.backward(loss);
    const step = () => api.step(optimizer);
    const layers = measures ? measureStep(api, classifier, optimizer, step) : [];
    if (!measures) step();
    api.advance(optimizer);
    const result = { optimizer: settings.optimizer, loss: api.tensor(loss) as number, lr, layers };
    api.free(outputs, loss);
    return result;
  }

  /** The share of the test digits that each contender reads correctly. */
  accuracies(): readonly number[] {
    const { labels } = this.#digits.test;
    return this.#contenders.map(({ classifier }) => {
      const scores = this.#scores(classifier, this.#testImages);
      let correct = 0;
      for (const [index, label] of labels.entries()) if (best(scores, index) === label) correct++;
      return correct / labels.length;
    });
  }

  /** The probability of each class for one image, by each contender. */
  predict(image: Float32Array): readonly Float64Array[] {
    const input = this.#api.tensor(image, { shape: [1, pixels] });
    const all = this.#contenders.map(({ classifier }) => softmax(this.#scores(classifier, input)));
    this.#api.free(input);
    return all;
  }

  /** Sets the peak learning rate of a contender. Its schedule continues from the present step. */
  setRate(optimizer: OptimizerName, lr: number): void {
    const contender = this.#contenders.find(({ settings }) => settings.optimizer === optimizer);
    const schedule = contender && this.#api.schedule(contender.optimizer);
    if (schedule) this.#api.schedule(contender.optimizer, { ...schedule, base: [lr] });
  }

  free(): void {
    for (const { classifier, optimizer } of this.#contenders) this.#api.free(classifier, optimizer);
    this.#api.free(this.#testImages);
  }

  #scores(classifier: ModuleHandle, inputs: TensorHandle): ArrayLike<number> {
    const outputs = this.#api.evaluate(classifier, inputs);
    const { data } = this.#api.data(outputs);
    this.#api.free(outputs);
    return data as Float32Array;
  }
}

/** The digits of some indices, in that order. */
function pick({ images, labels }: Digits, indices: Float64Array): Digits {
  const picked = { images: new Float32Array(indices.length * pixels), labels: new Uint8Array(indices.length) };
  for (const [to, from] of indices.entries()) {
    picked.images.set(images.subarray(from * pixels, (from + 1) * pixels), to * pixels);
    picked.labels[to] = labels[from] ?? 0;
  }
  return picked;
}

/** The class with the largest score of a row. */
function best(scores: ArrayLike<number>, row: number): number {
  let index = 0;
  for (let other = 1; other < classes; other++) {
    if ((scores[row * classes + other] ?? 0) > (scores[row * classes + index] ?? 0)) index = other;
  }
  return index;
}

function softmax(scores: ArrayLike<number>): Float64Array {
  const largest = Math.max(...Array.from(scores));
  const parts = Float64Array.from(scores, (score) => Math.exp(score - largest));
  const sum = parts.reduce((total, part) => total + part, 0);
  return parts.map((part) => part / sum);
}
