import { isRevoked } from "./plain-data.js";

/**
 * Whether a value is a promise, or another object that can be awaited. A rejection of a promise that is refused is then handled, since
 * it would end the process.
 */
export function isPromise(value: unknown): boolean {
  const holds = (typeof value === "object" && value !== null) || typeof value === "function";
  if (!holds || isRevoked(value) || typeof (value as { then?: unknown }).then !== "function") return false;
  if (value instanceof Promise) value.catch(() => {});
  return true;
}
