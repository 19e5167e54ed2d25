/** Resolves in the next turn of the event loop, after timers and signals. */
export function turn(): Promise<void> {
  return new Promise(nextTurn);
}

/** Calls a function in the next turn of the event loop. Browsers have no `setImmediate`. */
export function nextTurn(call: () => void): void {
  if (typeof setImmediate === "function") setImmediate(call);
  else setTimeout(call);
}

/** In milliseconds. Work that takes no turn by itself holds the event loop for about so long. */
const HELD = 4;

/** Tells long work when the event loop should have a turn. */
export class TurnClock {
  #last = performance.now();

  /** Whether a turn is due. */
  get isDue(): boolean {
    return performance.now() - this.#last > HELD;
  }

  /** Takes a turn if it is due. */
  async turnIfDue(): Promise<void> {
    if (!this.isDue) return;
    await turn();
    this.#last = performance.now();
  }
}

/** As {@link nextTurn}, without the 4 ms that browsers wait between timers which are set in timers. */
export function soon(call: () => void): void {
  if (typeof setImmediate === "function" || typeof MessageChannel !== "function") {
    nextTurn(call);
    return;
  }
  const { port1, port2 } = new MessageChannel();
  const close = () => {
    port1.close();
    call();
  };
  Object.assign(port1, { onmessage: close });
  port2.postMessage(undefined);
}
