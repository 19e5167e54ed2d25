// The outputs of a function that a pass calls.

import { handleOf } from "../../client/encode.js";
import { StepwellError } from "../../errors.js";
import { Handle } from "../../handle.js";
import { describeValue } from "../../values/describe.js";
import { isList } from "../../values/plain-data.js";
import { isPromise } from "../../values/promise.js";
import { refuse } from "../../values/refuse.js";

/** Whether a value is a tensor of either layer. */
export function isTensor(value: unknown): boolean {
  const handle = handleOf(value);
  return handle !== undefined && Handle.kindOf(handle) === "tensor";
}

/** The gradients that a function returned: one, or a list of them and of null. */
export function gradientsOf(where: string, returned: unknown): readonly unknown[] {
  refusePromise(where, returned);
  const list = isList(returned) ? [...returned] : [returned];
  const gradients = list.map((gradient) => gradient ?? null);
  if (gradients.every((gradient) => gradient === null || isTensor(gradient))) return gradients;
  return refuseReturned(
    where,
    "the backward to return gradients, or null for an input without one",
    gradients,
    returned,
  );
}

/** The tensors that a function returned: one, or a list that is not empty. `where` names the function in messages. */
export function outputsOf(where: string, returned: unknown): readonly unknown[] {
  refusePromise(where, returned);
  const list = isList(returned) ? [...returned] : [returned];
  if (list.length > 0 && list.every(isTensor)) return list;
  return refuseReturned(where, "the function to return a tensor, or a list of tensors", list, returned);
}

/** Throws for what a function returned; another code if an object of another kind is in it. */
function refuseReturned(where: string, expected: string, list: readonly unknown[], returned: unknown): never {
  const other = list.find((item) => handleOf(item) !== undefined && !isTensor(item));
  if (other === undefined) refuse(where, expected, returned);
  throw new StepwellError("ERR_HANDLE_KIND", `${where}: expected ${expected}, given ${describeValue(other)}`);
}

function refusePromise(where: string, returned: unknown): void {
  if (!isPromise(returned)) return;
  const message = `${where}: the function returned a promise: it must be synchronous, for a pass waits for no promise`;
  throw new StepwellError("ERR_ARGUMENT", message);
}
