import type { ObjectKind } from "../../generated/object-kinds.js";
import { type AnyHandle, Handle, marks } from "../../handle.js";
import { definePrinting, plainStyle, type TextStyle } from "../../inspect.js";
import type { Parameters } from "../../types/arguments.js";
import type { Held } from "../../types/objects.js";
import { refuseReceiver, refuseSurplus } from "../../values/refuse.js";
import { clip, clipv, nograd, zerograd } from "../functions/gradients.js";
import { bytes, classof, elements, tensorcount } from "../functions/objects.js";
import { release } from "./held.js";

/** A handle that is made when it is first needed. */
export interface LaterHandle<Kind extends AnyHandle> {
  /** Whether it has been made. */
  readonly isMade: boolean;
  /** The handle. */
  handle(): Kind;
}

/** The kind of an object of a class, without its handle; undefined for any other object. */
export let kindOf: (object: HeldObject<AnyHandle>) => ObjectKind | undefined;

/** The members of all classes: the handle, counts, gradients, texts and the end of the life of an object. */
export abstract class HeldObject<Kind extends AnyHandle> implements Held<Kind> {
  protected readonly object: symbol;
  readonly #kind: ObjectKind;
  readonly #handle: Kind | LaterHandle<Kind>;

  /** An object of a handle, which has been checked, or of one that is made when it is first needed. */
  protected constructor(kind: ObjectKind, handle: Kind | LaterHandle<Kind>) {
    this.object = marks[kind];
    this.#kind = kind;
    this.#handle = handle;
  }

  static {
    definePrinting(
      HeldObject.prototype as HeldObject<AnyHandle>,
      (object) => object.constructor.name,
      (object, style) => (#handle in object ? HeldObject.#textOf(object, style) : "HeldObject"),
    );
    kindOf = (object) => (#kind in object ? object.#kind : undefined);
  }

  /** The handle of the object that a method was called on, which may be anything. */
  static #handleOf<Kind extends AnyHandle>(receiver: HeldObject<Kind>): Kind {
    if (!(#handle in Object(receiver))) return refuseReceiver("HeldObject", receiver);
    const handle = receiver.#handle;
    return handle instanceof Handle ? handle : handle.handle();
  }

  /** The object as text. An object that has no handle yet makes none for it. */
  static #textOf(object: HeldObject<AnyHandle>, style: TextStyle): string {
    const handle = object.#handle;
    if (!(handle instanceof Handle) && !handle.isMade) return object.constructor.name;
    return Handle.textOf(HeldObject.#handleOf(object), style);
  }

  /** The handle, for the functions of the k-api. */
  get handle(): Kind {
    return HeldObject.#handleOf(this);
  }

  /** The kind of object, as `classof` tells it. */
  get kind(): ObjectKind {
    return classof(HeldObject.#handleOf(this));
  }

  /** The number of tensors of the object. An optimizer counts the tensors in its state. */
  get tensorCount(): number {
    return tensorcount(HeldObject.#handleOf(this));
  }

  /** The number of elements in the tensors of the object. A scalar in the state of an optimizer is one element. */
  get elements(): number {
    return elements(HeldObject.#handleOf(this));
  }

  /** The bytes of the tensors of the object. A scalar in the state of an optimizer has 8. */
  get bytes(): number {
    return bytes(HeldObject.#handleOf(this));
  }

  /** Sets gradients to 0; undefined ones stay undefined. */
  zeroGrad(): void;
  zeroGrad(...surplus: readonly unknown[]): void {
    refuseSurplus("zeroGrad", surplus);
    zerograd(HeldObject.#handleOf(this) as Parameters);
  }

  /** Makes gradients undefined, which also frees them. */
  noGrad(): void;
  noGrad(...surplus: readonly unknown[]): void {
    refuseSurplus("noGrad", surplus);
    nograd(HeldObject.#handleOf(this) as Parameters);
  }

  /** Scales all gradients by one factor, so that their norm as one vector is at most `max`, and returns the norm before. */
  clip(max: number): number;
  clip(max: number, ...surplus: readonly unknown[]): number {
    refuseSurplus("clip", surplus);
    return clip(HeldObject.#handleOf(this) as Parameters, max);
  }

  /** Clamps each element of the gradients to `max` and its negative. */
  clipValue(max: number): void;
  clipValue(max: number, ...surplus: readonly unknown[]): void {
    refuseSurplus("clipValue", surplus);
    clipv(HeldObject.#handleOf(this) as Parameters, max);
  }

  /** The object as text, as `console.log` shows it. Large tensors and modules are cut. */
  toString(): string;
  toString(...surplus: readonly unknown[]): string {
    refuseSurplus("toString", surplus);
    if (!(#handle in Object(this))) return refuseReceiver("HeldObject", this);
    return HeldObject.#textOf(this, plainStyle);
  }

  /**
   * The object as JSON: a tensor with its elements, a module or an optimizer with its `state`. `tensor`, `module` and `opt` take
   * it back.
   */
  toJSON(): unknown {
    return HeldObject.#handleOf(this).toJSON();
  }

  /** Frees the object. A second call does nothing. */
  dispose(): void;
  dispose(...surplus: readonly unknown[]): void {
    refuseSurplus("dispose", surplus);
    release(HeldObject.#handleOf(this));
  }

  /** Frees the object at the end of a `using` block. A second call does nothing. */
  [Symbol.dispose](): void {
    release(HeldObject.#handleOf(this));
  }
}
