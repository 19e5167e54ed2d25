// The program `stepwell`: runs a command, and turns its error into one line and an exit code.

import { CommanderError } from "commander";
import { CommandError, exitCodes } from "./command-error.js";
import { endedError, uncaughtError } from "./model/model-code.js";
import { printable } from "./output/printable.js";
import { makeProgram } from "./program.js";
import { isThrown, thrownProperty, thrownText } from "./thrown.js";

/** Whether the command is over, so that the process may end. */
let isOver = false;
process.on("exit", (status) => {
  const error = isOver || status !== exitCodes.done ? undefined : endedError();
  if (error) process.exitCode = report(error);
});
process.on("uncaughtException", (error) => process.exit(report(uncaughtError(error))));
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // A training saves, and ends by itself.
  if (process.stdout.listenerCount("error") > 1) return;
  isOver = true;
  // The reader of a pipe has closed it, as `stepwell help | head` does.
  if (error.code === "EPIPE") process.exit(exitCodes.done);
  process.exit(report(new CommandError("ERR_FILE", `stdout: ${error.message}`, exitCodes.failed)));
});
// The progress is lost then, and the work goes on.
process.stderr.on("error", () => {});
// The SDK warns once if WebAssembly runs in the place of the native engine. A reader gets one line without Node's hints.
process.removeAllListeners("warning");
process.on("warning", ({ name, message }) => process.stderr.write(`${name}: ${message}\n`));

const args = process.argv.slice(2);
try {
  await makeProgram(process).parseAsync(args.length > 0 ? args : ["--help"], { from: "user" });
} catch (error) {
  process.exitCode = report(error);
}
isOver = true;

/** Prints the line of an error, and returns the exit code. */
function report(error: unknown): number {
  if (isThrown(error, CommanderError) && error.exitCode === 0) return exitCodes.done;
  const { code, message, help, exitCode } = asCommandError(error);
  const text = printable(message.replaceAll(/\s*\n\s*/g, " "));
  const line = args.includes("--json")
    ? JSON.stringify({ error: { code, message, help } })
    : `stepwell: ${code}: ${text}${help === undefined ? "" : ` (see ${help})`}`;
  process.stderr.write(`${line}\n`);
  if (exitCode === exitCodes.internal && isThrown(error, Error) && !args.includes("--json")) {
    process.stderr.write(`${error.stack}\n`);
  }
  return exitCode;
}

function asCommandError(error: unknown): CommandError {
  if (isThrown(error, CommandError)) return error;
  if (isThrown(error, CommanderError)) return new CommandError("ERR_USAGE", error.message.replace(/^error: /, ""));
  const code = thrownProperty(error, "code");
  // The class of the SDK is not imported here, which would start an engine.
  if (thrownProperty(error, "name") === "StepwellError" && code !== "ERR_INTERNAL") {
    const failures = ["ERR_ENGINE", "ERR_ENGINE_POISONED", "ERR_MEMORY"];
    const exitCode = failures.includes(String(code)) ? exitCodes.failed : exitCodes.invalid;
    return new CommandError(String(code), thrownText(error), exitCode);
  }
  return new CommandError("ERR_INTERNAL", thrownText(error), exitCodes.internal);
}
