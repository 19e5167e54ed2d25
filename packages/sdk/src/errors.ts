import { engineErrorCodes } from "./generated/error-codes.js";

/** Every code that a {@link StepwellError} can have. A code never changes its meaning. */
export const errorCodes = Object.freeze([
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
] as const);

/** The code of an error, for a program to match on. */
export type ErrorCode = (typeof errorCodes)[number];

interface Node {
  readonly process?: { getBuiltinModule?(name: "node:fs"): { existsSync(path: string): boolean } };
}

/** The folder of the pages of codes. In Node it is in this package. A page or a bundle names the one in the project that made it. */
const pages = pagesFolder();

function pagesFolder(): string {
  // Pages and bundles of ES modules have no `__dirname`; other bundles are away from the package.
  const own = typeof __dirname === "string" ? __dirname.replace(/([\\/])commonjs[\\/]dist$/, "$1docs$1errors") : "";
  const fs = own && (globalThis as Node).process?.getBuiltinModule?.("node:fs");
  return fs && own !== __dirname && fs.existsSync(own) ? own : "node_modules/@stepwell/sdk/docs/errors";
}

/** The one error that Stepwell throws. The message says what was expected and what was given; the call has changed nothing. */
export class StepwellError extends Error {
  /** Always `StepwellError`. */
  override readonly name = "StepwellError";

  /**
   * The path of the page of the code, such as `docs/errors/ERR_SHAPE.md` in the folder of this package. It has the meaning, an example that
   * throws the code, and what to do. In a page or a bundle it begins with `node_modules/@stepwell/sdk`.
   */
  readonly help: string;

  /** An error with a code, and perhaps with a cause. */
  constructor(
    /** Names the kind of the error. It is stable. */
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.help = `${pages}/${code}.md`;
  }
}

/**
 * An error of the engine as a {@link StepwellError}; any other exception as it is. The cause of the engine's error becomes its
 * cause; the engine's error itself has the same text.
 */
export function asStepwellError(error: unknown): unknown {
  // The engine may have been loaded into another realm than this file, which has another class `Error`.
  if (typeof error !== "object" || error === null || error instanceof StepwellError) return error;
  const { code, message, cause } = error as { readonly [key in "code" | "message" | "cause"]?: unknown };
  const options = cause === undefined ? undefined : { cause };
  if (isErrorCode(code)) return new StepwellError(code, String(message), options);
  // The binding itself refuses values that cannot be arguments, such as a function.
  if (code === "InvalidArg") return new StepwellError("ERR_ARGUMENT", String(message), options);
  return error;
}

/** An error of one call as the error of the call that made it; any other exception as it is. */
export function renamed(error: unknown, from: string, to: string): unknown {
  if (from === to || !(error instanceof StepwellError)) return error;
  // An option follows the name of the call, as in "train batchsize: expected".
  if (!error.message.startsWith(`${from}: `) && !error.message.startsWith(`${from} `)) return error;
  const options = error.cause === undefined ? undefined : { cause: error.cause };
  return new StepwellError(error.code, to + error.message.slice(from.length), options);
}

/** Whether an error of an engine has a code. */
export function hasCode(error: unknown, code: ErrorCode): boolean {
  return typeof error === "object" && error !== null && (error as { code?: unknown }).code === code;
}

function isErrorCode(code: unknown): code is ErrorCode {
  return (errorCodes as readonly unknown[]).includes(code);
}
