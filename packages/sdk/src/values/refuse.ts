import { told } from "../brief.js";
import { StepwellError } from "../errors.js";
import { nameOf } from "../send.js";

/** Throws for an argument that only a program without types can give. */
export function refuse(where: string, expected: string, given: unknown): never {
  throw new StepwellError("ERR_ARGUMENT", `${where}: expected ${expected}, given ${told(given)}`);
}

/** Throws if a call has more arguments than it takes, for nothing would read them. */
export function refuseSurplus(where: string, surplus: readonly unknown[]): void {
  if (surplus.length === 0) return;
  throw new StepwellError("ERR_ARGUMENT", `${where}: expected fewer arguments, given ${nameOf(surplus[0])} as another`);
}

/** A deep copy of plain data. */
export function copyOf<Data>(where: string, data: Data): Data {
  try {
    return structuredClone(data);
  } catch (error) {
    if (error instanceof DOMException) return refuse(where, "plain data", data);
    // A getter of the caller's has thrown it.
    throw error;
  }
}
