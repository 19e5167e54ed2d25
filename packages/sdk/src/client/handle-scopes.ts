// Scopes of handles: which scope collects a new handle, and which handles outlive it.

import type { Handle } from "../handle.js";

/** The handles that one scope frees at its end. */
export class HandleScope {
  readonly handles = new Set<Handle>();

  /** `outer` is the scope that takes over the handles that outlive this one. */
  constructor(readonly outer: HandleScope | undefined) {}
}

/**
 * The scopes that collect new handles, the innermost last.
 *
 * A scope collects while the code that opened it runs. After an `await`, other code may run before that code goes on, and the scope
 * would free its objects. No scope therefore collects beyond the microtask in which it was opened.
 */
export class HandleScopes {
  #collecting: HandleScope[] = [];

  /** A scope that collects from now on. */
  open(): HandleScope {
    // Microtasks run when no other code does: a scope that still collects then belongs to code that waits.
    if (this.#collecting.length === 0) void Promise.resolve().then(() => this.#suspendAll());
    const scope = new HandleScope(this.#collecting.at(-1));
    this.#collecting.push(scope);
    return scope;
  }

  /** Ends a scope, and those that were opened in it and still collect. Returns the handles to free. */
  close(scope: HandleScope): readonly Handle[] {
    const position = this.#collecting.indexOf(scope);
    const ended = position < 0 ? [scope] : this.#collecting.splice(position);
    const handles = ended.flatMap((each) => [...each.handles]);
    for (const each of ended) each.handles.clear();
    return handles;
  }

  /** Adds a new handle to the innermost scope. */
  add(handle: Handle): void {
    this.#collecting.at(-1)?.handles.add(handle);
  }

  /** Removes a handle from all scopes, since it is kept or freed. */
  remove(handle: Handle): void {
    for (const scope of this.#collecting) scope.handles.delete(handle);
  }

  /** Moves a handle from a scope, or from one that was opened in it, to the next outer scope that still collects. */
  moveOut(handle: Handle, scope: HandleScope): void {
    const position = this.#collecting.indexOf(scope);
    const inner = position < 0 ? [scope] : this.#collecting.slice(position);
    const holders = inner.filter((each) => each.handles.delete(handle));
    if (holders.length === 0) return;
    for (let outer = scope.outer; outer !== undefined; outer = outer.outer) {
      if (!this.#collecting.includes(outer)) continue;
      outer.handles.add(handle);
      return;
    }
  }

  /** Calls a function whose new handles belong to no scope. */
  suspend<Result>(make: () => Result): Result {
    const collecting = this.#collecting;
    this.#collecting = [];
    try {
      return make();
    } finally {
      this.#collecting = collecting;
    }
  }

  /** Forgets all handles, whose objects have been freed. The scopes go on to collect. */
  forget(): void {
    for (const scope of this.#collecting) scope.handles.clear();
  }

  /** Ends the collecting of all scopes. They keep the handles that they have. */
  #suspendAll(): void {
    this.#collecting = [];
  }
}
