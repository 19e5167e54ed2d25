import { asStepwellError, StepwellError } from "../errors.js";

/** An exception of the start of an engine, by a package or a library, as a `StepwellError`. */
export function asStartError(error: unknown): StepwellError {
  const known = asStepwellError(error);
  if (known instanceof StepwellError) return known;
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  // The message of Node ends with a list of files that require the package.
  const [reason = ""] = String(message).split("\n");
  if (code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND") {
    return new StepwellError("ERR_ADDON_NOT_FOUND", absence(reason), { cause: error });
  }
  return new StepwellError("ERR_ENGINE", `the engine cannot be started: ${reason}`, { cause: error });
}

/** Says which package is not installed, or not as a whole. */
function absence(reason: string): string {
  const [, name] = /^Cannot find (?:module|package) '(@stepwell\/\w+)'/.exec(reason) ?? [];
  if (name) return `${name} is not here. Install it in this project.`;
  return `a package of the engine is damaged: ${reason}. Install it again.`;
}
