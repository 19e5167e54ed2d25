// Trains classifiers of handwritten digits and reports on them. `npm run demo -- --help` lists the options.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pageOf, progressBar } from "@stepwell/cli";
import { free, StepwellError, save } from "@stepwell/sdk";
import { CommanderError } from "commander";
import { type Arguments, parseArguments } from "./arguments.js";
import { readDigits, type SplitDigits, splitDigits } from "./digits.js";
import { TrainingError } from "./epoch.js";
import { worstMistakes } from "./mistakes.js";
import { whole } from "./numbers.js";
import { report } from "./report.js";
import { table } from "./table.js";
import { assertSteadyHandles, type Run, train } from "./training.js";

async function main({ trainings, out }: Arguments, signal: AbortSignal): Promise<void> {
  // Made before the training, so that an error of the folder is reported at once.
  if (!existsSync(out)) mkdirSync(out);
  const digits = splitDigits(readDigits());
  console.log(
    `${whole(digits.training.labels.length)} digits to learn from, ${whole(digits.test.labels.length)} to test`,
  );

  const runs: Run[] = [];
  for (const settings of trainings) {
    const { optimizer, epochs } = settings;
    console.log(`\n${optimizer}`);
    const progress = progressBar({ stream: process.stdout, epochs, samples: digits.training.labels.length });
    const run = await train(settings, digits, [progress], signal);
    assertSteadyHandles(run.epochs);
    runs.push(run);
  }
  finish(runs as [Run, ...Run[]], digits, out);
}

/** Writes the files and prints the table. */
function finish(runs: readonly [Run, ...Run[]], digits: SplitDigits, out: string): void {
  const numbers = report(runs, digits);
  const mistakes = runs.map(({ result }) => worstMistakes(result, digits));
  writeFileSync(join(out, "report.json"), `${JSON.stringify(numbers, undefined, 2)}\n`);
  writeFileSync(
    join(out, "report.html"),
    pageOf({ ...numbers, mistakes }, new URL("../report/digits.html", import.meta.url)),
  );
  for (const [index, { classifier }] of runs.entries()) {
    save(classifier, join(out, numbers.runs[index]?.parameters ?? ""));
    free(classifier);
  }
  console.log(`\n${table(numbers.runs)}\n`);
  console.log(`report:     ${join(out, "report.html")}`);
  console.log(`numbers:    ${join(out, "report.json")}`);
  console.log(`parameters: ${numbers.runs.map(({ parameters }) => join(out, parameters)).join(", ")}`);
}

/** The message for an error that the user can fix; undefined for a bug. */
function sentence(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof StepwellError || error instanceof TrainingError) return error.message;
  if (error instanceof CommanderError) return error.message.replace(/^error: /, "");
  if ("syscall" in error) return `The report cannot be written: ${error.message}`;
  return undefined;
}

const interrupt = new AbortController();
// npm passes Ctrl-C on to a process that has received it from the terminal, so this may run twice.
process.on("SIGINT", () => interrupt.abort());
// The reader of the pipe has closed it, as `npm run demo | head` does.
process.stdout.on("error", () => process.exit(0));

try {
  await main(parseArguments(process.argv.slice(2)), interrupt.signal);
} catch (error) {
  if (interrupt.signal.aborted) {
    console.error("Stopped by Ctrl-C: no report was written.");
    process.exitCode = 130;
  } else if (error instanceof CommanderError && error.exitCode === 0) {
    // That was --help.
  } else {
    const said = sentence(error);
    if (said === undefined) throw error;
    console.error(said);
    process.exitCode = 1;
  }
}
