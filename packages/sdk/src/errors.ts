/** Every code that a {@link StepwellError} can have. A code never changes its meaning. */
export const errorCodes = [
  /** A call with too few, too many or unsuitable arguments. */
  "ERR_ARGUMENT",
  /** No optimizer, module or loss of that name. */
  "ERR_UNKNOWN_NAME",
  /** An option that this optimizer, module or loss does not have. */
  "ERR_OPTION_UNKNOWN",
  /** An option of the wrong type. */
  "ERR_OPTION_TYPE",
  /** An option outside its range, or not finite. */
  "ERR_OPTION_RANGE",
  /** A parameter group that does not exist and cannot be added. */
  "ERR_GROUP",
  /** A tensor that cannot become a parameter: unknown, not a leaf, or already there. */
  "ERR_PARAMETER",
  /** A gradient that cannot be used. */
  "ERR_GRADIENT",
  /** The optimizer needs a closure that computes the loss. */
  "ERR_CLOSURE_REQUIRED",
  /** A handle whose object was freed. */
  "ERR_HANDLE_FREED",
  /** Something that is no handle of this session. */
  "ERR_HANDLE_INVALID",
  /** A handle of another kind than the call needs. */
  "ERR_HANDLE_KIND",
  /** Shapes that do not fit. */
  "ERR_SHAPE",
  /** A data type that does not fit. */
  "ERR_DTYPE",
  /** A device that does not exist or cannot be used. */
  "ERR_DEVICE",
  /** More memory than there is. */
  "ERR_MEMORY",
  /** A file that cannot be read or written. */
  "ERR_FILE",
  /** A file whose content is not what it should be. */
  "ERR_FORMAT",
  /** The tensor library refused an operation. */
  "ERR_ENGINE",
  /** The engine was ended by a bug of Stepwell or by a lack of memory or stack; only `reset` helps. */
  "ERR_ENGINE_POISONED",
  /** A bug of Stepwell. */
  "ERR_INTERNAL",
  /** When the package is loaded: there is no addon for this platform, or no package with it. */
  "ERR_ADDON_NOT_FOUND",
  /** When the package is loaded: the addon that is there cannot be loaded. */
  "ERR_ADDON_LOAD",
  /** When the package is loaded: libtorch is on none of the places where it is looked for. */
  "ERR_LIBTORCH_NOT_FOUND",
  /** When the package is loaded: `LIBTORCH` names a libtorch of another version. */
  "ERR_LIBTORCH_VERSION",
  /** When the package is loaded: libtorch is there and cannot be loaded. */
  "ERR_LIBTORCH_LOAD",
] as const;

/** What went wrong, for a program to match on. */
export type ErrorCode = (typeof errorCodes)[number];

/** The one error that Stepwell throws. The message says what was expected and what was given; nothing was changed. */
export class StepwellError extends Error {
  override readonly name = "StepwellError";

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The engine's error as a {@link StepwellError}; anything else as it is. */
export function typed(error: unknown): unknown {
  // The engine may have been loaded into another realm than this file, which has another class `Error`.
  if (typeof error !== "object" || error === null || error instanceof StepwellError) return error;
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  if (isErrorCode(code)) return new StepwellError(code, String(message), { cause: error });
  // The binding itself refuses what has no place among arguments, such as a function or a list that contains itself.
  if (code === "InvalidArg") return new StepwellError("ERR_ARGUMENT", String(message), { cause: error });
  return error;
}

/** Whether an engine has found no memory for what it was to do. */
export function isOutOfMemory(error: unknown): boolean {
  return typeof error === "object" && error !== null && (error as { code?: unknown }).code === "ERR_MEMORY";
}

/** Whether something is a code that a {@link StepwellError} can have. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return (errorCodes as readonly unknown[]).includes(code);
}
