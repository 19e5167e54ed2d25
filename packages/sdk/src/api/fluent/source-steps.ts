// Passes over a source: the data of each step are given to the model before the step.

import type { TypedTensor } from "../../binding.js";
import { type BatchOptions, BatchReader, type StepData } from "../../data/batch-reader.js";
import type { CheckedSource } from "../../data/checked-source.js";
import type { Column } from "../../data/columns.js";
import { KEY_WORDS, keyOfSeed } from "../../data/random-words.js";
import type { SourcePass } from "../../data/shuffled-items.js";
import { StepwellError } from "../../errors.js";
import type { MetricName } from "../../generated/settings.js";
import type { ModelHandle } from "../../handle.js";
import type { ShuffleOptions } from "../../types/data-sources.js";
import type { BatchReport } from "../../types/results.js";
import type { TensorData } from "../../types/tensor-data.js";
import { unlessAborted } from "../../values/signal.js";
import { metrics, test, train } from "../functions/models.js";
import { isTensor } from "../functions/outputs.js";
import { data as dataOf } from "../functions/tensors.js";
import { type Call, drawWords } from "./batch-calls.js";
import type { Figures, TrainingPosition } from "./fit-types.js";
import { figuresOf, type Pass, type PassOrder, PassSums, type TestPass } from "./pass.js";
import { TrainingProcesses } from "./training-processes.js";

/** A source with the options of its passes. */
export interface SourcePlan {
  readonly source: CheckedSource;
  readonly shuffle: ShuffleOptions | undefined;
  readonly options: BatchOptions;
}

/** Runs the batches of a source. */
class SourceBatches {
  readonly #model: ModelHandle;
  readonly #set: typeof train | typeof test;
  readonly #command: "batch" | "testbatch";
  readonly #call: Call;
  readonly #where: string;
  readonly #signal: AbortSignal | undefined;
  readonly #processes: TrainingProcesses;
  readonly #reader: BatchReader;
  #batchsize: number | undefined;
  #isOver = false;
  taken: number;

  constructor(
    model: ModelHandle,
    isTraining: boolean,
    pass: SourcePass,
    options: BatchOptions,
    call: Call,
    processes: TrainingProcesses,
    signal: AbortSignal | undefined,
  ) {
    this.#model = model;
    this.#processes = processes;
    this.#set = isTraining ? train : test;
    this.#command = isTraining ? "batch" : "testbatch";
    this.#call = call;
    this.#where = pass.where;
    this.#signal = signal;
    this.#reader = new BatchReader(pass, options, elementsOf);
    this.taken = pass.taken;
  }

  get total(): number | undefined {
    return this.#reader.total;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Runs the next step; undefined after the last one, or after an abort. */
  async next(): Promise<BatchReport | undefined> {
    const processes = this.#processes;
    const data = await processes.together(async () => {
      const data = await unlessAborted(this.#reader.next(), this.#signal);
      // Before the processes meet, since the model of one of them may refuse its data.
      if (data) this.#give(data);
      return data;
    });
    if (await processes.stops(this.#signal?.aborted === true)) return undefined;
    await this.#sameEnd(data);
    if (data === undefined) {
      this.#isOver = true;
      if (this.taken > 0) return undefined;
      const message = `${this.#where}: expected at least one batch, given too few samples for one`;
      throw new StepwellError("ERR_SHAPE", message);
    }
    const report = (await this.#call(this.#command, this.#model, true)) as BatchReport;
    this.taken += data.items;
    return report;
  }

  /** Fails unless the sources of all processes end at once. */
  async #sameEnd(data: StepData | undefined): Promise<void> {
    const items = await this.#processes.numbers(data?.items ?? 0);
    const other = items.findIndex((count) => count !== items[0]);
    if (other < 0) return;
    const given = `given ${items[0]} more on rank 0 and ${items[other]} on rank ${other}`;
    throw new StepwellError("ERR_SHAPE", `${this.#where}: expected the same items on each process, ${given}`);
  }

  #give({ inputs, targets, batchsize }: StepData): void {
    const [model, set] = [this.#model, this.#set];
    if (this.#batchsize !== batchsize) set(model, { batchsize });
    this.#batchsize = batchsize;
    set(model, numbers(inputs), numbers(targets));
  }

  close(hasFailed: boolean): Promise<void> {
    return this.#isOver ? Promise.resolve() : this.#reader.close(hasFailed);
  }
}

/** A column as functions take it, which accept a typed array with a shape. */
const numbers = (column: Column) => column as unknown as TensorData;

const elementsOf = (value: unknown): TypedTensor | undefined =>
  isTensor(value) ? dataOf(value as Parameters<typeof dataOf>[0]) : undefined;

/** A pass of training. */
export class SourceSteps implements Pass {
  readonly #model: ModelHandle;
  readonly #batches: SourceBatches;
  readonly #plan: SourcePlan;
  readonly #key: readonly number[];
  readonly #metrics: readonly MetricName[];

  private constructor(
    model: ModelHandle,
    plan: SourcePlan,
    epoch: number,
    key: readonly number[],
    position: TrainingPosition | undefined,
    call: Call,
    processes: TrainingProcesses,
    signal: AbortSignal | undefined,
  ) {
    const { taken = 0, total } = position ?? {};
    const order = { buffer: plan.shuffle?.buffer ?? 1, key };
    const pass = { where: "fit", source: plan.source, epoch, order, taken, total: total ?? undefined };
    this.#model = model;
    this.#batches = new SourceBatches(model, true, pass, plan.options, call, processes, signal);
    this.#plan = plan;
    this.#key = key;
    this.#metrics = train(model).metrics;
  }

  /** Begins an epoch, or goes on with the epoch of a position; undefined after an abort. */
  static async begin(
    model: ModelHandle,
    plan: SourcePlan,
    epoch: number,
    position: TrainingPosition | undefined,
    call: Call,
    processes: TrainingProcesses,
    signal: AbortSignal | undefined,
  ): Promise<SourceSteps | undefined> {
    // With others, an abort counts when they meet.
    const own = position?.key ?? (await keyOf(plan.shuffle, epoch, processes.isAlone ? signal : undefined));
    const key = own && (await processes.ofFirst(own));
    return key && new SourceSteps(model, plan, epoch, key, position, call, processes, signal);
  }

  get hasNext(): boolean {
    return !this.#batches.isOver;
  }

  get taken(): number {
    return this.#batches.taken;
  }

  get order(): PassOrder {
    const { source, shuffle } = this.#plan;
    const total = this.#batches.total ?? null;
    return { data: source.kind, buffer: shuffle?.buffer ?? 1, key: this.#key, total, generator: null };
  }

  next(): Promise<BatchReport | undefined> {
    return this.#batches.next();
  }

  lastLosses(): readonly number[] {
    return figuresOf(metrics(this.#model)).batchloss ?? [];
  }

  async finish(sums: PassSums): Promise<Figures> {
    return sums.figures(this.#metrics);
  }

  close(hasFailed: boolean): Promise<void> {
    return this.#batches.close(hasFailed);
  }
}

/** The key of the order of an epoch; empty for the order of the source, undefined after an abort. */
async function keyOf(
  shuffle: ShuffleOptions | undefined,
  epoch: number,
  signal: AbortSignal | undefined,
): Promise<readonly number[] | undefined> {
  if (shuffle === undefined) return [];
  return shuffle.seed === undefined ? drawWords(KEY_WORDS, signal) : keyOfSeed(shuffle.seed, epoch);
}

/** A measurement of a source. */
export class SourceTest implements TestPass {
  readonly #batches: SourceBatches;
  readonly #sums = new PassSums();
  readonly #metrics: readonly MetricName[];

  /** The measurement of a number, from 1. */
  constructor(
    where: string,
    model: ModelHandle,
    { source, options }: SourcePlan,
    epoch: number,
    call: Call,
    signal: AbortSignal | undefined,
  ) {
    const order = { buffer: 1, key: [] };
    const pass = { where, source, epoch, order, taken: 0, total: undefined };
    this.#batches = new SourceBatches(model, false, pass, options, call, new TrainingProcesses(undefined), signal);
    this.#metrics = test(model).metrics;
  }

  async next(): Promise<boolean> {
    const report = await this.#batches.next();
    if (report) this.#sums.add(report, [report.loss]);
    return report !== undefined;
  }

  finish(): Figures {
    return this.#sums.figures(this.#metrics);
  }

  close(hasFailed: boolean): Promise<void> {
    return this.#batches.close(hasFailed);
  }
}
