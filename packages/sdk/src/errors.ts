import { engineErrorCodes } from "./generated/error-codes.js";

/** Every code that a {@link StepwellError} can have. A code never changes its meaning. */
export const errorCodes = [
  ...engineErrorCodes,
  /** At import: there is no addon for this platform, or the package of the addon is not installed. */
  "ERR_ADDON_NOT_FOUND",
  /** At import: the addon cannot be loaded. */
  "ERR_ADDON_LOAD",
  /** At import: libtorch is in none of the places that are searched. */
  "ERR_LIBTORCH_NOT_FOUND",
  /** At import: `LIBTORCH` names a libtorch of another version. */
  "ERR_LIBTORCH_VERSION",
  /** At import: libtorch cannot be loaded. */
  "ERR_LIBTORCH_LOAD",
] as const;

/** The code of an error, for a program to match on. */
export type ErrorCode = (typeof errorCodes)[number];

/** The one error that Stepwell throws. The message says what was expected and what was given; the call has changed nothing. */
export class StepwellError extends Error {
  /** Always `StepwellError`. */
  override readonly name = "StepwellError";

  /** An error with a code, and perhaps with a cause. */
  constructor(
    /** Names the kind of the error. It is stable. */
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** An error of the engine as a {@link StepwellError}; any other exception as it is. */
export function typed(error: unknown): unknown {
  // The engine may have been loaded into another realm than this file, which has another class `Error`.
  if (typeof error !== "object" || error === null || error instanceof StepwellError) return error;
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  if (isErrorCode(code)) return new StepwellError(code, String(message), { cause: error });
  // The binding itself refuses values that cannot be arguments, such as a function.
  if (code === "InvalidArg") return new StepwellError("ERR_ARGUMENT", String(message), { cause: error });
  return error;
}

/** Whether an error of an engine says that there is not enough memory. */
export function isOutOfMemory(error: unknown): boolean {
  return typeof error === "object" && error !== null && (error as { code?: unknown }).code === "ERR_MEMORY";
}

/** Whether a value is a code that a {@link StepwellError} can have. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return (errorCodes as readonly unknown[]).includes(code);
}
