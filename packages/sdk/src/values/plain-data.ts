/** Whether a value is a revoked proxy, of which the language answers no question. */
export function isRevoked(value: unknown): boolean {
  try {
    // It runs no code of the caller, so there is no other exception.
    Array.isArray(value);
    return false;
  } catch {
    return true;
  }
}

/** Whether an object is plain: its prototype is null, or the prototype of plain objects in some realm. */
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
