// A source that a pass reads: any kind of iterable or stream, as one iterator that is closed in every case.

import type { Items, SourceStart } from "../types/data-sources.js";
import { describeValue } from "../values/describe.js";
import { isRevoked } from "../values/plain-data.js";
import { isPromise } from "../values/promise.js";
import { refuse } from "../values/refuse.js";
import { SourceFailure } from "./source-failure.js";

type Result<Item> = IteratorResult<Item | PromiseLike<Item>>;

/** Items of a pass, one after the other. */
export class OpenSource<Item> {
  readonly #iterator: Iterator<Item | PromiseLike<Item>> | AsyncIterator<Item>;
  /** Ends a stream of Node that is being waited for, which `return` would wait for. */
  readonly #destroy: (() => void) | undefined;
  #isPending = false;
  #isOver = false;

  private constructor(iterator: Iterator<Item> | AsyncIterator<Item>, destroy: (() => void) | undefined) {
    this.#iterator = iterator;
    this.#destroy = destroy;
  }

  /** Opens the items, or those that a function returns. An exception of the source is a {@link SourceFailure}. */
  static async open<Item>(
    where: string,
    items: Items<Item> | ((start: SourceStart) => Items<Item> | PromiseLike<Items<Item>>),
    start: SourceStart,
  ): Promise<OpenSource<Item>> {
    const opened = await SourceFailure.of(async () => (typeof items === "function" ? items(start) : items));
    const iterator = SourceFailure.of(() => {
      const found: unknown = iteratorOf(opened);
      return typeof Object(found).next === "function" ? (found as Iterator<Item> | AsyncIterator<Item>) : undefined;
    });
    if (iterator === undefined) {
      refuse(where, "an iterable, an asynchronous iterable or a stream", opened);
    }
    const { destroy } = opened as { readonly destroy?: unknown };
    const isNodeStream = typeof destroy === "function" && "pipe" in opened;
    return new OpenSource(iterator, isNodeStream ? () => Reflect.apply(destroy, opened, []) : undefined);
  }

  /** The next item, or a promise of it if the source is asynchronous; undefined at the end. */
  next(): Item | undefined | Promise<Item | undefined> {
    if (this.#isOver) return undefined;
    try {
      const result: unknown = this.#iterator.next();
      return isPromise(result) ? this.#wait(result as Promise<Result<Item>>) : this.#value(result as Result<Item>);
    } catch (error) {
      this.#isOver = true;
      throw SourceFailure.from(error);
    }
  }

  /**
   * Tells the source that no more items are needed. While an item is awaited, it does not wait for the source: a generator answers only
   * after that item. Unless the pass has failed, an error of the source is thrown.
   */
  async close(hasFailed: boolean): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    const isPending = this.#isPending;
    try {
      if (isPending && this.#destroy) {
        this.#destroy();
        return;
      }
      const closing: unknown = this.#iterator.return?.();
      if (isPending) isPromise(closing);
      else await closing;
    } catch (error) {
      if (!hasFailed) throw SourceFailure.from(error);
    }
  }

  async #wait(result: Promise<Result<Item>>): Promise<Item | undefined> {
    this.#isPending = true;
    try {
      return await this.#value(await result);
    } catch (error) {
      this.#isOver = true;
      throw SourceFailure.from(error);
    } finally {
      this.#isPending = false;
    }
  }

  #value(result: Result<Item>): Item | undefined | Promise<Item | undefined> {
    if (typeof result !== "object" || result === null) {
      throw new TypeError(`the iterator of the source returned ${describeValue(result)}`);
    }
    if (result.done) {
      this.#isOver = true;
      return undefined;
    }
    const { value } = result;
    if (isPromise(value)) return this.#settle(value as PromiseLike<Item>);
    // Undefined means the end here. An item of null is refused by the reader, as one of undefined would be.
    return (value as Item) ?? (null as Item);
  }

  async #settle(value: PromiseLike<Item>): Promise<Item> {
    this.#isPending = true;
    try {
      return (await value) ?? (null as Item);
    } catch (error) {
      throw SourceFailure.from(error);
    } finally {
      this.#isPending = false;
    }
  }
}

function iteratorOf<Item>(items: Items<Item>): Iterator<Item> | AsyncIterator<Item> | undefined {
  if (typeof items !== "object" || items === null || isRevoked(items)) return undefined;
  const given = items as Partial<AsyncIterable<Item> & Iterable<Item>> & { readonly getReader?: unknown };
  // Its reader can be cancelled while an item is awaited; its iterator cannot.
  if (typeof given.getReader === "function") return readerOf(items as WebItems<Item>);
  if (typeof given[Symbol.asyncIterator] === "function") return given[Symbol.asyncIterator]?.();
  return typeof given[Symbol.iterator] === "function" ? given[Symbol.iterator]?.() : undefined;
}

type WebItems<Item> = Extract<Items<Item>, { getReader(): unknown }>;

/** A stream of the web as an iterator. Some browsers cannot iterate it. */
function readerOf<Item>(stream: WebItems<Item>): AsyncIterator<Item> {
  const reader = stream.getReader();
  return {
    next: () => reader.read() as Promise<IteratorResult<Item>>,
    return: async () => {
      await reader.cancel();
      return { done: true, value: undefined };
    },
  };
}

/** Whether items have one pass alone: an iterator, or a stream. */
export function isSinglePass(items: unknown): boolean {
  if (typeof items !== "object" || items === null || isRevoked(items)) return false;
  return ["next", "getReader", "pipe"].some((name) => typeof (items as Record<string, unknown>)[name] === "function");
}
