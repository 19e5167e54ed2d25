// Signals that end a command after its work is saved.

/** Ctrl-C, the end that a service manager asks for, and the end of the terminal. */
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** In milliseconds: a second signal within this time is the first one again. npx passes Ctrl-C on, which the terminal has sent as well. */
const SAME_SIGNAL = 1000;

/** Calls `first` at the first signal, and `again` at each later one. Returns a function that ends it. */
export function onEndingSignals(
  first: (signal: NodeJS.Signals) => void,
  again: (signal: NodeJS.Signals) => void,
): () => void {
  let since: number | undefined;
  const listener = (signal: NodeJS.Signals) => {
    if (since === undefined) {
      since = performance.now();
      first(signal);
    } else if (performance.now() - since > SAME_SIGNAL) again(signal);
  };
  for (const name of signals) process.on(name, listener);
  return () => {
    for (const name of signals) process.off(name, listener);
  };
}
