import { refuse } from "./refuse.js";

/** A deep copy of plain data; `where` is the call that takes it. */
export function copyOf<Data>(where: string, data: Data): Data {
  try {
    return structuredClone(data);
  } catch (error) {
    if (error instanceof DOMException) return refuse(where, "plain data", data);
    // A getter of the caller has thrown it.
    throw error;
  }
}
