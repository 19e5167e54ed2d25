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

/** Whether a value is a list. A revoked proxy is none. */
export function isList(value: unknown): value is readonly unknown[] {
  return !isRevoked(value) && Array.isArray(value);
}

/** Whether a value is a function. A revoked proxy is none. */
export function isFunction(value: unknown): value is (...args: readonly unknown[]) => unknown {
  return typeof value === "function" && !isRevoked(value);
}

/** Whether a value is an object of a class. A revoked proxy is none. */
export function isInstance<Of>(value: unknown, of: abstract new (...args: never) => Of): value is Of {
  return !isRevoked(value) && value instanceof of;
}

/** Whether an object is plain: its prototype is null, or the prototype of plain objects in some realm. */
export function isDictionary(value: object): boolean {
  if (isRevoked(value)) return false;
  const prototype: object | null = Object.getPrototypeOf(value);
  if (prototype === null) return true;
  if (prototype !== Object.prototype) {
    const isRoot = Object.getPrototypeOf(prototype) === null;
    if (!isRoot || !Object.hasOwn(prototype, "isPrototypeOf")) return false;
  }
  // Such as `Math` and `JSON`.
  return !Object.hasOwn(value, Symbol.toStringTag);
}
