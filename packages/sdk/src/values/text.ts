import { StepwellError } from "../errors.js";

/**
 * Text that has a form in Unicode; `where` is the call that takes it. Text with half of a surrogate pair has none: all such
 * text would become the same, and no file can hold it.
 */
export function wellFormed(where: string, text: string): string {
  // Half of a pair of surrogates: in this mode a whole pair is one character, and none of the class.
  if (!/\p{Surrogate}/u.test(text)) return text;
  throw new StepwellError(
    "ERR_ARGUMENT",
    `${where}: expected well-formed text, given a string with half of a surrogate pair`,
  );
}
