import { told } from "../brief.js";
import { StepwellError } from "../errors.js";

/** Throws for an argument that only a program without types can give. */
export function refuse(where: string, expected: string, given: unknown): never {
  throw new StepwellError("ERR_ARGUMENT", `${where}: expected ${expected}, given ${told(given)}`);
}

/** A deep copy of plain data. */
export function copyOf<Data>(where: string, data: Data): Data {
  try {
    return structuredClone(data);
  } catch {
    return refuse(where, "plain data", data);
  }
}
