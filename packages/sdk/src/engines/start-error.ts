import { asStepwellError, StepwellError } from "../errors.js";

/** An exception of the start of an engine, by a package or a library, as a `StepwellError`. */
export function asStartError(error: unknown): StepwellError {
  const known = asStepwellError(error);
  if (known instanceof StepwellError) return known;
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  // The message of Node ends with a list of files that require the package.
  const [reason = ""] = String(message).split("\n");
  if (code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND") {
    return new StepwellError("ERR_ADDON_NOT_FOUND", `a package of the engine is not installed: ${reason}`, {
      cause: error,
    });
  }
  return new StepwellError("ERR_ENGINE", `the engine cannot be started: ${reason}`, { cause: error });
}
