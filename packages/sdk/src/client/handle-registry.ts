// The handles of one engine: when the garbage collector watches them, and when forgotten objects are freed.

import { hasCode } from "../errors.js";
import { Handle, type HandleOwner } from "../handle.js";
import type { TextStyle } from "../inspect.js";
import { type HandleScope, HandleScopes } from "./handle-scopes.js";
import { MemoryPressure } from "./memory-pressure.js";

/** Number of live handles from which the garbage collector watches those that are not freed yet. */
const MAX_YOUNG = 512;
/** Number of objects that one call frees at the end of a scope. It bounds the arguments of the call to 64 KiB. */
const SCOPE_BATCH = 2 ** 13;
/** Number of forgotten objects that one call frees: its arguments take less than the memory that the engine checks. */
const BATCH = 64;
/** Milliseconds of one turn of the event loop after which freeing continues in the next turn. */
const MAX_TURN = 4;
/** Milliseconds after a failure until freeing is tried again. */
const RETRY = 100;

/** The calls of an engine that the registry needs. */
export interface ObjectMemory {
  /** Frees those objects of a list that live. If it throws, it may be called with the list again. */
  release(ids: readonly number[]): void;
  /** Bytes of the memory of all objects. */
  bytes(): number;
}

/**
 * The handles of one engine, which no other registry shares.
 *
 * Objects whose handles are forgotten are freed a few at a time, so that the event loop never waits long. Watching a handle
 * takes longer than many a call, and the garbage collector reports nothing before the event loop turns. A handle is therefore
 * watched if it is still live in the microtask after the call, or if there are many. A scope frees its handles itself.
 *
 * A loop that never waits forgets handles, and no callback of the garbage collector runs. If the memory of objects grows by much,
 * garbage is collected, and empty references say which handles are gone.
 */
export class HandleRegistry implements HandleOwner {
  readonly textOf: (handle: Handle, style: TextStyle) => string;
  readonly jsonOf: (handle: Handle) => unknown;
  readonly #memory: ObjectMemory;
  readonly #pressure: MemoryPressure;
  #young: Handle[] = [];
  #registry = this.#newRegistry();
  /** Watched handles, by id. The reference is the token by which a handle is unregistered. */
  readonly #watched = new Map<number, WeakRef<Handle>>();
  #forgotten: number[] = [];
  #isPlanned = false;
  /** The scopes that are open. */
  readonly scopes = new HandleScopes((handle) => this.#addYoung(handle));
  /** Where handles were made, by id; undefined unless it is recorded. */
  #places: Map<number, string> | undefined;

  /** `reader` shows the object of a handle. */
  constructor(memory: ObjectMemory, reader: HandleOwner) {
    this.#memory = memory;
    this.#pressure = new MemoryPressure(() => memory.bytes());
    this.textOf = reader.textOf;
    this.jsonOf = reader.jsonOf;
  }

  /** A handle of a new object. */
  handle<Kind extends string = string>(id: number): Handle<Kind> {
    const handle = Handle.make<Kind>(id, this);
    this.#places?.set(id, new Error().stack ?? "");
    if (!this.scopes.add(handle)) this.#addYoung(handle);
    if (this.#pressure.grows(handle)) this.collect();
    return handle;
  }

  /** Collects garbage and frees the objects whose handles are gone. False if it frees none. */
  collect(): boolean {
    let freed = false;
    this.#watch();
    this.#pressure.collect(() => {
      for (const [id, handle] of this.#watched) if (handle.deref() === undefined) this.#forget(id, handle);
      freed = this.freeForgotten();
    });
    return freed;
  }

  /** Stops watching a handle whose object has been freed. */
  freed(handle: Handle): void {
    this.scopes.remove(handle);
    this.#end(handle);
  }

  /** Frees the objects of a scope that live. Objects that cannot be freed now are freed later, as forgotten ones are. */
  close(scope: HandleScope): void {
    let ids: number[] = [];
    for (const handle of this.scopes.close(scope)) {
      if (!this.#end(handle)) continue;
      if (ids.push(Handle.idOf(handle) as number) < SCOPE_BATCH) continue;
      this.#free(ids);
      ids = [];
    }
    if (ids.length > 0) this.#free(ids);
    if (this.#forgotten.length > 0) this.#plan(RETRY);
  }

  /** Begins or ends to record where handles are made. */
  trace(flag: boolean): void {
    this.#places = flag ? (this.#places ?? new Map()) : undefined;
  }

  /** Where the objects with these ids were made, as far as it was recorded. Forgets the places of all other objects. */
  placesOf(ids: readonly number[]): ReadonlyMap<number, string> {
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
    this.#watched.clear();
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
    if (before === "watched") {
      const id = Handle.idOf(handle) as number;
      const reference = this.#watched.get(id);
      if (reference) this.#registry.unregister(reference);
      this.#watched.delete(id);
    }
    return before !== "ended";
  }

  /** Frees objects, and returns whether it could. Unless all objects are lost, it keeps the ids of a failure for later. */
  #free(ids: readonly number[]): boolean {
    try {
      this.#memory.release(ids);
      return true;
    } catch (error) {
      // The engine has stopped, and all objects are lost.
      if (hasCode(error, "ERR_ENGINE_POISONED")) this.#forgotten = [];
      else this.#forgotten = [...this.#forgotten, ...ids];
      return false;
    }
  }

  /** Adds a live handle that no scope frees. */
  #addYoung(handle: Handle): void {
    const count = this.#young.push(handle);
    if (count === 1) void Promise.resolve().then(() => this.#watch());
    else if (count === MAX_YOUNG) this.#watch();
  }

  #watch(): void {
    const young = this.#young;
    this.#young = [];
    for (const handle of young) {
      const id = Handle.watch(handle);
      if (id === undefined) continue;
      const reference = new WeakRef(handle);
      this.#watched.set(id, reference);
      this.#registry.register(handle, id, reference);
    }
  }

  /** Notes that the handle of an object is gone. A registry keeps what it knows of it until the event loop turns. */
  #forget(id: number, handle: WeakRef<Handle>): void {
    this.#watched.delete(id);
    this.#registry.unregister(handle);
    this.#forgotten.push(id);
  }

  #newRegistry(): FinalizationRegistry<number> {
    return new FinalizationRegistry((id) => {
      const handle = this.#watched.get(id);
      // Unless the object was freed in the meantime.
      if (handle !== undefined) this.#forget(id, handle);
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
