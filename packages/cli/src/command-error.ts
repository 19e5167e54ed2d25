// Errors of a command, and the exit codes of the program.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Exit codes of `stepwell`. docs/guides/command-line.md lists them. */
export const exitCodes = {
  /** The command did its work. */
  done: 0,
  /** The work failed: a loss was not finite, or training does not work on this machine. */
  failed: 1,
  /** An argument or a file cannot be used; nothing was written. */
  invalid: 2,
  /** A bug of Stepwell. */
  internal: 70,
  /** SIGHUP, after the checkpoint was saved. */
  hangup: 129,
  /** Ctrl-C, after the checkpoint was saved. */
  interrupted: 130,
  /** SIGTERM, after the checkpoint was saved. */
  terminated: 143,
} as const;

/** Codes of the command line, in addition to the ones of the SDK. */
export const commandCodes = Object.freeze([
  /** Arguments of a command that it does not have, or that exclude each other. */
  "ERR_USAGE",
  /** An exception of the program's own code in a model. */
  "ERR_MODEL",
  /** A training whose loss was not finite. */
  "ERR_NONFINITE",
  /** A port that the live page cannot have. */
  "ERR_PORT",
  /** libtorch was not fetched. */
  "ERR_LIBTORCH_FETCH",
] as const);

/** The page of a code in the package of the SDK; undefined if there is none. */
function pageOfCode(code: string): string | undefined {
  const sdk = dirname(createRequire(import.meta.url).resolve("@stepwell/sdk/package.json"));
  const page = join(sdk, "docs", "errors", `${code}.md`);
  return existsSync(page) ? page : undefined;
}

/** An error that the user can fix, as one line. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  /** The path of the page of the code, if the package of the SDK has one. */
  readonly help: string | undefined;

  /** An error with a code, such as `ERR_FORMAT`. */
  constructor(
    readonly code: string,
    message: string,
    readonly exitCode: number = exitCodes.invalid,
  ) {
    super(message);
    this.help = pageOfCode(code);
  }
}

/** An error of arguments. */
export const usageError = (message: string) => new CommandError("ERR_USAGE", message);

/** An error of the content of a file. */
export const formatError = (path: string, message: string) => new CommandError("ERR_FORMAT", `${path}: ${message}`);

/** An error of the system, such as `ENOENT`, as an error of a file. */
export function fileError(path: string, error: unknown): CommandError {
  const { code, message } = error as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: "there is no such file or folder",
    EACCES: "this user may not access it",
    EISDIR: "it is a folder",
    EEXIST: "it exists already",
    ENOTDIR: "a part of the path is a file",
    ERR_FS_FILE_TOO_LARGE: "it is larger than 2 GiB",
  };
  return new CommandError("ERR_FILE", `${path}: ${reasons[code ?? ""] ?? message}`);
}
