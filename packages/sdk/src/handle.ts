import type { Binding, EngineOptions, Received, Sent } from "./binding.js";
import { isOutOfMemory, typed } from "./errors.js";
import { refuseSurplus } from "./fluent/refuse.js";
import { namedOptions } from "./named-options.js";
import { local } from "./realm.js";
import { handleOf, idOf, send } from "./send.js";
import { Session } from "./session.js";

declare const kind: unique symbol;
/** By which another copy of this package knows a handle. */
const brand = Symbol.for("@stepwell/sdk/handle");

/**
 * Stands for an object of a session. It is opaque: only the functions of this package know what is behind it.
 *
 * `free` frees the object at once. An object whose handle is forgotten is freed some time after the garbage collector has found
 * that, which may be late. A handle belongs to the copy of this package that made it, and to that engine: where an engine that
 * had stopped was replaced by `reset`, the handles of before are no handles any more (`ERR_HANDLE_INVALID`).
 */
export class Handle<Kind extends string = string> {
  declare readonly [kind]: Kind;
  readonly #id: bigint;
  readonly #session: Session;
  #life: "young" | "watched" | "ended" = "young";

  private constructor(id: bigint, session: Session) {
    this.#id = id;
    this.#session = session;
  }

  static {
    Object.defineProperty(Handle.prototype, brand, { value: true });
  }

  /** @internal */
  static make<Kind extends string>(id: bigint, session: Session): Handle<Kind> {
    return new Handle<Kind>(id, session);
  }

  /** Whether the handle is one of this session. @internal */
  static isOf(handle: Handle, session: Session): boolean {
    return handle.#session === session;
  }

  /** The id of a handle that is to be watched from now on; undefined if its object has been freed. @internal */
  static watch(handle: Handle): bigint | undefined {
    if (handle.#life !== "young") return undefined;
    handle.#life = "watched";
    return handle.#id;
  }

  /** The object has been freed. Tells what was so before. @internal */
  static end(handle: Handle): "young" | "watched" | "ended" {
    const before = handle.#life;
    handle.#life = "ended";
    return before;
  }

  /** @internal */
  static idOf(value: unknown): bigint | undefined {
    return typeof value === "object" && value !== null && #id in value ? value.#id : undefined;
  }
}

/** Whether an object is, or holds, a handle that another copy of this package has made. */
export function isForeignHandle(value: object): boolean {
  const isForeign = (object: object) => brand in object && Handle.idOf(object) === undefined;
  const held: unknown = "handle" in value ? value.handle : undefined;
  return isForeign(value) || (typeof held === "object" && held !== null && isForeign(held));
}

/** A tensor. */
export type TensorHandle = Handle<"tensor">;
/** A list of tensors. */
export type VectorHandle = Handle<"vector">;
/** Tensors by name. */
export type DictionaryHandle = Handle<"dictionary">;
/** A module with its parameters. */
export type ModuleHandle = Handle<"module">;
/** An optimizer with its parameter groups and state. */
export type OptimizerHandle = Handle<"optimizer">;
/** A loss with its options. */
export type LossHandle = Handle<"loss">;
/** A module with the loss and the optimizer that train it. */
export type ModelHandle = Handle<"model">;
/** Any object. */
export type AnyHandle =
  | TensorHandle
  | VectorHandle
  | DictionaryHandle
  | ModuleHandle
  | OptimizerHandle
  | LossHandle
  | ModelHandle;

/** The SDK's side of a binding: handles become ids and ids become handles, and errors become typed. */
export class Engine {
  readonly #binding: Binding;
  #session: Session;

  constructor(binding: Binding) {
    this.#binding = binding;
    this.#session = this.#newSession();
  }

  /** Calls a verb; the caller knows what it returns. */
  call<Result>(verb: string, ...args: readonly unknown[]): Result {
    let received: Received;
    // Reading arguments runs code of the caller's, such as getters: what that throws is not the engine's.
    const sent = send(this.#session, verb, args);
    try {
      received = this.#binding.call(verb, sent);
    } catch (error) {
      if (!isOutOfMemory(error) || !this.#session.freeForgotten()) throw typed(error);
      received = this.#again(verb, sent);
    }
    return this.#receive(received) as Result;
  }

  /** Frees objects, or all. */
  free(...handles: readonly AnyHandle[]): void {
    this.call("free", ...handles);
    if (handles.length === 0) this.#session.freedAll();
    for (const handle of handles) this.#session.freed(handleOf(handle) as Handle);
  }

  /** Gives the first handle what the second one stands for, which is freed. */
  use(handle: AnyHandle, other: AnyHandle, ...rest: readonly unknown[]): void {
    this.call("use", handle, other, ...rest);
    this.#session.freed(handleOf(other) as Handle);
  }

  /**
   * Makes a step with a closure that returns the loss. What the closure throws arrives as it was thrown: it is kept here,
   * and the binding learns only that there is no loss. To look into an exception runs code of the caller's.
   */
  stepWithClosure(
    optimizer: OptimizerHandle | ModelHandle | ModuleHandle,
    closure: () => number,
    options: unknown,
  ): number {
    let thrown: { readonly error: unknown } | undefined;
    const guarded = () => {
      try {
        return closure();
      } catch (error) {
        thrown = { error };
        return null;
      }
    };
    const [sent] = send(this.#session, "step", [options], 3);
    try {
      return this.#binding.stepWithClosure(idOf(this.#session, optimizer), guarded, sent);
    } catch (error) {
      throw thrown ? thrown.error : typed(error);
    }
  }

  reset(...rest: readonly unknown[]): void {
    refuseSurplus("reset", rest);
    let isAnother: boolean;
    try {
      isAnother = this.#binding.reset();
    } catch (error) {
      throw typed(error);
    }
    this.#session.freedAll();
    // Nothing that was made before means anything to another engine.
    if (isAnother) this.#session = this.#newSession();
  }

  async ready(options: EngineOptions = {}, ...rest: readonly unknown[]): Promise<void> {
    refuseSurplus("ready", rest);
    const given = namedOptions<EngineOptions>("ready", options, ["memory", "module"]);
    try {
      await this.#binding.ready(given);
    } catch (error) {
      throw typed(error);
    }
  }

  #receive(value: Received): unknown {
    if (typeof value === "bigint") return this.#session.handle(value);
    return local(value) ?? undefined;
  }

  #newSession(): Session {
    return new Session((ids) => this.#binding.call("release", ids));
  }

  /** Calls a verb that found no memory, since there may be some now. */
  #again(verb: string, sent: readonly Sent[]): Received {
    try {
      return this.#binding.call(verb, sent);
    } catch (error) {
      throw typed(error);
    }
  }
}
