// What a step's closure returns.

import type { Api } from "./api.js";
import { StepwellError } from "./errors.js";
import { unheld } from "./fluent/held.js";
import { refuse } from "./fluent/refuse.js";
import { Handle, type TensorHandle } from "./handle.js";

/** The loss as a number. A tensor is freed if it is a loss; one that is refused stays. */
export function lossOf(api: Pick<Api, "data" | "free">, returned: unknown): number {
  if (typeof returned === "number") return returned;
  const tensor = unheld(returned) as TensorHandle;
  if (Handle.idOf(tensor) !== undefined) return scalarOf(api, tensor);
  if (isPromise(returned)) {
    // Nobody waits for it, and what it may be rejected with would end the process.
    if (returned instanceof Promise) returned.catch(() => {});
    const message =
      "step: the closure returned a promise: a closure must be synchronous, for the step waits for no promise";
    throw new StepwellError("ERR_ARGUMENT", message);
  }
  return refuse("step", "the closure to return the loss, a number or a tensor of one element", returned);
}

function scalarOf(api: Pick<Api, "data" | "free">, tensor: TensorHandle): number {
  let read: ReturnType<Api["data"]>;
  try {
    read = api.data(tensor);
  } catch (error) {
    if (!(error instanceof StepwellError)) throw error;
    throw new StepwellError(error.code, `step: the closure returned no tensor that can be read: ${error.message}`, {
      cause: error,
    });
  }
  if (read.data.length === 1) {
    api.free(tensor);
    return Number(read.data[0]);
  }
  const expected = "step: expected the closure to return the loss, a number or a tensor of one element";
  throw new StepwellError("ERR_SHAPE", `${expected}, given a tensor of shape ${JSON.stringify(read.shape)}`);
}

function isPromise(value: unknown): boolean {
  const holds = (typeof value === "object" && value !== null) || typeof value === "function";
  return holds && typeof (value as { then?: unknown }).then === "function";
}
