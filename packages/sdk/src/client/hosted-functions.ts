// Functions of JavaScript that the engine calls in a pass: forward passes of own modules, and losses.

import type { Handle, ModuleHandle, TensorHandle } from "../handle.js";

/** A function that the engine calls in a pass. */
export interface HostedFunction {
  /** The name of the call in messages. */
  readonly where: string;
  /** The outputs for some inputs. The inputs are freed after the pass. */
  run(inputs: readonly TensorHandle[]): readonly unknown[];
  /**
   * The function of a copy of the module; `module` is the copy, and `copies` has the copies of modules within it. Without it a copy
   * shares the function.
   */
  copy?(module: ModuleHandle, copies: ReadonlyMap<HostedFunction, HostedFunction>): HostedFunction;
}

/** The commands that may call functions. */
const hosted: ReadonlySet<string> = new Set([
  ...["forward", "evaluate", "run", "testrun", "batch", "testbatch", "backward", "gradient"],
]);

/** Calls of functions with a backward after which functions without a graph are forgotten, at the earliest. */
const MIN_APPLIED = 64;

/**
 * Functions by their numbers, which the engine has. Handles of modules hold their functions. An object that is made of modules holds their
 * handles. A function is collected with the last of them.
 */
export class HostedFunctions {
  #count = 0;
  readonly #functions = new Map<number, WeakRef<HostedFunction>>();
  readonly #ofGraphs = new Map<number, HostedFunction>();
  /** Calls of functions with a backward since the search for graphs. */
  #applied = 0;
  #nextSearch = MIN_APPLIED;
  readonly #collected = new FinalizationRegistry<number>((number) => this.#functions.delete(number));

  /** Whether a command may call a function. */
  areCalledBy(command: string): boolean {
    return this.#count > 0 && hosted.has(command);
  }

  /** Whether there has been a function. */
  get areUsed(): boolean {
    return this.#count > 0;
  }

  /** The number of a new function. A handle has to hold the function. */
  add(hosted: HostedFunction): number {
    this.#count += 1;
    this.#functions.set(this.#count, new WeakRef(hosted));
    this.#collected.register(hosted, this.#count);
    return this.#count;
  }

  /** Lets a function live as long as a graph may call it. `called` gives the numbers of such functions. */
  holdForGraph(number: number, hosted: HostedFunction, called: () => readonly number[]): void {
    this.#ofGraphs.set(number, hosted);
    this.#applied += 1;
    if (this.#applied < this.#nextSearch) return;
    const numbers = called();
    // After as many calls as graphs have been found, so that a call looks at few on average.
    [this.#applied, this.#nextSearch] = [0, Math.max(MIN_APPLIED, numbers.length)];
    const living = new Set(numbers);
    for (const other of this.#ofGraphs.keys()) if (!living.has(other)) this.#ofGraphs.delete(other);
  }

  /** The function of a number; undefined if no handle of its module has been left. */
  get(number: number): HostedFunction | undefined {
    return this.#functions.get(number)?.deref();
  }
}

/** The handles that an object which is made of them holds, so that their functions live on. */
export function holders(handles: Iterable<Handle>, kindOf: (handle: Handle) => string): readonly Handle[] {
  return [...handles].filter((handle) => !["tensor", "vector", "dictionary"].includes(kindOf(handle)));
}
