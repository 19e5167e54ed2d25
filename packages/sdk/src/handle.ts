import type { Binding, EngineOptions, Received, Sent } from "./binding.js";
import { StepwellError, typed } from "./errors.js";
import { fromJson } from "./json.js";
import { wellFormed } from "./text.js";

declare const kind: unique symbol;

/**
 * Stands for an object of a session. It is opaque: only the functions of this package know what is behind it.
 *
 * `free` frees the object at once. A handle that is forgotten is freed some time after the garbage collector finds it,
 * which may be late: native memory is large and handles are small.
 */
export class Handle<Kind extends string = string> {
  declare readonly [kind]: Kind;
  readonly #id: bigint;

  private constructor(id: bigint) {
    this.#id = id;
  }

  /** @internal */
  static make<Kind extends string>(id: bigint): Handle<Kind> {
    return new Handle<Kind>(id);
  }

  /** @internal */
  static idOf(value: unknown): bigint | undefined {
    return typeof value === "object" && value !== null && #id in value ? value.#id : undefined;
  }
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

/** Arguments nested deeper than this are refused, before recursion could exhaust the stack. */
const DEEPEST = 300;
/** An id that no handle has, for what claims to be one. */
const NO_HANDLE = 2n ** 53n - 1n;

/** The SDK's side of a binding: handles become ids and ids become handles, and errors become typed. */
export class Engine {
  readonly #binding: Binding;
  readonly #forgotten: FinalizationRegistry<bigint>;

  constructor(binding: Binding) {
    this.#binding = binding;
    this.#forgotten = new FinalizationRegistry((id) => {
      try {
        this.#binding.call("free", [id]);
      } catch {
        // Freed before, which is the better way.
      }
    });
  }

  /** Calls a verb; the caller knows what it returns. */
  call<Result>(verb: string, ...args: readonly unknown[]): Result {
    let received: Received;
    try {
      received = this.#binding.call(
        verb,
        args.map((arg) => this.#send(arg, 0)),
      );
    } catch (error) {
      throw typed(error);
    }
    return this.#receive(received) as Result;
  }

  /** Makes a step with a closure that returns the loss. What the closure throws arrives as it was thrown. */
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
        throw error;
      }
    };
    try {
      return this.#binding.stepWithClosure(Handle.idOf(optimizer) ?? NO_HANDLE, guarded, this.#send(options, 0));
    } catch (error) {
      throw thrown ? thrown.error : typed(error);
    }
  }

  reset(): void {
    try {
      this.#binding.reset();
    } catch (error) {
      throw typed(error);
    }
  }

  async ready(options?: EngineOptions): Promise<void> {
    try {
      await this.#binding.ready(options);
    } catch (error) {
      throw typed(error);
    }
  }

  #send(value: unknown, depth: number): Sent {
    if (depth > DEEPEST) {
      throw new StepwellError("ERR_ARGUMENT", `arguments nested deeper than ${DEEPEST}`);
    }
    switch (typeof value) {
      case "bigint":
        // A number, and not a handle, for only the SDK sends those as bigints.
        return Number(value);
      case "object": {
        if (value === null || ArrayBuffer.isView(value)) return value;
        const id = Handle.idOf(value);
        if (id !== undefined) return id;
        if (Array.isArray(value)) {
          return value.every((item) => typeof item === "number")
            ? (value as readonly number[])
            : value.map((item) => this.#send(item, depth + 1));
        }
        if (value instanceof Handle) return NO_HANDLE;
        return fromJson(
          Object.fromEntries(
            Object.entries(value).map(([key, item]) => [wellFormed(key), this.#send(item, depth + 1)]),
          ),
        ) as Sent;
      }
      case "string":
        return wellFormed(value);
      default:
        return value as Sent;
    }
  }

  #receive(value: Received): unknown {
    if (typeof value === "bigint") {
      const handle = Handle.make(value);
      this.#forgotten.register(handle, value);
      return handle;
    }
    return value ?? undefined;
  }
}
