// The items of one pass over a source, in the order of a shuffle, from a position on.

import { StepwellError } from "../errors.js";
import { TurnClock } from "../values/event-loop.js";
import type { CheckedSource } from "./checked-source.js";
import { DrawingBuffer, type ItemOrder } from "./item-order.js";
import { OpenSource } from "./open-source.js";

/** A pass over a source. */
export interface SourcePass {
  /** Names the data in messages. */
  readonly where: string;
  readonly source: CheckedSource;
  readonly epoch: number;
  readonly order: ItemOrder;
  /** Items that were taken before. */
  readonly taken: number;
  /** The number of items, if it is known from a pass that was left. */
  readonly total: number | undefined;
}

/** Items of a pass. An item of a buffer is made the caller's own by `keep`. */
export class ShuffledItems<Item> {
  readonly #pass: SourcePass;
  readonly #keep: (item: unknown) => Item;
  readonly #controller = new AbortController();
  readonly #buffer: DrawingBuffer<Item>;
  readonly #clock = new TurnClock();
  #source: OpenSource<unknown> | undefined;
  /** Items that were read or left out. */
  #read = 0;
  #total: number | undefined;

  constructor(pass: SourcePass, keep: (item: unknown) => Item) {
    this.#pass = pass;
    this.#keep = keep;
    this.#buffer = new DrawingBuffer(pass.order);
    this.#total = pass.total;
  }

  /** The number of items of the pass, once its end was read. */
  get total(): number | undefined {
    return this.#total;
  }

  /** Opens the source and goes to the position. */
  async open(): Promise<void> {
    const { where, source, epoch, order, taken } = this.#pass;
    const { signal } = this.#controller;
    const total = this.#total ?? Number.POSITIVE_INFINITY;
    const position = await DrawingBuffer.numbersAfter(order, taken, total, signal);
    if (position === undefined) return;
    const [numbers, next] = position;
    const first = numbers.entries.reduce((first, number) => Math.min(first, number), next);
    const skip = source.skips ? first : 0;
    const opened = await OpenSource.open(where, source.items, { epoch, skip, signal });
    this.#source = opened;
    // Closed while it was opened.
    if (signal.aborted) return opened.close(true);
    this.#read = skip;
    const places = new Map(numbers.entries.map((number, place) => [number, place]));
    const items: Item[] = [];
    while (this.#read < next) {
      const place = places.get(this.#read);
      const item = await opened.next();
      if (item === undefined) return this.#refusePosition(next);
      if (signal.aborted) return;
      this.#read += 1;
      await this.#clock.turnIfDue();
      if (place !== undefined) items[place] = this.#keep(item);
    }
    for (const item of items) this.#buffer.push(item);
    // The draws go on from where they were.
    this.#buffer.drawAs(numbers);
  }

  /** The next item, or a promise of it; undefined after the last one. */
  next(): Item | undefined | Promise<Item | undefined> {
    while (!this.#buffer.isFull) {
      if (this.#clock.isDue) return this.#nextLater(undefined);
      const item = this.#source?.next();
      if (item instanceof Promise) return this.#nextLater(item);
      if (!this.#add(item)) break;
    }
    return this.#buffer.take();
  }

  /** As {@link next}, with an item that is awaited first, or with a turn of the event loop. */
  async #nextLater(awaited: Promise<unknown> | undefined): Promise<Item | undefined> {
    let isOver = awaited !== undefined && !this.#add(await awaited);
    while (!isOver && !this.#buffer.isFull) {
      await this.#clock.turnIfDue();
      const item = this.#source?.next();
      isOver = !this.#add(item instanceof Promise ? await item : item);
    }
    return this.#buffer.take();
  }

  /** Adds an item to the buffer; false at the end. */
  #add(item: unknown): boolean {
    if (this.#controller.signal.aborted) return false;
    const { where, source } = this.#pass;
    if (item === undefined) {
      this.#checkEnd();
      return false;
    }
    this.#read += 1;
    if (source.count !== undefined && this.#read > source.count) {
      this.#refuseCount(where, source.count, "more");
    }
    this.#buffer.push(this.#keep(item));
    return true;
  }

  #checkEnd(): void {
    const { where, source, epoch } = this.#pass;
    if (this.#total !== undefined) return;
    this.#total = this.#read;
    if (this.#read === 0 && epoch > 1) {
      const given = "given one that is spent: a function that returns a new iterable has several epochs";
      throw new StepwellError(
        "ERR_ARGUMENT",
        `${where}: expected a source that begins again in epoch ${epoch}, ${given}`,
      );
    }
    if (source.count !== undefined && this.#read < source.count) {
      this.#refuseCount(where, source.count, String(this.#read));
    }
  }

  #refuseCount(where: string, count: number, given: string): never {
    const message = `${where}: expected ${count} ${this.#pass.source.kind} of the source, as its count says, given ${given}`;
    throw new StepwellError("ERR_SHAPE", message);
  }

  #refusePosition(next: number): never {
    const { where, source } = this.#pass;
    const message = `${where}: expected a source with the position, at least ${next} ${source.kind}, given ${this.#read}`;
    throw new StepwellError("ERR_SHAPE", message);
  }

  /** Ends the pass. */
  async close(hasFailed: boolean): Promise<void> {
    this.#controller.abort();
    await this.#source?.close(hasFailed);
  }
}
