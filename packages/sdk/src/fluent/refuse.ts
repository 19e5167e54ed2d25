import { told } from "../brief.js";
import { StepwellError } from "../errors.js";

/** Throws for an argument that only a program without types can give. */
export function refuse(where: string, expected: string, given: unknown): never {
  throw new StepwellError("ERR_ARGUMENT", `${where}: expected ${expected}, given ${told(given)}`);
}

/** Reads arguments: an exception of a getter or a trap of theirs is told as an argument that cannot be read. */
export function reading<Result>(where: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof StepwellError) throw error;
    const message = `${where}: an argument cannot be read: reading it threw an exception`;
    throw new StepwellError("ERR_ARGUMENT", message, { cause: error });
  }
}

/** A deep copy of plain data. */
export function copyOf<Data>(where: string, data: Data): Data {
  try {
    return structuredClone(data);
  } catch {
    return refuse(where, "plain data", data);
  }
}
