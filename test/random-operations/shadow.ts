// The shadow model: the objects that live, according to the calls so far.

import * as k from "@stepwell/sdk";

export type Kind = ReturnType<typeof k.classof>;

/** An object and its handle. */
export interface Entry {
  /** Counts up in a sequence, so that a program can name it. */
  readonly number: number;
  readonly kind: Kind;
  readonly handle: k.AnyHandle;
}

/** How many freed handles are remembered, to be used again. */
const mostFreed = 40;

/** Handles that live, and some that were freed. */
export class Shadow {
  readonly #live = new Map<k.AnyHandle, Entry>();
  readonly #freed: Entry[] = [];
  #made = 0;

  get live(): readonly Entry[] {
    return [...this.#live.values()];
  }

  get freed(): readonly Entry[] {
    return this.#freed;
  }

  get count(): number {
    return this.#live.size;
  }

  of(...kinds: readonly Kind[]): readonly Entry[] {
    return this.live.filter((entry) => kinds.includes(entry.kind));
  }

  entry(handle: unknown): Entry | undefined {
    return this.#live.get(handle as k.AnyHandle) ?? this.#freed.find((entry) => entry.handle === handle);
  }

  lives(handle: unknown): boolean {
    return this.#live.has(handle as k.AnyHandle);
  }

  /** Takes a handle that a call returned. */
  add(handle: k.AnyHandle): Entry {
    const entry = { number: this.#made++, kind: k.classof(handle), handle };
    this.#live.set(handle, entry);
    return entry;
  }

  /** The object of a handle was freed. */
  drop(handle: unknown): void {
    const entry = this.#live.get(handle as k.AnyHandle);
    if (entry === undefined) return;
    this.#live.delete(entry.handle);
    this.#freed.push(entry);
    if (this.#freed.length > mostFreed) this.#freed.shift();
  }

  dropAll(): void {
    for (const { handle } of this.live) this.drop(handle);
  }
}
