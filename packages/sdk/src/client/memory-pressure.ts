// When forgotten objects are looked for: the garbage collector sees handles, which are small, and not the memory of their objects.

import { type GarbageCollector, garbageCollector } from "./garbage-collector.js";

/** In bytes. The least growth of the memory of objects after which garbage is collected. It bounds what forgotten objects keep. */
const MIN_GROWTH = 2 ** 24;
/** In bytes. The most growth to which slow collections raise it. */
const MAX_GROWTH = 2 ** 28;
/** The share of processor time that collections may take before they become rarer. */
const MAX_SHARE = 1 / 8;
/** In milliseconds of processor time. A faster collection is never too slow: it takes less than 5 for the heap of a small program. */
const FAST = 50;
/** Number of new handles between two looks at the memory. */
const INTERVAL = 32;

/** Watches the memory of the objects of one engine, and says when garbage is to be collected. */
export class MemoryPressure {
  readonly #bytes: () => number;
  #garbage: GarbageCollector | undefined;
  #isReady = false;
  #count = 0;
  #growth = MIN_GROWTH;
  #limit = MIN_GROWTH;
  /** When the last collection ended, in milliseconds of processor time. */
  #last = 0;
  /** Bytes that were reported by memory in `#ballast`. */
  #told = 0;
  /** Empty memory by handle. The garbage collector of a page counts its bytes, and so collects the handle sooner. */
  readonly #ballast = new WeakMap<object, ArrayBuffer>();

  /** `bytes` gives the memory of all objects. */
  constructor(bytes: () => number) {
    this.#bytes = bytes;
  }

  /** Whether garbage is to be collected after a new handle was made. */
  grows(handle: object): boolean {
    if (++this.#count % INTERVAL !== 0) return false;
    const bytes = this.#bytes();
    if (bytes < this.#limit) return false;
    if (this.#collector() !== undefined) return true;
    this.#tell(handle, bytes);
    return false;
  }

  /** Collects garbage, and calls `sweep`, which frees the objects whose handles are gone. False in a page, which cannot ask for it. */
  collect(sweep: () => void): boolean {
    const garbage = this.#collector();
    if (garbage === undefined) return false;
    const start = garbage.time();
    garbage.collect();
    sweep();
    const end = garbage.time();
    const isSlow = end - start > Math.max(FAST, (end - this.#last) * MAX_SHARE);
    this.#growth = isSlow ? Math.min(MAX_GROWTH, 2 * this.#growth) : Math.max(MIN_GROWTH, this.#growth / 2);
    this.#last = end;
    const bytes = this.#bytes();
    this.#limit = bytes + Math.max(this.#growth, bytes / 2);
    return true;
  }

  #collector(): GarbageCollector | undefined {
    if (!this.#isReady) {
      this.#isReady = true;
      this.#garbage = garbageCollector();
    }
    return this.#garbage;
  }

  /** Gives a handle memory as large as the growth since the last time, which a page does not fill. */
  #tell(handle: object, bytes: number): void {
    this.#limit = bytes + MIN_GROWTH / 16;
    const growth = bytes - this.#told;
    this.#told = bytes;
    if (growth > 0) this.#ballast.set(handle, new ArrayBuffer(Math.min(growth, MAX_GROWTH)));
  }
}
