// The program that `launch` starts.

import { CommandError, exitCodes } from "../command-error.js";

/** A command with its arguments. */
export interface LaunchedProgram {
  readonly command: string;
  readonly args: readonly string[];
}

/** The command that runs a program: Node for a file of JavaScript or TypeScript. */
export function launchedProgram(program: string, args: readonly string[]): LaunchedProgram {
  if (program === "") throw argumentError("expected a program, given an empty text");
  if (!/\.[cm]?[jt]s$/.test(program)) return { command: program, args };
  return { command: process.execPath, args: [program, ...args] };
}

function argumentError(message: string): CommandError {
  return new CommandError("ERR_ARGUMENT", `launch: ${message}`, exitCodes.invalid);
}
