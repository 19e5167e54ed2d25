// Makes the data of steps from the items of a pass, some steps ahead of the one that runs.

import { StepwellError } from "../errors.js";
import type { Column, ReadTensor } from "./columns.js";
import { ColumnBuilder, columnOf, copied, joined, pairOf } from "./columns.js";
import { ShuffledItems, type SourcePass } from "./shuffled-items.js";

/** The data of a step. */
export interface StepData {
  readonly inputs: Column;
  readonly targets: Column;
  /** Samples of each of its batches; the last one may have fewer. */
  readonly batchsize: number;
  /** Items of the source that it has. */
  readonly items: number;
}

/** How items become steps. */
export interface BatchOptions {
  /** Samples of a batch. Batches of the source have sizes of their own. */
  readonly batchsize: number;
  /** Batches of a step. */
  readonly accumulate: number;
  readonly droplast: boolean;
  /** Steps that are made ready while another one runs. */
  readonly prefetch: number;
}

type Pair = readonly [input: unknown, target: unknown];

/** The steps of a pass. */
export class BatchReader {
  readonly #items: ShuffledItems<Pair>;
  readonly #pass: SourcePass;
  readonly #options: BatchOptions;
  readonly #read: ReadTensor;
  readonly #names: readonly [string, string];
  readonly #ready: Promise<StepData | undefined>[] = [];
  #opened: Promise<void> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #isMaking = false;
  #isOver = false;

  /** Nothing is read before the first step is asked for. */
  constructor(pass: SourcePass, options: BatchOptions, read: ReadTensor) {
    const isSamples = pass.source.kind === "samples";
    this.#pass = pass;
    this.#options = options;
    this.#read = read;
    this.#names = isSamples ? ["input", "target"] : ["inputs", "targets"];
    // A sample without a buffer is copied into its batch at once.
    const isCopied = !isSamples || pass.order.buffer > 1;
    this.#items = new ShuffledItems(pass, (item) => this.#pair(item, isCopied));
  }

  /** The number of items of the pass, once its end was read. */
  get total(): number | undefined {
    return this.#items.total;
  }

  /** The data of the next step, and undefined after the last one. Others are made ready. */
  next(): Promise<StepData | undefined> {
    const next = this.#ready.shift() ?? this.#make();
    this.#prefetch();
    return next;
  }

  /** Makes one step ready after the other, up to the end of the items: there may be far fewer than are to be ready. */
  #prefetch(): void {
    if (!this.#isMaking && !this.#isOver && this.#ready.length < this.#options.prefetch) this.#ready.push(this.#make());
  }

  /** Ends the pass before its end. */
  async close(hasFailed: boolean): Promise<void> {
    this.#isOver = true;
    this.#ready.length = 0;
    await this.#items.close(hasFailed);
  }

  /** Makes a step after the one before. */
  #make(): Promise<StepData | undefined> {
    this.#opened ??= this.#items.open();
    this.#isMaking = true;
    const step = Promise.all([this.#last, this.#opened]).then(() => (this.#isOver ? undefined : this.#step()));
    const made = () => {
      this.#isMaking = false;
      this.#prefetch();
    };
    // It may fail before anyone waits for it. Then there is no step after it.
    step.then(made, () => {});
    this.#last = step;
    return step;
  }

  async #step(): Promise<StepData | undefined> {
    const data = this.#pass.source.kind === "samples" ? await this.#ofSamples() : await this.#ofBatches();
    if (data === undefined) this.#isOver = true;
    return data;
  }

  async #ofSamples(): Promise<StepData | undefined> {
    const { batchsize, accumulate, droplast } = this.#options;
    const capacity = batchsize * accumulate;
    const builders = this.#names.map((name) => new ColumnBuilder(this.#where(name), capacity)) as [
      ColumnBuilder,
      ColumnBuilder,
    ];
    let count = 0;
    for (; count < capacity; count++) {
      let pair = this.#items.next();
      if (pair instanceof Promise) pair = await pair;
      if (pair === undefined) break;
      for (const [i, builder] of builders.entries()) builder.add(this.#column(i, pair[i]));
    }
    const used = droplast ? count - (count % batchsize) : count;
    if (used === 0) return undefined;
    const [inputs, targets] = builders.map((builder) => builder.finish(used)) as [Column, Column];
    return { inputs, targets, batchsize, items: used };
  }

  async #ofBatches(): Promise<StepData | undefined> {
    const pairs: Pair[] = [];
    while (pairs.length < this.#options.accumulate) {
      const pair = await this.#items.next();
      if (pair === undefined) break;
      pairs.push(pair);
    }
    if (pairs.length === 0) return undefined;
    const columns = pairs.map((pair) => [this.#column(0, pair[0]), this.#column(1, pair[1])] as const);
    const sizeOf = ([{ shape }]: readonly [Column, Column]) => shape[0] ?? 0;
    const batchsize = Math.max(...columns.map(sizeOf));
    // A shuffle may draw the smaller last batch of the source early. The engine takes it as the last one of a step.
    columns.sort((a, b) => Number(sizeOf(a) < batchsize) - Number(sizeOf(b) < batchsize));
    const [inputs, targets] = [columns.map(([input]) => input), columns.map(([, target]) => target)];
    const sizes = columns.map(sizeOf);
    if (sizes.includes(0)) {
      const given = `given inputs of shape [${inputs.find(({ shape }) => !shape[0])?.shape}]`;
      throw new StepwellError(
        "ERR_SHAPE",
        `${this.#pass.where}: expected samples along dimension 0 of a batch, ${given}`,
      );
    }
    const isEven = sizes.every((size, i) => size === batchsize || (i === sizes.length - 1 && size < batchsize));
    if (!isEven) {
      const message = `${this.#pass.where}: expected batches of one size in a step of several, given sizes ${sizes.join(", ")}`;
      throw new StepwellError("ERR_SHAPE", message);
    }
    const [inputName, targetName] = this.#names;
    return {
      inputs: joined(this.#where(inputName), inputs),
      targets: joined(this.#where(targetName), targets),
      batchsize,
      items: pairs.length,
    };
  }

  /** An item as the pass has it, with numbers of its own if it stays for a while. */
  #pair(item: unknown, isCopied: boolean): Pair {
    const pair = pairOf(this.#where(this.#pass.source.kind), item, this.#names);
    if (!isCopied) return pair;
    const own = (i: 0 | 1) => copied(this.#where(this.#names[i]), this.#column(i, pair[i]));
    return [own(0), own(1)];
  }

  #column(i: number, value: unknown): Column {
    return columnOf(this.#where(this.#names[i] as string), value, this.#read);
  }

  #where(name: string): string {
    return `${this.#pass.where}: ${name}`;
  }
}
