/** Resolves in the next turn of the event loop, after timers and signals. */
export function turn(): Promise<void> {
  return new Promise(nextTurn);
}

/** Calls a function in the next turn of the event loop. Browsers have no `setImmediate`. */
export function nextTurn(call: () => void): void {
  if (typeof setImmediate === "function") setImmediate(call);
  else setTimeout(call);
}
