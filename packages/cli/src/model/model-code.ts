// The code of a model, which can do what any program can: end the process, or wait for what never comes.

import { CommandError, exitCodes } from "../command-error.js";
import { isThrown, thrownProperty, thrownText } from "../thrown.js";

/** The file whose code this process has begun to run; undefined without one. */
let begun: string | undefined;

const modelFailure = (path: string, message: string, exitCode?: number) =>
  new CommandError("ERR_MODEL", `${path}: ${message}`, exitCode);

/** Runs code of a file. Fails if the code waits and nothing is left that could wake it. */
export async function runModelCode<Result>(path: string, run: () => Result): Promise<Awaited<Result>> {
  begun = path;
  let stop = () => {};
  const asleep = new Promise<never>((_, reject) => {
    stop = () => reject(modelFailure(path, "its code waits for a promise that never settles"));
    process.once("beforeExit", stop);
  });
  try {
    return await Promise.race([run(), asleep]);
  } finally {
    process.off("beforeExit", stop);
  }
}

/** An exception of the code of a file as an error that names the file. Errors of the SDK and of this program stay as they are. */
export function codeError(path: string, thrown: unknown): unknown {
  if (isThrown(thrown, CommandError) || thrownProperty(thrown, "name") === "StepwellError") return thrown;
  return modelFailure(path, `its code failed: ${thrownText(thrown)}`);
}

/** An exception that was not caught, such as the one of a promise. If the code of a model runs in the process, it names its file. */
export function uncaughtError(thrown: unknown): unknown {
  if (begun === undefined || codeError(begun, thrown) === thrown) return thrown;
  return modelFailure(begun, `its code did not catch an error: ${thrownText(thrown)}`, exitCodes.failed);
}

/** The error of a process that ends before its command is over; undefined unless the code of a model runs in it. */
export function endedError(): CommandError | undefined {
  return begun === undefined ? undefined : modelFailure(begun, "its code ended the process", exitCodes.failed);
}
