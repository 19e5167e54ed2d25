// Facts of typed arrays, read through the getters of the language: properties of the array itself or of a subclass may be false.

import { StepwellError } from "../errors.js";

const prototype = Object.getPrototypeOf(Uint8Array.prototype) as object;

const getter = (key: PropertyKey): (() => unknown) =>
  Object.getOwnPropertyDescriptor(prototype, key)?.get as () => unknown;

const kind = getter(Symbol.toStringTag);
const length = getter("length");
const buffer = getter("buffer");
const byteOffset = getter("byteOffset");
const byteLength = getter("byteLength");
const search = Uint8Array.prototype.indexOf;

/** The kind of a typed array, such as `Float32Array`; undefined for a `DataView` and for any other value. */
export function kindOf(value: unknown): string | undefined {
  return Reflect.apply(kind, value, []) as string | undefined;
}

/** The number of elements of a typed array. */
export function lengthOf(array: object): number {
  return Reflect.apply(length, array, []) as number;
}

/** The bytes of a typed array, which shares them; none if it has lost its memory. */
export function memoryOf(array: ArrayBufferView): Uint8Array {
  const own = <Value>(read: () => unknown) => Reflect.apply(read, array, []) as Value;
  const length = own<number>(byteLength);
  return length === 0 ? new Uint8Array() : new Uint8Array(own<ArrayBuffer>(buffer), own<number>(byteOffset), length);
}

/** Whether a typed array has lost its memory: its buffer was transferred, or has shrunk and no longer contains the array. */
export function isOutOfBounds(array: ArrayBufferView): boolean {
  if (lengthOf(array) !== 0) return false;
  try {
    // Every method begins with this check, and an empty array leaves nothing to search.
    Reflect.apply(search, array, [0]);
    return false;
  } catch {
    return true;
  }
}

/** A class of typed arrays. */
export interface ArrayType<Elements> {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): Elements;
}

/** A new typed array of zeros. Without memory for it, `ERR_MEMORY`. */
export function allocated<Elements>(where: string, type: ArrayType<Elements>, length: number): Elements {
  try {
    return new type(length);
  } catch {
    const bytes = length * type.BYTES_PER_ELEMENT;
    throw new StepwellError("ERR_MEMORY", `${where}: out of memory allocating ${bytes} bytes`);
  }
}
