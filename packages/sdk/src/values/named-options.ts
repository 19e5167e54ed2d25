// Options that the SDK reads itself: plain data with known names, as engines require it.

import { StepwellError } from "../errors.js";
import { brief, describeKind } from "./describe.js";
import { isDictionary, isRevoked } from "./plain-data.js";

/** The given options, each read once. An undefined option is left out; a name that is not in the list is an error. */
export function namedOptions<Options extends object>(
  where: string,
  options: unknown,
  names: readonly (keyof Options & string)[],
): Options {
  if (
    typeof options !== "object" ||
    options === null ||
    isRevoked(options) ||
    Array.isArray(options) ||
    !isDictionary(options)
  ) {
    throw new StepwellError("ERR_ARGUMENT", `${where}: expected options, given ${describeKind(options)}`);
  }
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  const unknown = entries.find(([name]) => !(names as readonly string[]).includes(name));
  if (unknown) {
    const message = `${where}: unknown option \`${brief(unknown[0])}\`, expected one of ${names.join(", ")}`;
    throw new StepwellError("ERR_OPTION_UNKNOWN", message);
  }
  return Object.fromEntries(entries) as Options;
}
