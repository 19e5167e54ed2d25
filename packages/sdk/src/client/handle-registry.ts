// Which objects nobody holds a handle of any more, and when they are freed.

import { Handle } from "./handle.js";

/** Handles that are held before the garbage collector is told of those that are not freed yet. */
const YOUNG = 512;
/** Forgotten objects that are freed between two looks at the clock. */
const BATCH = 64;
/** Milliseconds of one turn of the event loop after which freeing goes on in the next. */
const TURN = 4;

/**
 * The objects of an engine, as far as handles go: what one session has made, no other one knows.
 *
 * Objects whose handles are forgotten are freed a few at a time, so that the event loop never waits long. To have the garbage
 * collector watch a handle takes longer than many a call, and it reports nothing before the event loop turns: so a handle is
 * watched only if it has not been freed by then, or by the time that there are many.
 */
export class Session {
  readonly #release: (ids: readonly bigint[]) => void;
  #young: Handle[] = [];
  #registry = this.#newRegistry();
  #forgotten: bigint[] = [];
  #isPlanned = false;

  /** `release` frees those of the objects that live, and throws only where all are lost. */
  constructor(release: (ids: readonly bigint[]) => void) {
    this.#release = release;
  }

  /** A handle of a new object. */
  handle(id: bigint): Handle {
    const handle = Handle.make(id, this);
    const count = this.#young.push(handle);
    if (count === 1) void Promise.resolve().then(() => this.#watch());
    else if (count === YOUNG) this.#watch();
    return handle;
  }

  /** The object of a handle has been freed: there is nothing to watch any more. */
  freed(handle: Handle): void {
    if (Handle.end(handle) === "watched") this.#registry.unregister(handle);
  }

  /** All objects have been freed. */
  freedAll(): void {
    this.#young = [];
    this.#registry = this.#newRegistry();
    this.#forgotten = [];
  }

  /** Frees at once what is known to be forgotten; false if there is nothing. */
  freeForgotten(): boolean {
    const ids = this.#forgotten;
    this.#forgotten = [];
    if (ids.length > 0) this.#release(ids);
    return ids.length > 0;
  }

  #watch(): void {
    const young = this.#young;
    this.#young = [];
    for (const handle of young) {
      const id = Handle.watch(handle);
      if (id !== undefined) this.#registry.register(handle, id, handle);
    }
  }

  #newRegistry(): FinalizationRegistry<bigint> {
    return new FinalizationRegistry((id) => {
      this.#forgotten.push(id);
      this.#plan();
    });
  }

  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    // A program that is at its end does not wait for it.
    const timer: unknown = setTimeout(() => this.#freeSome(), 0);
    (timer as { unref?: () => void }).unref?.();
  }

  #freeSome(): void {
    this.#isPlanned = false;
    const end = Date.now() + TURN;
    try {
      do this.#release(this.#forgotten.splice(-BATCH));
      while (this.#forgotten.length > 0 && Date.now() < end);
    } catch {
      // The engine has stopped, and all objects are lost.
      this.#forgotten = [];
    }
    if (this.#forgotten.length > 0) this.#plan();
  }
}
