// The handles of one engine: when the garbage collector watches them, and when forgotten objects are freed.

import { hasCode } from "../errors.js";
import { idsOfKind, objectKinds } from "../generated/object-kinds.js";
import { Handle, type HandleOwner } from "../handle.js";
import type { TextStyle } from "../inspect.js";
import { type HandleScope, HandleScopes } from "./handle-scopes.js";

/** Number of live handles from which the garbage collector watches those that are not freed yet. */
const MAX_YOUNG = 512;
/** Number of objects that one call frees at the end of a scope. It bounds the arguments of the call to 128 KiB. */
const SCOPE_BATCH = 2 ** 13;
/** Number of forgotten objects that one call frees: its arguments take less than the memory that the engine checks. */
const BATCH = 64;
/** Milliseconds of one turn of the event loop after which freeing continues in the next turn. */
const MAX_TURN = 4;
/** Milliseconds after a failure until freeing is tried again. */
const RETRY = 100;

/**
 * The handles of one engine, which no other registry shares.
 *
 * Objects whose handles are forgotten are freed a few at a time, so that the event loop never waits long. Watching a handle
 * takes longer than many a call, and the garbage collector reports nothing before the event loop turns. A handle is therefore
 * watched if it is still live in the microtask after the call, or if there are many.
 */
export class HandleRegistry implements HandleOwner {
  readonly textOf: (handle: Handle, style: TextStyle) => string;
  readonly jsonOf: (handle: Handle) => unknown;
  readonly #release: (ids: readonly bigint[]) => void;
  #young: Handle[] = [];
  #registry = this.#newRegistry();
  #forgotten: bigint[] = [];
  #isPlanned = false;
  /** The scopes that are open. */
  readonly scopes = new HandleScopes();
  /** Where handles were made, by id; undefined unless it is recorded. */
  #places: Map<bigint, string> | undefined;

  /**
   * `release` frees those objects of a list that live. If it throws, it may be called with the list again. `reader` shows the
   * object of a handle.
   */
  constructor(release: (ids: readonly bigint[]) => void, reader: HandleOwner) {
    this.#release = release;
    this.textOf = reader.textOf;
    this.jsonOf = reader.jsonOf;
  }

  /** A handle of a new object. */
  handle<Kind extends string = string>(id: bigint): Handle<Kind> {
    const kind = objectKinds[Math.floor(Number(id) / idsOfKind)] ?? "tensor";
    const handle = Handle.make<Kind>(id, this, kind);
    this.scopes.add(handle);
    this.#places?.set(id, new Error().stack ?? "");
    const count = this.#young.push(handle);
    if (count === 1) void Promise.resolve().then(() => this.#watch());
    else if (count === MAX_YOUNG) this.#watch();
    return handle;
  }

  /** Stops watching a handle whose object has been freed. */
  freed(handle: Handle): void {
    this.scopes.remove(handle);
    this.#end(handle);
  }

  /** Frees the objects of a scope that live. Objects that cannot be freed now are freed later, as forgotten ones are. */
  close(scope: HandleScope): void {
    const live = this.scopes.close(scope).filter((handle) => this.#end(handle));
    const ids = live.map((handle) => Handle.idOf(handle) as bigint);
    for (let start = 0; start < ids.length; start += SCOPE_BATCH) this.#free(ids.slice(start, start + SCOPE_BATCH));
    if (this.#forgotten.length > 0) this.#plan(RETRY);
  }

  /** Begins or ends to record where handles are made. */
  trace(flag: boolean): void {
    this.#places = flag ? (this.#places ?? new Map()) : undefined;
  }

  /** Where the objects with these ids were made, as far as it was recorded. Forgets the places of all other objects. */
  placesOf(ids: readonly bigint[]): ReadonlyMap<bigint, string> {
    const places = this.#places;
    if (places === undefined) return new Map();
    const living = new Set(ids);
    for (const id of places.keys()) if (!living.has(id)) places.delete(id);
    return places;
  }

  /** Forgets all handles, whose objects have been freed. */
  freedAll(): void {
    this.scopes.forget();
    this.#places?.clear();
    this.#young = [];
    this.#registry = this.#newRegistry();
    this.#forgotten = [];
  }

  /** Frees objects that are known to be forgotten, at most until `end` in milliseconds; false if it frees none. */
  freeForgotten(end = Number.POSITIVE_INFINITY): boolean {
    let freed = false;
    while (this.#forgotten.length > 0 && Date.now() < end && this.#free(this.#forgotten.splice(-BATCH))) freed = true;
    return freed;
  }

  /** Marks an object as freed, and returns whether it lived. */
  #end(handle: Handle): boolean {
    const before = Handle.end(handle);
    if (before === "watched") this.#registry.unregister(handle);
    return before !== "ended";
  }

  /** Frees objects, and returns whether it could. Unless all objects are lost, it keeps the ids of a failure for later. */
  #free(ids: readonly bigint[]): boolean {
    try {
      this.#release(ids);
      return true;
    } catch (error) {
      // The engine has stopped, and all objects are lost.
      if (hasCode(error, "ERR_ENGINE_POISONED")) this.#forgotten = [];
      else this.#forgotten = [...this.#forgotten, ...ids];
      return false;
    }
  }

  #watch(): void {
    const young = this.#young;
    this.#young = [];
    for (const handle of young) {
      const id = Handle.watch(handle);
      if (id !== undefined) this.#registry.register(handle, id, handle);
    }
  }

  #newRegistry(): FinalizationRegistry<bigint> {
    return new FinalizationRegistry((id) => {
      this.#forgotten.push(id);
      this.#plan();
    });
  }

  /** Frees some objects after a delay in milliseconds. */
  #plan(delay = 0): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    // A program that is at its end does not wait for it.
    const timer: unknown = setTimeout(() => this.#freeSome(), delay);
    (timer as { unref?: () => void }).unref?.();
  }

  #freeSome(): void {
    this.#isPlanned = false;
    const freed = this.freeForgotten(Date.now() + MAX_TURN);
    if (this.#forgotten.length > 0) this.#plan(freed ? 0 : RETRY);
  }
}
