// The loss that the closure of a step returns.

import type { TypedTensor } from "../../binding.js";
import { handleOf } from "../../client/encode.js";
import { StepwellError } from "../../errors.js";
import { isPromise } from "../../values/promise.js";
import { refuse } from "../../values/refuse.js";
import { client } from "../client.js";

/** The loss as a number. A tensor of one element is freed; a tensor that is refused stays. */
export function lossOf(returned: unknown): number {
  if (typeof returned === "number") return returned;
  const tensor = handleOf(returned);
  if (tensor !== undefined) return scalarOf(tensor);
  if (isPromise(returned)) {
    const message =
      "step: the closure returned a promise: a closure must be synchronous, for the step waits for no promise";
    throw new StepwellError("ERR_ARGUMENT", message);
  }
  return refuse("step", "the closure to return the loss, a number or a tensor of one element", returned);
}

function scalarOf(tensor: object): number {
  let read: TypedTensor;
  try {
    read = client.call("data", [tensor]) as TypedTensor;
  } catch (error) {
    if (!(error instanceof StepwellError)) throw error;
    throw new StepwellError(error.code, `step: the closure returned no tensor that can be read: ${error.message}`);
  }
  if (read.data.length === 1) {
    client.free([tensor]);
    return Number(read.data[0]);
  }
  const expected = "step: expected the closure to return the loss, a number or a tensor of one element";
  throw new StepwellError("ERR_SHAPE", `${expected}, given a tensor of shape ${JSON.stringify(read.shape)}`);
}
