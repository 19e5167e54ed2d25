// The outputs of a function that a pass calls.

import { handleOf } from "../../client/encode.js";
import { StepwellError } from "../../errors.js";
import { isRevoked } from "../../values/plain-data.js";
import { isPromise } from "../../values/promise.js";
import { refuse } from "../../values/refuse.js";

/** The gradients that a function returned: one, or a list of them and of null. */
export function gradientsOf(where: string, returned: unknown): readonly unknown[] {
  refusePromise(where, returned);
  const list = !isRevoked(returned) && Array.isArray(returned) ? [...(returned as readonly unknown[])] : [returned];
  const gradients = list.map((gradient) => gradient ?? null);
  if (gradients.every((gradient) => gradient === null || handleOf(gradient) !== undefined)) return gradients;
  return refuse(where, "the backward to return gradients, or null for an input without one", returned);
}

/** The tensors that a function returned: one, or a list that is not empty. `where` names the function in messages. */
export function outputsOf(where: string, returned: unknown): readonly unknown[] {
  refusePromise(where, returned);
  const list = !isRevoked(returned) && Array.isArray(returned) ? [...(returned as readonly unknown[])] : [returned];
  if (list.length > 0 && list.every((output) => handleOf(output) !== undefined)) return list;
  return refuse(where, "the function to return a tensor, or a list of tensors", returned);
}

function refusePromise(where: string, returned: unknown): void {
  if (!isPromise(returned)) return;
  const message = `${where}: the function returned a promise: it must be synchronous, for a pass waits for no promise`;
  throw new StepwellError("ERR_ARGUMENT", message);
}
