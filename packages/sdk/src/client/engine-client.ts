import type { Binding, BindingArgument, BindingResult, EngineOptions } from "../binding.js";
import { asStepwellError, hasCode, renamed, StepwellError } from "../errors.js";
import type { Handle } from "../handle.js";
import { objectText } from "../printing/object.js";
import { namedOptions } from "../values/named-options.js";
import { refuseSurplus } from "../values/refuse.js";
import { encodeArguments, handleOf, idOf, isOfAnotherEngine } from "./encode.js";
import { HandleRegistry } from "./handle-registry.js";
import type { HandleScope } from "./handle-scopes.js";
import { jsonOf } from "./json-of-object.js";
import { NumberMemory } from "./number-memory.js";
import { toThisRealm } from "./realm.js";

/** Calls an engine: converts handles into ids and ids into handles, and errors into `StepwellError`. */
export class EngineClient {
  readonly #binding: Binding;
  #registry: HandleRegistry;
  readonly #memory: NumberMemory;

  constructor(binding: Binding) {
    this.#binding = binding;
    this.#registry = this.#newRegistry();
    this.#memory = new NumberMemory(binding, () => this.#registry.freeForgotten());
  }

  /** Calls a command of the session. Messages name the function `name`, if the command has another name. */
  call(command: string, args: readonly unknown[], name = command): unknown {
    let result: BindingResult;
    // Reading arguments runs code of the caller, such as getters, whose exceptions are not errors of the engine.
    const encoded = encodeArguments(this.#registry, name, args, this.#memory.allocate);
    try {
      result = this.#callBinding(command, encoded);
    } catch (error) {
      throw renamed(this.#error(error, args), command, name);
    }
    this.#memory.reclaim(encoded);
    return this.#decode(result);
  }

  /** Frees objects; without arguments, all objects. */
  free(handles: readonly unknown[]): void {
    this.call("free", handles);
    if (handles.length === 0) this.#registry.freedAll();
    for (const handle of handles) this.#registry.freed(handleOf(handle) as Handle);
  }

  /** Opens a scope, which collects the handles that are made from now on. */
  openScope(): HandleScope {
    return this.#registry.scopes.open();
  }

  /** Frees the objects of a scope. */
  closeScope(scope: HandleScope): void {
    this.#registry.close(scope);
  }

  /** Takes handles out of a scope, or out of all scopes. */
  keep(handles: Iterable<Handle>, scope?: HandleScope): void {
    const { scopes } = this.#registry;
    for (const handle of handles) scope === undefined ? scopes.remove(handle) : scopes.moveOut(handle, scope);
  }

  /** Calls a function whose new objects belong to no scope, since an object of the caller holds them. */
  withoutScope<Result>(make: () => Result): Result {
    return this.#registry.scopes.suspend(make);
  }

  /** Begins or ends to record where objects are made. */
  trace(flag: boolean): void {
    this.#registry.trace(flag);
  }

  /** Where objects were made, by id, as far as it was recorded. */
  placesOf(ids: readonly bigint[]): ReadonlyMap<bigint, string> {
    return this.#registry.placesOf(ids);
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
    const [encoded] = encodeArguments(this.#registry, "step", [options], this.#memory.allocate, 3);
    try {
      return this.#binding.stepWithClosure(idOf(this.#registry, optimizer), guarded, encoded);
    } catch (error) {
      throw thrown ? thrown.error : this.#error(error, [optimizer]);
    }
  }

  /** Frees every object and restores the initial state of the engine. */
  reset(surplus: readonly unknown[]): void {
    refuseSurplus("reset", surplus);
    let isAnother: boolean;
    try {
      isAnother = this.#binding.reset();
    } catch (error) {
      throw asStepwellError(error);
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
      throw asStepwellError(error);
    }
  }

  /** The libtorch of the native engine. */
  get libtorch(): Binding["libtorch"] {
    return this.#binding.libtorch;
  }

  /** Calls the binding. If memory is short it frees forgotten objects and unused device memory, and calls once more. */
  #callBinding(command: string, encoded: readonly BindingArgument[]): BindingResult {
    try {
      return this.#binding.call(command, encoded);
    } catch (error) {
      if (!hasCode(error, "ERR_MEMORY")) throw error;
      const freed = this.#registry.freeForgotten();
      const released = this.#binding.releaseMemory?.() ?? false;
      if (!freed && !released) throw error;
      return this.#binding.call(command, encoded);
    }
  }

  #decode(result: BindingResult): unknown {
    if (typeof result === "bigint") return this.#registry.handle(result);
    if (Array.isArray(result) && typeof result[0] === "bigint")
      return result.map((id: bigint) => this.#registry.handle(id));
    return toThisRealm(result) ?? undefined;
  }

  /** An error of a call; if one of its arguments is a handle of another engine, the message says so. */
  #error(error: unknown, args: readonly unknown[]): unknown {
    const known = asStepwellError(error);
    if (!(known instanceof StepwellError) || known.code !== "ERR_HANDLE_INVALID") return known;
    const position = args.findIndex((arg) => isOfAnotherEngine(this.#registry, arg));
    if (position < 0) return known;
    const message = `${known.message}: argument ${position + 1} is of another engine, or of one that reset() has replaced`;
    return new StepwellError(known.code, message);
  }

  #newRegistry(): HandleRegistry {
    const call = (command: string, args: readonly unknown[]) => this.call(command, args);
    return new HandleRegistry((ids) => this.#binding.call("release", ids), {
      textOf: (handle, style) => objectText(call, handle, style),
      jsonOf: (handle) => jsonOf(call, handle),
    });
  }
}
