import type { ObjectKind } from "../generated/object-kinds.js";

/** Objects that are freed together, by {@link Scope.close} or at the end of a `using` block. */
export interface Scope extends Disposable {
  /**
   * Moves the objects in a value to the scope in which this one was opened, or to none. It looks into lists, dictionaries and objects
   * that hold handles. Returns the value. Objects of other scopes stay where they are.
   */
  keep<Value>(value: Value): Value;
  /** Frees the objects of the scope, and of scopes that were opened in it. A second call frees nothing. */
  close(): void;
  /** Closes the scope at the end of a `using` block. */
  [Symbol.dispose](): void;
}

/** An object that lives. */
export interface LivingObject {
  /** Identifies the object, also after its end. */
  readonly id: number;
  /** The kind of object, as `classof` tells it. */
  readonly kind: ObjectKind;
  /** The bytes of its tensors. An optimizer and a loss have 0. */
  readonly bytes: number;
  /** The function that made it. */
  readonly by: string;
  /** The stack of the call that made it, if it was recorded. */
  readonly where?: string;
}

/** Options of `leaks`. */
export interface LeakOptions {
  /** Records from now on where objects are made, or ends that. Recording makes each call that makes an object slower. */
  readonly trace?: boolean;
}
