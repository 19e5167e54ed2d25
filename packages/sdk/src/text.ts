import { StepwellError } from "./errors.js";

/** Text that has a form in Unicode. What has none would become the same as other such text, and no file can hold it. */
export function wellFormed(text: string): string {
  // Half of a pair of surrogates: in this mode a whole pair is one character, and none of the class.
  if (!/\p{Surrogate}/u.test(text)) return text;
  throw new StepwellError("ERR_ARGUMENT", "expected well-formed text, given a string with half of a surrogate pair");
}
