// A pass over data in memory, whose batches the engine makes.

import { StepwellError } from "../../errors.js";
import type { TrainOptions } from "../../generated/settings.js";
import type { ModelHandle, TensorHandle } from "../../handle.js";
import type { BatchReport, SampleOptions } from "../../types/results.js";
import type { GeneratorState } from "../../values/generator.js";
import { indexselect } from "../functions/indexing.js";
import { metrics, testmetrics, train } from "../functions/models.js";
import { free } from "../functions/objects.js";
import { datasize, input, target } from "../functions/samples.js";
import { tensor } from "../functions/tensors.js";
import { type Call, orderOf, withGenerator } from "./batch-calls.js";
import type { Figures, TrainingPosition } from "./fit-types.js";
import { figuresOf, type Pass, type PassOrder, type PassSums, type TestPass } from "./pass.js";

/** A pass of training. */
export class MemorySteps implements Pass {
  readonly #model: ModelHandle;
  readonly #call: Call;
  readonly #signal: AbortSignal | undefined;
  readonly #options: SampleOptions<TrainOptions>;
  readonly #total: number;
  /** All samples, while the model has the rest of an epoch that was left. */
  #all: readonly [TensorHandle, TensorHandle] | undefined;
  #batches: number;
  #done = 0;
  /** Batches before the last step. */
  #before = 0;
  #isResumed = false;
  #taken = 0;
  #generator: GeneratorState | null = null;

  /** A pass over the samples of a model, which has so many batches. */
  constructor(model: ModelHandle, batches: number, call: Call, signal: AbortSignal | undefined) {
    this.#model = model;
    this.#batches = batches;
    this.#call = call;
    this.#signal = signal;
    this.#options = train(model);
    this.#total = datasize(model);
  }

  get hasNext(): boolean {
    return this.#done < this.#batches;
  }

  get taken(): number {
    return this.#taken;
  }

  get order(): PassOrder {
    return { data: "memory", buffer: 1, key: [], total: this.#total, generator: this.#generator };
  }

  /** Goes to a position: gives the model the samples that are left, in their order. False after an abort. */
  async goTo({ taken, generator, total }: TrainingPosition): Promise<boolean> {
    if (total !== this.#total) {
      const message = `fit: resume: expected a position in ${this.#total} samples, given one in ${total}`;
      throw new StepwellError("ERR_SHAPE", message);
    }
    const order = generator ? await orderOf(this.#total, generator, this.#signal) : undefined;
    if (generator && !order) return false;
    const model = this.#model;
    const rest = BigInt64Array.from({ length: this.#total - taken }, (_, i) => BigInt(order?.[taken + i] ?? taken + i));
    this.#taken = taken;
    this.#generator = generator;
    this.#isResumed = true;
    if (rest.length === 0) {
      this.#batches = 0;
      return true;
    }
    const indices = tensor(rest);
    const all = [input(model), target(model)] as const;
    this.#all = all;
    const columns: TensorHandle[] = [];
    try {
      for (const column of all) columns.push(indexselect(column, 0, indices));
      train(model, { shuffle: false });
      this.#batches = train(model, columns[0] as TensorHandle, columns[1] as TensorHandle);
    } finally {
      free(indices, ...columns);
    }
    return true;
  }

  async next(): Promise<BatchReport | undefined> {
    // Of a pass that was left, the order was drawn before.
    if (this.#done > 0 || !this.#options.shuffle || this.#isResumed) return this.#batch();
    // The generator has to be read in the turn in which the call starts.
    const begun = await withGenerator(this.#signal, (state) => {
      this.#generator = state;
      return [this.#batch()];
    });
    return begun?.[0];
  }

  async #batch(): Promise<BatchReport | undefined> {
    const report = (await this.#call("batch", this.#model, true)) as BatchReport | undefined;
    if (report === undefined) {
      this.#batches = this.#done;
      return undefined;
    }
    this.#before = this.#done;
    this.#done = report.batch;
    this.#taken += report.samples;
    return report;
  }

  lastLosses(): readonly number[] {
    return figuresOf(metrics(this.#model)).batchloss?.slice(this.#before) ?? [];
  }

  async finish(sums: PassSums): Promise<Figures> {
    const model = this.#model;
    // Ends the pass of the engine, so that the next one begins.
    if (this.#all || !this.#isResumed) await this.#call("batch", model);
    if (!this.#isResumed) return figuresOf(metrics(model));
    if (this.#all) {
      train(model, { shuffle: this.#options.shuffle });
      train(model, ...this.#all);
    }
    return sums.figures(this.#options.metrics);
  }

  async close(): Promise<void> {
    if (this.#all) free(...this.#all);
    this.#all = undefined;
  }
}

/** A measurement of the samples for testing. */
export class MemoryTest implements TestPass {
  readonly #model: ModelHandle;
  readonly #call: Call;

  constructor(model: ModelHandle, call: Call) {
    this.#model = model;
    this.#call = call;
  }

  /** Measures the next batch; false after the last one. */
  async next(): Promise<boolean> {
    return (await this.#call("testbatch", this.#model)) !== undefined;
  }

  finish(): Figures {
    return figuresOf(testmetrics(this.#model));
  }

  async close(): Promise<void> {}
}
