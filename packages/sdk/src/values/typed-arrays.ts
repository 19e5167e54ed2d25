// Facts of typed arrays, asked of the language: an array's own properties, and those of a subclass, can say anything.

const prototype = Object.getPrototypeOf(Uint8Array.prototype) as object;

const getter = (key: PropertyKey): (() => unknown) =>
  Object.getOwnPropertyDescriptor(prototype, key)?.get as () => unknown;

const kind = getter(Symbol.toStringTag);
const length = getter("length");
const search = Uint8Array.prototype.indexOf;

/** The kind of a typed array, such as `Float32Array`; undefined for a `DataView`, and for all that is no view. */
export function kindOf(value: unknown): string | undefined {
  return Reflect.apply(kind, value, []) as string | undefined;
}

/** Whether a typed array has no memory any more: its buffer was transferred, or has shrunk so that it lies outside. */
export function isOutOfBounds(array: ArrayBufferView): boolean {
  if (Reflect.apply(length, array, []) !== 0) return false;
  try {
    // Every method begins by asking that, and there is nothing to search.
    Reflect.apply(search, array, [0]);
    return false;
  } catch {
    return true;
  }
}
