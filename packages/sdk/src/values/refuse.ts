import { StepwellError } from "../errors.js";
import { describeKind, describeValue } from "./describe.js";

/** Throws for an argument that only a program without types can give. */
export function refuse(where: string, expected: string, given: unknown): never {
  throw new StepwellError("ERR_ARGUMENT", `${where}: expected ${expected}, given ${describeValue(given)}`);
}

/** Throws for a method of a class that was called on anything but an object that the class has made. */
export function refuseReceiver(where: string, receiver: unknown): never {
  const expected = `${where}: expected a method to be called on ${/^[AO]/.test(where) ? "an" : "a"} ${where}`;
  // Describing an object reads its `handle`, a getter that would come here again.
  const given = typeof receiver === "object" && receiver !== null ? "another object" : describeValue(receiver);
  throw new StepwellError("ERR_ARGUMENT", `${expected}, given ${given}`);
}

/** Throws if a call has more arguments than it reads. */
export function refuseSurplus(where: string, surplus: readonly unknown[]): void {
  if (surplus.length === 0) return;
  const given = `given ${describeKind(surplus[0])} as another`;
  throw new StepwellError("ERR_ARGUMENT", `${where}: expected fewer arguments, ${given}`);
}
