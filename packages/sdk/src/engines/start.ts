import { isErrorCode, StepwellError } from "../errors.js";

/** Starts an engine. An exception of a package or a library becomes a `StepwellError`. */
export function start<Engine>(choose: () => Engine): Engine {
  try {
    return choose();
  } catch (error) {
    throw startError(error);
  }
}

function startError(error: unknown): StepwellError {
  if (error instanceof StepwellError) return error;
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  if (isErrorCode(code)) return new StepwellError(code, String(message), { cause: error });
  // The message of Node ends with a list of files that require the package.
  const [reason = ""] = String(message).split("\n");
  if (code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND") {
    return new StepwellError("ERR_ADDON_NOT_FOUND", `a package of the engine is not installed: ${reason}`, {
      cause: error,
    });
  }
  return new StepwellError("ERR_ENGINE", `the engine cannot be started: ${reason}`, { cause: error });
}
