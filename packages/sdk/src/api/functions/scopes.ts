// Functions of scopes, which free the objects of a piece of code together, and of objects that were not freed.

import type { HandleScope } from "../../client/handle-scopes.js";
import { StepwellError } from "../../errors.js";
import { idsOfKind, objectKinds } from "../../generated/object-kinds.js";
import type { LeakOptions, LivingObject, Scope } from "../../types/scopes.js";
import { handlesIn } from "../../values/handles-in.js";
import { namedOptions } from "../../values/named-options.js";
import { isFunction } from "../../values/plain-data.js";
import { isPromise } from "../../values/promise.js";
import { refuse, refuseSurplus } from "../../values/refuse.js";
import { client } from "../client.js";

/** A scope of the engine of this entry. */
class OpenScope implements Scope {
  readonly #scope: HandleScope = client.openScope();

  keep<Value>(value: Value, ...surplus: readonly unknown[]): Value {
    refuseSurplus("keep", surplus);
    client.keep(handlesIn(value, "keep"), this.#scope);
    return value;
  }

  close(...surplus: readonly unknown[]): void {
    refuseSurplus("close", surplus);
    client.closeScope(this.#scope);
  }

  [Symbol.dispose](): void {
    client.closeScope(this.#scope);
  }
}

/**
 * Opens a scope: objects that are made while it is open are freed when it closes, except those that `keep` takes out. A handle of a
 * freed object is `ERR_HANDLE_FREED`. Tensors that a module, an optimizer, a gradient or a graph holds live on in it.
 *
 * Scopes nest: an object belongs to the innermost. A scope collects until the code that opened it ends or awaits. An object that is
 * made after an `await` belongs to no scope: a scope cannot tell it from the objects of other code.
 *
 * @example
 * ```ts
 * for (const [x, y] of batches) {
 *   using s = scope(); // TypeScript 5.2 or Node 24; else close() frees
 *   const error = mse(forward(m, x), y);
 *   backward(error);
 *   step(o, { zerograd: true });
 * }
 * ```
 */
export function scope(): Scope;
export function scope(...surplus: readonly unknown[]): Scope {
  refuseSurplus("scope", surplus);
  return new OpenScope();
}

/**
 * Calls a function in a scope of its own, and returns its result. Objects in the result, in lists and dictionaries too, move to the
 * outer scope. All other objects that the function makes are freed, also if it throws.
 *
 * A function that returns a promise is `ERR_ARGUMENT`, since its objects would be freed before it ends.
 *
 * @example
 * ```ts
 * const loss = scoped(() => mse(forward(m, x), y)); // the outputs are freed
 * ```
 */
export function scoped<Result>(body: () => Result & (Result extends PromiseLike<unknown> ? never : unknown)): Result;
export function scoped(body: () => unknown, ...surplus: readonly unknown[]): unknown {
  if (!isFunction(body)) refuse("scoped", "a function as argument 1", body);
  refuseSurplus("scoped", surplus);
  const own = client.openScope();
  try {
    const result = body();
    if (isPromise(result)) {
      refuse("scoped", "a function that returns no promise: call scope() after each await", result);
    }
    client.keep(handlesIn(result, "scoped"), own);
    return result;
  } finally {
    client.closeScope(own);
  }
}

/** Takes the objects in a value out of all scopes, and returns the value. It looks into lists, dictionaries and classes. */
export function keep<Value>(value: Value): Value;
export function keep(value: unknown, ...surplus: readonly unknown[]): unknown {
  refuseSurplus("keep", surplus);
  client.keep(handlesIn(value, "keep"));
  return value;
}

/**
 * The objects that live, in no order, with the function that made each. Objects of asynchronous calls are among them. One whose handle is forgotten lives until the garbage collector has found
 * it.
 *
 * @param options - `trace: true` records from now on where objects are made
 */
export function leaks(options?: LeakOptions): readonly LivingObject[];
export function leaks(options: unknown = {}, ...surplus: readonly unknown[]): readonly LivingObject[] {
  refuseSurplus("leaks", surplus);
  const { trace } = namedOptions<LeakOptions>("leaks", options, ["trace"]);
  if (trace !== undefined && typeof trace !== "boolean") refuse("leaks trace", "a boolean", trace);
  const rows = client.call("leaks", []) as readonly (readonly [id: number, bytes: number, by: string])[];
  if (trace !== undefined) client.trace(trace);
  const places = client.placesOf(rows.map(([id]) => id));
  return rows.map(([id, bytes, by]) => {
    const kind = objectKinds[Math.floor(id / idsOfKind)] ?? "tensor";
    const where = places.get(id);
    return where === undefined ? { id, kind, bytes, by } : { id, kind, bytes, by, where };
  });
}

/**
 * Begins to watch for objects that are not freed. The function that it returns throws `ERR_LEAK` if objects live that were made since.
 * The error says which functions made them. It says where, if {@link leaks} records that.
 *
 * @example
 * ```ts
 * let check = () => {};
 * beforeEach(() => { check = leakcheck(); });
 * afterEach(() => check());
 * ```
 */
export function leakcheck(): () => void;
export function leakcheck(...surplus: readonly unknown[]): () => void {
  refuseSurplus("leakcheck", surplus);
  const before = new Set(leaks().map(({ id }) => id));
  return () => {
    const made = leaks().filter(({ id }) => !before.has(id));
    if (made.length > 0)
      throw new StepwellError("ERR_LEAK", `leakcheck: expected no object to be left, given ${described(made)}`);
  };
}

/** Objects by kind and maker, the most numerous first, as a message names them. */
function described(objects: readonly LivingObject[]): string {
  const counts = new Map<string, { count: number; bytes: number }>();
  for (const { kind, by, where, bytes } of objects) {
    const name = `${kind} of ${by}${where === undefined ? "" : ` ${placeOf(where)}`}`;
    const { count, bytes: sum } = counts.get(name) ?? { count: 0, bytes: 0 };
    counts.set(name, { count: count + 1, bytes: sum + bytes });
  }
  const rows = [...counts].sort(([, a], [, b]) => b.count - a.count);
  const texts = rows.slice(0, 10).map(([name, { count, bytes }]) => `${count} ${name} (${bytes} bytes)`);
  return `${objects.length}: ${texts.join(", ")}${rows.length > texts.length ? ", ..." : ""}`;
}

/** The first line of a stack that is not of this package. */
function placeOf(stack: string): string {
  const lines = stack.split("\n").slice(1);
  const own = /[/\\]sdk[/\\](?:commonjs|dist|import)[/\\]/;
  return (lines.find((line) => !own.test(line)) ?? lines.at(-1) ?? "").trim();
}
