// Arguments on their way to the engine: copied once, so that what is read later is what was checked, and classified by what
// the language says of them. Only plain data and handles pass; everything else is refused by its name.

import type { Sent } from "./binding.js";
import { StepwellError } from "./errors.js";
import { Handle, isForeignHandle } from "./handle.js";
import { fromJson } from "./json.js";
import type { Session } from "./session.js";
import { wellFormed } from "./text.js";
import { isOutOfBounds, kindOf } from "./typed-arrays.js";

/** Arguments nested deeper than this are refused, before recursion could exhaust the stack. */
const DEEPEST = 300;
/** More values in one call are refused: lists that share their elements, or hold themselves, are small and have no end. */
const MOST_VALUES = 2 ** 24;
/** So many values are copied before they are counted. */
const UNCOUNTED = 2 ** 16;
/** Up to here a number stands for one whole number. */
const EXACT = 2 ** 53;
/** An id that no handle has, for what claims to be one. */
const NO_HANDLE = 2n ** 53n - 1n;

/** The typed arrays that a tensor can be made of. */
const kinds: ReadonlySet<string | undefined> = new Set([
  ...["Float32Array", "Float64Array", "BigInt64Array", "Int8Array", "Uint8Array", "Uint8ClampedArray"],
  ...["Int16Array", "Uint16Array", "Int32Array", "Uint32Array"],
]);

/**
 * The arguments of a call as the engine of a session takes them. The first stands at `position`. What a getter or a proxy of
 * the caller's throws is passed on.
 */
export function send(session: Session, verb: string, args: readonly unknown[], position = 1): Sent[] {
  const sent: Sent[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    // Most arguments are handles.
    const id = Handle.idOf(arg);
    if (id === undefined) return sentFrom(new Sender(session, verb, args, position + i), sent);
    sent.push(Handle.isOf(arg as Handle, session) ? id : NO_HANDLE);
  }
  return sent;
}

/** Sends the arguments that are left. */
function sentFrom(sender: Sender, sent: Sent[]): Sent[] {
  for (const arg of sender.args.slice(sent.length)) sent.push(sender.argument(arg));
  return sent;
}

/** The id of a session's handle, or of an object that holds one; one that no handle has for anything else. */
export function idOf(session: Session, value: unknown): bigint {
  const handle = handleOf(value);
  const id = Handle.idOf(handle);
  return handle && id !== undefined && Handle.isOf(handle, session) ? id : NO_HANDLE;
}

/** A handle: the value itself, or the one that an object of the fluent layer holds. */
export function handleOf(value: unknown): Handle | undefined {
  if (Handle.idOf(value) !== undefined) return value as Handle;
  if (typeof value !== "object" || value === null || isDictionary(value) || !("handle" in value)) return undefined;
  const held = value.handle;
  return Handle.idOf(held) === undefined ? undefined : (held as Handle);
}

class Sender {
  position: number;
  #values = 0;
  #isCounted = false;

  constructor(
    readonly session: Session,
    readonly verb: string,
    readonly args: readonly unknown[],
    position: number,
  ) {
    this.position = position - 1;
  }

  argument(value: unknown): Sent {
    this.position += 1;
    return this.#send(value, 0);
  }

  #send(value: unknown, depth: number): Sent {
    switch (typeof value) {
      case "bigint": {
        // A number, and not a handle, for only the SDK sends those as bigints.
        const number = Number(value);
        if (Math.abs(number) <= EXACT) return number;
        return this.#fail(`expected whole numbers within ±2^53 ${this.#place(depth)}, given a larger bigint`);
      }
      case "object":
        return value === null ? null : this.#object(value, depth);
      case "string":
        return wellFormed(this.verb, value);
      case "function":
      case "symbol":
        return this.#refuse(value, depth);
      default:
        return value as Sent;
    }
  }

  #object(value: object, depth: number): Sent {
    const id = Handle.idOf(value);
    if (id !== undefined) return Handle.isOf(value as Handle, this.session) ? id : NO_HANDLE;
    if (ArrayBuffer.isView(value)) return this.#view(value, depth);
    if (depth >= DEEPEST) this.#tooMuch();
    if (Array.isArray(value)) return this.#list(value, depth);
    if (isDictionary(value)) return this.#dictionary(value, depth);
    const held = handleOf(value);
    if (held) return idOf(this.session, held);
    return value instanceof Handle ? NO_HANDLE : this.#refuse(value, depth);
  }

  #view(view: ArrayBufferView, depth: number): Sent {
    if (!kinds.has(kindOf(view))) return this.#refuse(view, depth);
    if (!isOutOfBounds(view)) return view;
    const message = "given a typed array whose buffer was transferred or has shrunk";
    return this.#fail(`expected numbers ${this.#place(depth)}, ${message}`);
  }

  #list(list: readonly unknown[], depth: number): Sent {
    const { length } = list;
    this.#take(length);
    // Room for all where they are few; a list that only says that it is long gets none before its elements are there.
    const copy: Sent[] = new Array(Math.min(length, 1024));
    for (let i = 0; i < length; i++) {
      const item = list[i];
      if (item === undefined && !(i in list)) {
        this.#fail(`expected a list without holes ${this.#place(depth)}, given none of its ${length} elements at ${i}`);
      }
      copy[i] = typeof item === "number" ? item : this.#send(item, depth + 1);
    }
    return copy;
  }

  #dictionary(dictionary: object, depth: number): Sent {
    const keys = Object.keys(dictionary);
    this.#take(keys.length);
    for (const symbol of Object.getOwnPropertySymbols(dictionary)) {
      if (!Object.prototype.propertyIsEnumerable.call(dictionary, symbol)) continue;
      this.#fail(`expected strings as the keys of a dictionary ${this.#place(depth)}, given a symbol`);
    }
    // Without a prototype, so that no key means anything.
    const copy: Record<string, Sent> = Object.create(null);
    for (const key of keys) {
      const item = (dictionary as Record<string, unknown>)[key];
      // An option that is undefined is one that is left out.
      if (item !== undefined) copy[wellFormed(this.verb, key)] = this.#send(item, depth + 1);
    }
    return fromJson(this.verb, copy) as Sent;
  }

  /** Counts some values more. All are counted before many are copied. */
  #take(count: number): void {
    this.#values += count + 1;
    if (this.#values <= UNCOUNTED) return;
    if (this.#values > MOST_VALUES) this.#tooMuch();
    if (this.#isCounted) return;
    this.#isCounted = true;
    if (countOf(this.args, 0, new Map()) > MOST_VALUES) this.#tooMuch();
  }

  #tooMuch(): never {
    return this.#fail(`arguments nested deeper than ${DEEPEST} or of more than ${MOST_VALUES} values`);
  }

  #refuse(value: unknown, depth: number): never {
    return this.#fail(`expected plain data or a handle ${this.#place(depth)}, given ${nameOf(value)}`);
  }

  #place(depth: number): string {
    return `${depth === 0 ? "as" : "in"} argument ${this.position}`;
  }

  #fail(message: string): never {
    throw new StepwellError("ERR_ARGUMENT", `${this.verb}: ${message}`);
  }
}

/**
 * How many values a value has, as often as they stand there; more than {@link MOST_VALUES} as soon as there are more, or deeper
 * ones than can be. Each list of lists is counted once.
 */
function countOf(value: unknown, depth: number, known: Map<object, number>): number {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return 1;
  // The list of arguments is a level more.
  if (depth > DEEPEST + 1) return Number.POSITIVE_INFINITY;
  const items = Array.isArray(value) ? value : isDictionary(value) ? Object.values(value) : [];
  const { length } = items;
  let count = 1 + length;
  let isNested = false;
  for (let i = 0; i < length && count <= MOST_VALUES; i++) {
    const item: unknown = items[i];
    if (typeof item !== "object") continue;
    if (!isNested) {
      const before = known.get(value);
      if (before !== undefined) return before;
      isNested = true;
    }
    count += countOf(item, depth + 1, known) - 1;
  }
  if (isNested) known.set(value, count);
  return count;
}

/** Whether an object is plain: it has no prototype, or that of the plain objects of some realm. */
export function isDictionary(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value);
  if (prototype === null) return true;
  if (prototype !== Object.prototype) {
    const isRoot = Object.getPrototypeOf(prototype) === null;
    if (!isRoot || !Object.hasOwn(prototype, "isPrototypeOf")) return false;
  }
  // Such as `Math` and `JSON`.
  return !Object.hasOwn(value, Symbol.toStringTag);
}

/** What was given, in words. */
export function nameOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== "object") return withArticle(typeof value);
  if (isForeignHandle(value)) return "a handle of another copy of Stepwell";
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (/^(Boolean|Number|String|Symbol|BigInt)$/.test(tag)) return `${withArticle(tag)} object`;
  if (tag !== "Object") return withArticle(tag.slice(0, 80));
  if (isDictionary(value)) return "a dictionary";
  const name: unknown = value.constructor?.name;
  return typeof name === "string" && name !== "" ? `an instance of ${name.slice(0, 80)}` : "an instance of a class";
}

function withArticle(noun: string): string {
  return `${/^[AEIOUaeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}
