// Scopes of handles: which scope collects a new handle, and which handles outlive it.

import { Handle } from "../handle.js";

/** Number of handles at which a scope first forgets those that it does not free any more. */
const MIN_SWEPT = 1024;

/** The handles that one scope frees at its end. */
export class HandleScope {
  /** Handles that it has collected. A handle belongs to the scope that the handle names, which may be another one by now. */
  #collected: Handle[] = [];
  #swept = MIN_SWEPT;

  /** `outer` is the scope that takes over the handles that outlive this one. */
  constructor(readonly outer: HandleScope | undefined) {}

  add(handle: Handle): void {
    Handle.setScope(handle, this);
    if (this.#collected.push(handle) < this.#swept) return;
    this.#collected = this.handles();
    this.#swept = Math.max(MIN_SWEPT, 2 * this.#collected.length);
  }

  /** The handles that belong to it. */
  handles(): Handle[] {
    const own: Handle[] = [];
    for (const handle of this.#collected) if (Handle.scopeOf(handle) === this) own.push(handle);
    return own;
  }

  clear(): void {
    this.#collected = [];
  }
}

/**
 * The scopes that collect new handles, the innermost last.
 *
 * A scope collects while the code that opened it runs. After an `await`, other code may run before that code goes on, and the scope
 * would free its objects. No scope therefore collects beyond the microtask in which it was opened.
 */
export class HandleScopes {
  #collecting: HandleScope[] = [];
  readonly #left: (handle: Handle) => void;

  /** `left` is called with a handle that no scope frees any more, or that a scope keeps which collects no more. */
  constructor(left: (handle: Handle) => void) {
    this.#left = left;
  }

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
    const handles = ended.length === 1 ? scope.handles() : ended.flatMap((each) => each.handles());
    for (const each of ended) each.clear();
    return handles;
  }

  /** Adds a new handle to the innermost scope. False if there is none. */
  add(handle: Handle): boolean {
    const { length } = this.#collecting;
    if (length === 0) return false;
    this.#collecting[length - 1]?.add(handle);
    return true;
  }

  /** Adds handles that belong to no scope to the innermost one. */
  adopt(handles: Iterable<Handle>): void {
    const innermost = this.#collecting.at(-1);
    for (const handle of handles) if (Handle.scopeOf(handle) === undefined) innermost?.add(handle);
  }

  /** Removes a handle from its scope, since it was freed. */
  remove(handle: Handle): void {
    Handle.setScope(handle, undefined);
  }

  /** Takes a handle that lives out of its scope. */
  keep(handle: Handle): void {
    if (Handle.scopeOf(handle) === undefined) return;
    Handle.setScope(handle, undefined);
    this.#left(handle);
  }

  /** Moves a handle from a scope, or from one that was opened in it, to the next outer scope that still collects. */
  moveOut(handle: Handle, scope: HandleScope): void {
    const position = this.#collecting.indexOf(scope);
    const inner = position < 0 ? [scope] : this.#collecting.slice(position);
    const holder = Handle.scopeOf(handle);
    if (!inner.some((each) => each === holder)) return;
    Handle.setScope(handle, undefined);
    for (let outer = scope.outer; outer !== undefined; outer = outer.outer) {
      if (!this.#collecting.includes(outer)) continue;
      outer.add(handle);
      return;
    }
    this.#left(handle);
  }

  /** The innermost scope; undefined if none collects. */
  get innermost(): HandleScope | undefined {
    return this.#collecting.at(-1);
  }

  /** Calls a function whose new handles belong to a scope, or to none if that one does not collect. */
  within<Result>(scope: HandleScope | undefined, make: () => Result): Result {
    const collecting = this.#collecting;
    const position = scope === undefined ? -1 : collecting.indexOf(scope);
    this.#collecting = collecting.slice(0, position + 1);
    try {
      return make();
    } finally {
      this.#collecting = collecting;
    }
  }

  /** Forgets all handles, whose objects have been freed. The scopes go on to collect. */
  forget(): void {
    for (const scope of this.#collecting) scope.clear();
  }

  /** Ends the collecting of all scopes. They keep the handles that they have. */
  #suspendAll(): void {
    for (const scope of this.#collecting) for (const handle of scope.handles()) this.#left(handle);
    this.#collecting = [];
  }
}
