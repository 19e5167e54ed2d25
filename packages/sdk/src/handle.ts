declare const kind: unique symbol;
/** The key by which another copy of this package recognizes a handle. */
const brand = Symbol.for("@stepwell/sdk/handle");

/**
 * Stands for an object of a session. It is opaque: only the functions of this package read the object.
 *
 * `free` frees the object at once. An object whose handle is forgotten is freed some time after the garbage collector has
 * found that, which may be late. A handle belongs to the copy of this package that made it, and to one engine. After `reset` has
 * replaced an engine that had stopped, handles of the former engine are invalid (`ERR_HANDLE_INVALID`).
 */
export class Handle<Kind extends string = string> {
  declare readonly [kind]: Kind;
  readonly #id: bigint;
  readonly #owner: object;
  #life: "young" | "watched" | "ended" = "young";

  private constructor(id: bigint, owner: object) {
    this.#id = id;
    this.#owner = owner;
  }

  static {
    Object.defineProperty(Handle.prototype, brand, { value: true });
  }

  /** A handle of an object of an owner, which is the registry of one engine. @internal */
  static make<Kind extends string>(id: bigint, owner: object): Handle<Kind> {
    return new Handle<Kind>(id, owner);
  }

  /** Whether the handle is one of this owner. @internal */
  static isOf(handle: Handle, owner: object): boolean {
    return handle.#owner === owner;
  }

  /** The id of a handle, which the caller watches from now on; undefined if its object has been freed. @internal */
  static watch(handle: Handle): bigint | undefined {
    if (handle.#life !== "young") return undefined;
    handle.#life = "watched";
    return handle.#id;
  }

  /** Marks the object as freed, and returns the state before. @internal */
  static end(handle: Handle): "young" | "watched" | "ended" {
    const before = handle.#life;
    handle.#life = "ended";
    return before;
  }

  /** The id of a handle; undefined for any other value. @internal */
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
