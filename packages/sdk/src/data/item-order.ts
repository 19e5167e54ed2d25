// The order in which a buffer gives out the items of a source, by their numbers.

import { TurnClock } from "../values/event-loop.js";
import { drawsBelow } from "./random-words.js";

/** Draws between two looks at the clock, a few tens of microseconds. */
const DRAWS = 2 ** 12;

/** How the items of a pass are ordered. */
export interface ItemOrder {
  /** Items in memory, of which the next one is drawn; 1 keeps the order of the source. */
  readonly buffer: number;
  /** The key of the draws. */
  readonly key: readonly number[];
}

/**
 * A buffer of a number of items. The caller fills it with {@link push} before each {@link take}, and it draws which one is next. Taking the
 * last one into the place of the drawn one keeps a draw at constant time.
 */
export class DrawingBuffer<Item> {
  readonly #entries: Item[] = [];
  readonly #size: number;
  #draw: ((limit: number) => number) | undefined;

  constructor({ buffer, key }: ItemOrder) {
    this.#size = buffer;
    this.#draw = buffer > 1 ? drawsBelow(key) : undefined;
  }

  /** Whether it has as many items as it holds. */
  get isFull(): boolean {
    return this.#entries.length >= this.#size;
  }

  /** The items, in the order of their places. */
  get entries(): readonly Item[] {
    return this.#entries;
  }

  /** Adds an item. */
  push(item: Item): void {
    this.#entries.push(item);
  }

  /** Draws an item and removes it; undefined if there is none. */
  take(): Item | undefined {
    const entries = this.#entries;
    if (entries.length < 2) return entries.pop();
    const place = this.#draw?.(entries.length) ?? 0;
    const item = entries[place] as Item;
    const last = entries.pop() as Item;
    if (place < entries.length) entries[place] = last;
    return item;
  }

  /** Goes on with the draws of another buffer of the same order. */
  drawAs(other: DrawingBuffer<unknown>): void {
    this.#draw = other.#draw;
  }

  /**
   * The same draws on the numbers of items: after so many were taken, the numbers in the buffer and the number of the next one to read.
   * Undefined after an abort.
   */
  static async numbersAfter(
    order: ItemOrder,
    taken: number,
    total: number,
    signal: AbortSignal,
  ): Promise<readonly [numbers: DrawingBuffer<number>, next: number] | undefined> {
    const numbers = new DrawingBuffer<number>(order);
    if (order.buffer === 1) return [numbers, Math.min(taken, total)];
    const clock = new TurnClock();
    let next = 0;
    for (let i = 0; i < taken; i++) {
      if (i % DRAWS === 0) await clock.turnIfDue();
      if (signal.aborted) return undefined;
      for (; !numbers.isFull && next < total; numbers.push(next++)) if (next % DRAWS === 0) await clock.turnIfDue();
      numbers.take();
    }
    return [numbers, next];
  }
}
