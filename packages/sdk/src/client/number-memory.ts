// Memory for the numbers of a call, outside of the JavaScript heap.

import type { Binding, BindingArgument } from "../binding.js";
import { StepwellError } from "../errors.js";

/** In bytes, the size from which the C library gets memory from the system, whose first use costs more than the numbers. */
const MIN_KEPT = 2 ** 17;

/** Makes memory, and keeps the last until the garbage collector takes it. */
export class NumberMemory {
  readonly #binding: Binding;
  readonly #freeForgotten: () => boolean;
  #kept: WeakRef<ArrayBufferLike> | undefined;

  constructor(binding: Binding, freeForgotten: () => boolean) {
    this.#binding = binding;
    this.#freeForgotten = freeForgotten;
  }

  /** Memory for numbers in a call of a function. If there is none, forgotten objects are freed first, else it is `ERR_MEMORY`. */
  readonly allocate = (name: string, count: number): Float64Array => {
    const bytes = count * Float64Array.BYTES_PER_ELEMENT;
    const kept = this.#kept?.deref();
    // Reading the numbers may run code of the caller, whose calls need memory of their own.
    this.#kept = undefined;
    if (kept && kept.byteLength >= bytes) return new Float64Array(kept, 0, count);
    for (;;) {
      try {
        this.#binding.checkMemory?.(bytes);
        return new Float64Array(count);
      } catch {
        if (!this.#freeForgotten())
          throw new StepwellError("ERR_MEMORY", `${name}: out of memory allocating ${bytes} bytes`);
      }
    }
  };

  /** Keeps memory of the arguments of a call, which the engine has read. */
  reclaim(encoded: readonly BindingArgument[]): void {
    for (const argument of encoded) {
      if (argument instanceof BigUint64Array && argument.byteLength >= MIN_KEPT)
        this.#kept = new WeakRef(argument.buffer);
    }
  }
}
