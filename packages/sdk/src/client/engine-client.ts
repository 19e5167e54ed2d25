import type { Binding, BindingArgument, BindingResult, EngineOptions } from "../binding.js";
import { isOutOfMemory, typed } from "../errors.js";
import type { Handle } from "../handle.js";
import { namedOptions } from "../values/named-options.js";
import { refuseSurplus } from "../values/refuse.js";
import { encodeArguments, handleOf, idOf } from "./encode.js";
import { HandleRegistry } from "./handle-registry.js";
import { local } from "./realm.js";

/** Calls an engine: converts handles into ids and ids into handles, and errors into `StepwellError`. */
export class EngineClient {
  readonly #binding: Binding;
  #registry: HandleRegistry;

  constructor(binding: Binding) {
    this.#binding = binding;
    this.#registry = this.#newRegistry();
  }

  /** Calls a command of the session. */
  call(command: string, args: readonly unknown[]): unknown {
    let result: BindingResult;
    // Reading arguments runs code of the caller, such as getters, whose exceptions are not errors of the engine.
    const encoded = encodeArguments(this.#registry, command, args);
    try {
      result = this.#binding.call(command, encoded);
    } catch (error) {
      if (!isOutOfMemory(error) || !this.#registry.freeForgotten()) throw typed(error);
      result = this.#callAgain(command, encoded);
    }
    return this.#decode(result);
  }

  /** Frees objects; without arguments, all objects. */
  free(handles: readonly unknown[]): void {
    this.call("free", handles);
    if (handles.length === 0) this.#registry.freedAll();
    for (const handle of handles) this.#registry.freed(handleOf(handle) as Handle);
  }

  /** Makes the first handle stand for the object of the second one, whose handle is freed. */
  use(args: readonly unknown[]): void {
    this.call("use", args);
    this.#registry.freed(handleOf(args[1]) as Handle);
  }

  /**
   * Makes a step with a closure that returns the loss. An exception of the closure arrives as it was thrown: it is kept here,
   * and the binding learns only that there is no loss. The binding never reads it, since that would run code of the caller.
   */
  stepWithClosure(optimizer: unknown, closure: () => number, options: unknown): number {
    let thrown: { readonly error: unknown } | undefined;
    const guarded = () => {
      try {
        return closure();
      } catch (error) {
        thrown = { error };
        return null;
      }
    };
    const [encoded] = encodeArguments(this.#registry, "step", [options], 3);
    try {
      return this.#binding.stepWithClosure(idOf(this.#registry, optimizer), guarded, encoded);
    } catch (error) {
      throw thrown ? thrown.error : typed(error);
    }
  }

  /** Frees every object and restores the initial state of the engine. */
  reset(surplus: readonly unknown[]): void {
    refuseSurplus("reset", surplus);
    let isAnother: boolean;
    try {
      isAnother = this.#binding.reset();
    } catch (error) {
      throw typed(error);
    }
    this.#registry.freedAll();
    // Handles of the former engine mean nothing to another one.
    if (isAnother) this.#registry = this.#newRegistry();
  }

  /** Resolves when the engine has started. */
  async ready(options: unknown = {}, ...surplus: readonly unknown[]): Promise<void> {
    refuseSurplus("ready", surplus);
    const given = namedOptions<EngineOptions>("ready", options, ["memory", "module"]);
    try {
      await this.#binding.ready(given);
    } catch (error) {
      throw typed(error);
    }
  }

  #decode(result: BindingResult): unknown {
    if (typeof result === "bigint") return this.#registry.handle(result);
    return local(result) ?? undefined;
  }

  #newRegistry(): HandleRegistry {
    return new HandleRegistry((ids) => this.#binding.call("release", ids));
  }

  /** Calls a command once more after memory has been freed. */
  #callAgain(command: string, encoded: readonly BindingArgument[]): BindingResult {
    try {
      return this.#binding.call(command, encoded);
    } catch (error) {
      throw typed(error);
    }
  }
}
