// Objects that an asynchronous call has until a test ends it.

import * as k from "@stepwell/sdk";

/** Batches of some seconds on the native engine, so that a test ends the call. On the other engine the event loop waits for the test. */
const SAMPLES = 2 ** 19;

/** Starts a training of a model that has no samples yet, and returns a function that ends it. */
export function lease(model: k.ModelHandle, inputs: number, dtype: k.Dtype = "float"): () => Promise<void> {
  const [x, y] = [k.full([SAMPLES, inputs], 0, dtype), k.full([SAMPLES, 1], 0, dtype)];
  k.train(model, { batchsize: 1 });
  k.train(model, x, y);
  k.free(x, y);
  const control = new AbortController();
  const running = k.runAsync(model, { signal: control.signal });
  const ended = running.then(
    () => {
      throw new Error("the call was over before the test");
    },
    (error: unknown) => {
      if (error !== control.signal.reason) throw error;
    },
  );
  return () => {
    control.abort();
    return ended;
  };
}

/**
 * A handle of each kind that a call has alone, with the function that ends the call. A call of another function that names one of them is
 * `ERR_BUSY`. Losses are left out, since a model has a copy of its own.
 */
export function leasedHandles(): {
  readonly byKind: ReadonlyMap<string, k.AnyHandle>;
  readonly end: () => Promise<void>;
} {
  const m = k.module(["linear", 2, 1]);
  const [weight, parameters] = [k.parm(m, "weight"), k.parms(m)];
  const vector = k.vector(weight);
  // It changes no weights.
  const o = k.opt("sgd", m, 0);
  const model = k.model(m, k.loss("mse"), o);
  const handles: readonly k.AnyHandle[] = [weight, vector, parameters, m, o, model];
  return { byKind: new Map(handles.map((handle) => [k.classof(handle), handle])), end: lease(model, 2) };
}
