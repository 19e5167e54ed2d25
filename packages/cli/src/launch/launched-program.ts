// The program that `launch` starts, and its checks before the first process.

import { statSync } from "node:fs";
import { CommandError, exitCodes, fileError } from "../command-error.js";

/** A command with its arguments. */
export interface LaunchedProgram {
  readonly command: string;
  readonly args: readonly string[];
}

/** The command that runs a program: Node for a file of JavaScript or TypeScript, which has to exist. */
export function launchedProgram(program: string, args: readonly string[]): LaunchedProgram {
  if (program === "") throw argumentError("expected a program, given an empty text");
  if (!/\.[cm]?[jt]s$/.test(program)) return { command: program, args };
  try {
    statSync(program);
  } catch (error) {
    throw fileError(program, error);
  }
  if (program.endsWith("ts") && !runsTypeScript()) {
    const node = `Node ${process.versions.node} does not run TypeScript`;
    const remedy = `use Node 22.18 or newer, or install tsx and run: stepwell launch -n 2 node -- --import tsx`;
    throw argumentError(`${program}: ${node}: ${remedy} ${program}`);
  }
  return { command: process.execPath, args: [program, ...args] };
}

/** Whether Node runs TypeScript: by itself, or by a module that NODE_OPTIONS names. */
function runsTypeScript(): boolean {
  const isOfNode = Boolean((process.features as { readonly typescript?: unknown }).typescript);
  return (
    isOfNode || /(?:^|\s)(?:--import|--require|-r|--(?:experimental-)?loader)\b/.test(process.env.NODE_OPTIONS ?? "")
  );
}

function argumentError(message: string): CommandError {
  return new CommandError("ERR_ARGUMENT", `launch: ${message}`, exitCodes.invalid);
}
