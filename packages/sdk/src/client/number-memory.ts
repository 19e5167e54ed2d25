// Memory for the numbers of a call, outside of the JavaScript heap.

import type { Binding, BindingArgument } from "../binding.js";
import { StepwellError } from "../errors.js";

/** In bytes, the size from which the C library gets memory from the system, whose first use costs more than the numbers. */
const MIN_KEPT = 2 ** 17;

/** Makes memory, and keeps the last until the garbage collector takes it. */
export class NumberMemory {
  readonly #binding: Binding;
  readonly #freeForgotten: () => boolean;
  /** All that it has made. Arguments may have memory of the caller, which is not kept. */
  readonly #made = new WeakSet<ArrayBufferLike>();
  #kept: WeakRef<ArrayBufferLike> | undefined;

  constructor(binding: Binding, freeForgotten: () => boolean) {
    this.#binding = binding;
    this.#freeForgotten = freeForgotten;
  }

  /** Memory for a call of a function. If there is none, forgotten objects are freed first, else it is `ERR_MEMORY`. */
  readonly allocate = (name: string, bytes: number): ArrayBufferLike => {
    const kept = this.#kept?.deref();
    // Reading the numbers may run code of the caller, whose calls need memory of their own.
    this.#kept = undefined;
    if (kept && kept.byteLength >= bytes) return kept;
    for (;;) {
      try {
        this.#binding.checkMemory?.(bytes);
        const made = new ArrayBuffer(bytes);
        if (bytes >= MIN_KEPT) this.#made.add(made);
        return made;
      } catch {
        if (!this.#freeForgotten()) {
          throw new StepwellError("ERR_MEMORY", `${name}: out of memory allocating ${bytes} bytes`);
        }
      }
    }
  };

  /** Keeps memory of the arguments of a call, which the engine has read. */
  reclaim(encoded: readonly BindingArgument[]): void {
    for (const argument of encoded) {
      if (typeof argument !== "object" || argument === null) continue;
      const view = "data" in argument ? argument.data : argument;
      if (ArrayBuffer.isView(view) && this.#made.has(view.buffer)) this.#kept = new WeakRef(view.buffer);
    }
  }
}
