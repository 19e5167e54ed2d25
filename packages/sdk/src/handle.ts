import { idsOfKind, type ObjectKind, objectKinds } from "./generated/object-kinds.js";
import { definePrinting, plainStyle, type TextStyle } from "./inspect.js";

declare const kind: unique symbol;
/** The key by which another copy of this package recognizes a handle. */
const brand = Symbol.for("@stepwell/sdk/handle");

/** The key under which an object lists the objects that it holds, if it holds more than the handle `handle`. */
export const parts: unique symbol = Symbol("parts");

/** Objects that live as long as a handle. A console shows only few properties of a handle, so it is not one. */
const held = new WeakMap<Handle, unknown[]>();

/** The engine of a handle, as the handle needs it. */
export interface HandleOwner {
  /** The object as text; a state such as `freed` if it cannot be read. */
  textOf(handle: Handle, style: TextStyle): string;
  /** The object as JSON. */
  jsonOf(handle: Handle): unknown;
}

/**
 * Values that an object shows in the console of a page. `structuredClone` and `postMessage` cannot clone a symbol: they fail,
 * and name it.
 */
export const marks: Readonly<Record<ObjectKind, symbol>> = Object.fromEntries(
  objectKinds.map((kind) => [kind, Symbol(`${kind} of Stepwell`)]),
) as Record<ObjectKind, symbol>;

/**
 * Stands for an object of a session. It is opaque: only the functions of this package read the object.
 *
 * `free` frees the object at once. An object whose handle is forgotten is freed some time after the garbage collector has
 * found that, which may be late. A handle belongs to the copy of this package that made it, and to one engine. After `reset` has
 * replaced an engine that had stopped, handles of the former engine are invalid (`ERR_HANDLE_INVALID`).
 *
 * `console.log` and `String` show the object, without changing it. `structuredClone` and `postMessage` throw a `DataCloneError`.
 */
export class Handle<Kind extends string = string> {
  declare readonly [kind]: Kind;
  protected readonly object: symbol;
  readonly #id: number;
  readonly #owner: HandleOwner;
  #life: "young" | "watched" | "ended" = "young";
  #scope: object | undefined;

  private constructor(id: number, owner: HandleOwner) {
    this.#id = id;
    this.#owner = owner;
    this.object = marks[Handle.kindOf(this)];
  }

  static {
    Object.defineProperty(Handle.prototype, brand, { value: true });
    definePrinting(Handle.prototype, Handle.#nameOf, (handle, style) => Handle.textOf(handle, style));
  }

  /** A handle of an object of an owner, which is the registry of one engine. @internal */
  static make<Kind extends string>(id: number, owner: HandleOwner): Handle<Kind> {
    return new Handle<Kind>(id, owner);
  }

  /** The kind of a handle, as the class of its objects is called. */
  static #nameOf(handle: Handle): string {
    const kind = #id in handle ? Handle.kindOf(handle) : "handle";
    return kind.charAt(0).toUpperCase() + kind.slice(1);
  }

  /** The object of a handle as text. @internal */
  static textOf(handle: Handle, style: TextStyle): string {
    // A console may ask an object that no constructor has made.
    return #owner in handle ? handle.#owner.textOf(handle, style) : "Handle";
  }

  /** Lets objects live as long as a handle. @internal */
  static hold(handle: Handle, objects: readonly unknown[]): void {
    if (objects.length === 0) return;
    const before = held.get(handle);
    if (before === undefined) held.set(handle, [...objects]);
    else before.push(...objects);
  }

  /** The kind of object. @internal */
  static kindOf(handle: Handle): ObjectKind {
    return objectKinds[Math.floor(handle.#id / idsOfKind)] ?? "tensor";
  }

  /** Whether the handle is one of this owner. @internal */
  static isOf(handle: Handle, owner: object): boolean {
    return handle.#owner === owner;
  }

  /** The id of a handle, which the caller watches from now on; undefined if its object has been freed. @internal */
  static watch(handle: Handle): number | undefined {
    if (handle.#life !== "young") return undefined;
    handle.#life = "watched";
    return handle.#id;
  }

  /** The scope that frees the object at its end. @internal */
  static scopeOf(handle: Handle): object | undefined {
    return handle.#scope;
  }

  /** Sets the scope that frees the object at its end; undefined for none. @internal */
  static setScope(handle: Handle, scope: object | undefined): void {
    handle.#scope = scope;
  }

  /** Marks the object as freed, and returns the state before. @internal */
  static end(handle: Handle): "young" | "watched" | "ended" {
    const before = handle.#life;
    handle.#life = "ended";
    return before;
  }

  /** The id of a handle; undefined for any other value. @internal */
  static idOf(value: unknown): number | undefined {
    return typeof value === "object" && value !== null && #id in value ? value.#id : undefined;
  }

  /** The object as text: a tensor with its elements, a module as a tree, an optimizer with its groups. Large ones are cut. */
  toString(): string {
    return Handle.textOf(this, plainStyle);
  }

  /**
   * The object as JSON: a tensor with its elements, a module or an optimizer with its `state`. `tensor`, `module` and `opt` take
   * it back. A loss has its name and options, and a model its three parts. A vector and a dictionary have no JSON:
   * `ERR_ARGUMENT`.
   */
  toJSON(): unknown {
    return this.#owner.jsonOf(this);
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
