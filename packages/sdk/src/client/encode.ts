// Encodes the arguments of a call for the engine. Each is copied once, so that the engine reads the values that were checked,
// and is classified by the language, not by its properties. Only plain data and handles pass.

import type { BindingArgument } from "../binding.js";
import { StepwellError } from "../errors.js";
import { Handle } from "../handle.js";
import { describeKind, describeValue } from "../values/describe.js";
import { fromJson } from "../values/json.js";
import { isDictionary, isList, isRevoked } from "../values/plain-data.js";
import { wellFormed } from "../values/text.js";
import { isOutOfBounds, kindOf, lengthOf, memoryOf } from "../values/typed-arrays.js";
import { type Allocate, type BegunRow, becomesFloat, becomesTensor, PlainNumbers } from "./plain-numbers.js";

/** Limit of nesting, in levels, so that recursion cannot exhaust the stack. */
const MAX_DEPTH = 300;
/** Limit of values in one call. Lists that share their elements, or contain themselves, are small and encode to far more. */
const MAX_VALUES = 2 ** 24;
/** Number of values that are copied before all of them are counted. */
const UNCOUNTED = 2 ** 16;
/** The largest whole number up to which a double represents every one. */
const MAX_EXACT = 2n ** 53n;
/** An id that no handle has: it stands for a handle of another owner. */
const NO_HANDLE = 2n ** 53n - 1n;

/** The kinds of typed arrays that a tensor can be made of. */
const kinds: ReadonlySet<string | undefined> = new Set([
  "Float16Array",
  ...["Float32Array", "Float64Array", "BigInt64Array", "Int8Array", "Uint8Array", "Uint8ClampedArray"],
  ...["Int16Array", "Uint16Array", "Int32Array", "Uint32Array"],
]);

/**
 * The arguments of a command as the engine takes them; handles must be of the owner. The first argument has
 * the number `position` in messages. An exception of a getter or a proxy of the caller is passed on.
 */
export function encodeArguments(
  owner: object,
  command: string,
  args: readonly unknown[],
  allocate: Allocate,
  position = 1,
): BindingArgument[] {
  const encoded: BindingArgument[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    // Most arguments are handles.
    const id = Handle.idOf(arg);
    if (id === undefined) return encodeRest(new Encoder(owner, command, args, allocate, position + i), encoded);
    encoded.push(Handle.isOf(arg as Handle, owner) ? BigInt(id) : NO_HANDLE);
  }
  return encoded;
}

function encodeRest(encoder: Encoder, encoded: BindingArgument[]): BindingArgument[] {
  for (const arg of encoder.args.slice(encoded.length)) encoded.push(encoder.argument(arg));
  encoder.checkViews();
  return encoded;
}

/** The id of a handle of an owner, or of an object that has one as `handle`. Any other value has an id that no handle has. */
export function idOf(owner: object, value: unknown): bigint {
  const handle = handleOf(value);
  const id = Handle.idOf(handle);
  return handle && id !== undefined && Handle.isOf(handle, owner) ? BigInt(id) : NO_HANDLE;
}

/** Whether a value is, or holds, a handle of another owner. */
export function isOfAnotherEngine(owner: object, value: unknown): boolean {
  const handle = handleOf(value);
  return handle !== undefined && !Handle.isOf(handle, owner);
}

/** A handle: the value itself, or the `handle` of an object of the fluent layer; undefined for any other value. */
export function handleOf(value: unknown): Handle | undefined {
  if (Handle.idOf(value) !== undefined) return value as Handle;
  if (typeof value !== "object" || value === null || isRevoked(value)) return undefined;
  if (isDictionary(value) || !("handle" in value)) return undefined;
  const held = value.handle;
  return Handle.idOf(held) === undefined ? undefined : (held as Handle);
}

class Encoder {
  position: number;
  #values = 0;
  #isCounted = false;
  /** Typed arrays among the arguments, with their lengths and positions. */
  readonly #views: (readonly [view: ArrayBufferView, length: number, position: number])[] = [];

  constructor(
    readonly owner: object,
    readonly command: string,
    readonly args: readonly unknown[],
    readonly allocate: Allocate,
    position: number,
  ) {
    this.position = position - 1;
  }

  argument(value: unknown): BindingArgument {
    this.position += 1;
    if (becomesTensor(this.command, this.position) && isList(value)) return this.#numbers(value, 0);
    return this.#encode(value, 0);
  }

  /** Fails if the code of the caller that ran while arguments were read has taken memory from a typed array among them. */
  checkViews(): void {
    for (const [view, length, position] of this.#views) {
      if (lengthOf(view) === length && !isOutOfBounds(view)) continue;
      this.#fail(`expected ${length} numbers in argument ${position}, given a typed array that shrank during the call`);
    }
  }

  /** A list whose numbers become a tensor: one typed array if it is rectangular and long enough, else a copy like any list. */
  #numbers(list: readonly unknown[], depth: number): BindingArgument {
    const allocate = (bytes: number) => this.allocate(this.command, bytes);
    const numbers = new PlainNumbers(becomesFloat(this.command, this.args), allocate);
    return this.#rows(list, depth, 0, numbers) ?? numbers.finish();
  }

  /** Reads a list of a dimension; undefined if it was added to the numbers, else the copy of a list that is not rectangular. */
  #rows(
    list: readonly unknown[],
    depth: number,
    dimension: number,
    numbers: PlainNumbers,
    begun?: BegunRow,
  ): BindingArgument[] | undefined {
    const length = this.#checkedLength(begun ? begun.length : list.length, depth);
    const start = numbers.count;
    if (!numbers.enter(dimension, length)) {
      this.#count(numbers.values - 1);
      return this.#rest(list, depth, length, []);
    }
    let i = begun ? numbers.resume(begun) : numbers.take(list, dimension, 0);
    for (; i < length; i = numbers.take(list, dimension, i)) {
      const item = numbers.stopped;
      if (typeof item === "bigint" && numbers.isRow(dimension)) {
        numbers.add(this.#encode(item, depth + 1) as number);
      } else if (numbers.isOuter(dimension) && isList(item)) {
        const copy = this.#rows(item, depth + 1, dimension + 1, numbers, numbers.begun);
        if (copy) return this.#rest(list, depth, length, numbers.nested(dimension, start, i), copy);
      } else {
        this.#count(numbers.values - 1);
        const copy = this.#element(list, i, length, item, depth);
        return this.#rest(list, depth, length, numbers.nested(dimension, start, i), copy);
      }
      i += 1;
      if (i === length) break;
    }
    return undefined;
  }

  /** Copies the elements that follow others, which were copied before. */
  #rest(
    list: readonly unknown[],
    depth: number,
    length: number,
    copy: BindingArgument[],
    ...next: readonly BindingArgument[]
  ): BindingArgument[] {
    copy.push(...next);
    for (let i = copy.length; i < length; i++) copy.push(this.#element(list, i, length, list[i], depth));
    return copy;
  }

  #encode(value: unknown, depth: number): BindingArgument {
    switch (typeof value) {
      case "bigint": {
        // A number: a caller cannot give an id, which the engine takes as a bigint.
        // The bigint is compared, not its double, which rounds 2^53 + 1 to 2^53.
        if (value >= -MAX_EXACT && value <= MAX_EXACT) return Number(value);
        return this.#fail(`expected whole numbers within ±2^53 ${this.#place(depth)}, given a larger bigint`);
      }
      case "object":
        return value === null ? null : this.#object(value, depth);
      case "string":
        return wellFormed(this.command, value);
      case "function":
      case "symbol":
        return this.#refuse(value, depth);
      default:
        return value as BindingArgument;
    }
  }

  #object(value: object, depth: number): BindingArgument {
    const id = Handle.idOf(value);
    if (id !== undefined) return Handle.isOf(value as Handle, this.owner) ? BigInt(id) : NO_HANDLE;
    if (isRevoked(value)) return this.#refuse(value, depth);
    if (ArrayBuffer.isView(value)) return this.#view(value, depth);
    if (depth >= MAX_DEPTH) this.#tooMuch();
    if (Array.isArray(value)) return this.#list(value, depth);
    if (isDictionary(value)) return this.#dictionary(value, depth);
    const held = handleOf(value);
    if (held) return idOf(this.owner, held);
    return value instanceof Handle ? NO_HANDLE : this.#refuse(value, depth);
  }

  #view(view: ArrayBufferView, depth: number): BindingArgument {
    const kind = kindOf(view);
    if (!kinds.has(kind)) return this.#refuse(view, depth);
    if (!isOutOfBounds(view)) {
      if (kind === "Float16Array") return this.#half(view);
      // Bytes of a file, which are not numbers of a tensor, have a type of their own at the interface.
      if (kind === "Uint8Array" && this.command === "deserialize" && depth === 0) {
        const { buffer, byteOffset, byteLength } = memoryOf(view);
        return new DataView(buffer, byteOffset, byteLength);
      }
      this.#views.push([view, lengthOf(view), this.position]);
      return view;
    }
    const message = "given a typed array whose buffer was transferred or has shrunk";
    return this.#fail(`expected numbers ${this.#place(depth)}, ${message}`);
  }

  /** An array of 16-bit numbers in the form that `data` gives: no engine reads such arrays, which some versions of JavaScript lack. */
  #half(array: ArrayBufferView): BindingArgument {
    const count = lengthOf(array);
    const data = new Float32Array(this.allocate(this.command, count * 4), 0, count);
    data.set(array as unknown as ArrayLike<number>);
    return { data, shape: [count], dtype: "half" };
  }

  #list(list: readonly unknown[], depth: number): BindingArgument {
    const length = this.#checkedLength(list.length, depth);
    this.#count(length);
    // Allocate at once if elements are few. The length of a sparse list allocates nothing before its elements are read.
    const copy: BindingArgument[] = new Array(Math.min(length, 1024));
    for (let i = 0; i < length; i++) copy[i] = this.#element(list, i, length, list[i], depth);
    return copy;
  }

  #checkedLength(length: unknown, depth: number): number {
    // A proxy of a list may give any length.
    if (Number.isSafeInteger(length) && (length as number) >= 0) return length as number;
    return this.#fail(`expected a list ${this.#place(depth)}, given one whose length is ${describeValue(length)}`);
  }

  /** Encodes an element of a list, which was read before. */
  #element(list: readonly unknown[], i: number, length: number, item: unknown, depth: number): BindingArgument {
    if (item === undefined && !(i in list)) {
      this.#fail(`expected a list without holes ${this.#place(depth)}, given none of its ${length} elements at ${i}`);
    }
    return typeof item === "number" ? item : this.#encode(item, depth + 1);
  }

  #dictionary(dictionary: object, depth: number): BindingArgument {
    const keys = Object.keys(dictionary);
    this.#count(keys.length);
    for (const symbol of Object.getOwnPropertySymbols(dictionary)) {
      if (!Object.prototype.propertyIsEnumerable.call(dictionary, symbol)) continue;
      this.#fail(`expected strings as the keys of a dictionary ${this.#place(depth)}, given a symbol`);
    }
    // Without a prototype, so that no key has a meaning of its own.
    const copy: Record<string, BindingArgument> = Object.create(null);
    for (const key of keys) {
      const item = (dictionary as Record<string, unknown>)[key];
      // An undefined option is left out.
      if (item === undefined) continue;
      // Not a `shape`, which JSON may have made for a tensor.
      const isTensor = this.command === "dict" && depth === 0 && key !== "shape" && isList(item);
      const encoded = isTensor ? this.#numbers(item, depth + 1) : this.#encode(item, depth + 1);
      copy[wellFormed(this.command, key)] = encoded;
    }
    return fromJson(this.command, copy) as BindingArgument;
  }

  /** Adds to the count of values. Before many are copied, all of them are counted. */
  #count(count: number): void {
    this.#values += count + 1;
    if (this.#values <= UNCOUNTED) return;
    if (this.#values > MAX_VALUES) this.#tooMuch();
    if (this.#isCounted) return;
    this.#isCounted = true;
    if (countOf(this.args, 0, new Map()) > MAX_VALUES) this.#tooMuch();
  }

  #tooMuch(): never {
    return this.#fail(`arguments nested deeper than ${MAX_DEPTH} or of more than ${MAX_VALUES} values`);
  }

  #refuse(value: unknown, depth: number): never {
    return this.#fail(`expected plain data or a handle ${this.#place(depth)}, given ${describeKind(value)}`);
  }

  #place(depth: number): string {
    return `${depth === 0 ? "as" : "in"} argument ${this.position}`;
  }

  #fail(message: string): never {
    throw new StepwellError("ERR_ARGUMENT", `${this.command}: ${message}`);
  }
}

/**
 * The number of values in a value, shared ones counted each time. A count above {@link MAX_VALUES} is not exact, and nesting
 * that is too deep counts as infinite. A list of lists is read once.
 */
function countOf(value: unknown, depth: number, known: Map<object, number>): number {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return 1;
  // The list of arguments is a level more.
  if (depth > MAX_DEPTH + 1) return Number.POSITIVE_INFINITY;
  const items = Array.isArray(value) ? value : isDictionary(value) ? Object.values(value) : [];
  const { length } = items;
  let count = 1 + length;
  let isNested = false;
  for (let i = 0; i < length && count <= MAX_VALUES; i++) {
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
