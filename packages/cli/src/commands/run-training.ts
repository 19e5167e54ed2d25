// Trains a run for `train` and `resume`: observers, checkpoints, signals and the result.

import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { FitEvent, FitHistory } from "@stepwell/sdk";
import { CommandError, exitCodes, fileError } from "../command-error.js";
import type { NamedFile } from "../data/named-file.js";
import { onEndingSignals } from "../ending-signals.js";
import { modelError } from "../model/model-file.js";
import { livePage } from "../observers/live-page.js";
import { observe, type TrainingObserver } from "../observers/observer.js";
import { progressBar } from "../observers/progress-bar.js";
import { report } from "../observers/report.js";
import { tensorboard } from "../observers/tensorboard.js";
import { type Environment, jsonNumber, printResult } from "../output/environment.js";
import { figure } from "../output/numbers.js";
import { isThrown, thrownProperty, thrownText } from "../thrown.js";
import type { Run } from "../training/build-run.js";
import { type Progress, trainingEvents } from "../training/events.js";
import { saveRun } from "../training/run-file.js";
import { checkDistinct, checkFolder, checkWritable } from "./output-files.js";

/** How a training is shown and saved. */
export interface TrainingOutput {
  /** The file of the run; null: nothing is saved. */
  readonly out: string | null;
  /** Ways to show it. */
  readonly show: ShowArguments;
}

/** Options of both commands that show a training, as commander has parsed them. */
export interface ShowArguments {
  readonly quiet?: true;
  readonly tensorboard?: string;
  readonly report?: string;
  /** Whether files that exist are replaced. */
  readonly overwrite?: true;
  /** The port, or true for any. */
  readonly live?: number | true;
}

/** Trains until the last epoch or a signal, and sets the exit code. */
export async function runTraining(
  run: Run,
  progress: Progress,
  { out, show }: TrainingOutput,
  environment: Environment,
): Promise<void> {
  const interrupt = new AbortController();
  let signal: NodeJS.Signals | undefined;
  const stop = (name: NodeJS.Signals) => {
    signal = name;
    interrupt.abort();
  };
  // It does not wait for the step and the checkpoint.
  const stopAtOnce = (name: NodeJS.Signals) => process.exit(exitOf(name));
  let outputError: unknown;
  const endOfOutput = (error: unknown) => {
    outputError ??= error;
    interrupt.abort();
  };
  const release = onEndingSignals(stop, stopAtOnce);
  environment.stdout.on("error", endOfOutput);
  if (run.surplusOutputs > 0 && !show.quiet) {
    environment.stderr.write(`The model has ${run.surplusOutputs} more outputs than the targets have classes.\n`);
  }
  const checkpoint = new Checkpoint(run, progress, out);
  const observers: TrainingObserver[] = [checkpoint];
  if (environment.json) observers.push(epochLines(environment));
  observers.push(...shown(run, progress, show, environment));
  let isBegun = false;
  observers.push({
    event() {
      isBegun = true;
    },
  });
  try {
    const history = await observe(trainingEvents(run, progress, interrupt.signal), ...observers);
    if (outputError !== undefined) throw fileError("stdout", outputError);
    printEnd(run, progress, history, out, environment);
    if (history.reason === "aborted") process.exitCode = exitOf(signal ?? "SIGINT");
    if (history.reason === "nonfinite") {
      const kept = checkpoint.epochs === undefined ? "" : `; ${out} has the end of epoch ${checkpoint.epochs}`;
      throw new CommandError(
        "ERR_NONFINITE",
        `the loss was not finite at step ${progress.step}${kept}`,
        exitCodes.failed,
      );
    }
  } catch (error) {
    const found = modelError(run.configuration.model, error);
    throw isBegun ? asFailure(found) : found;
  } finally {
    // After a signal the command ends. Until then npx may pass the signal on once more.
    if (signal === undefined) release();
    environment.stdout.off("error", endOfOutput);
  }
}

/** An error of a training that has begun, such as a full disk: files are written already. */
function asFailure(error: unknown): unknown {
  const code = thrownProperty(error, "code");
  const isOfSdk = thrownProperty(error, "name") === "StepwellError" && code !== "ERR_INTERNAL";
  const isKnown = isThrown(error, CommandError) || isOfSdk;
  return isKnown ? new CommandError(String(code), thrownText(error), exitCodes.failed) : error;
}

/** The observers that options ask for. */
function shown(
  run: Run,
  { history }: Progress,
  { quiet, tensorboard: folder, report: page, live }: ShowArguments,
  { stderr }: Environment,
): readonly TrainingObserver[] {
  const { configuration, model: _, ...model } = run;
  const settings = settingsOf(run);
  const recorded = { title: configuration.data.path, settings, model, epochs: [...history] };
  const onListen = (address: string) => void stderr.write(`Live: ${address}\n`);
  const description = Object.entries(settings)
    .map(([name, value]) => `- ${name}: ${value}`)
    .join("\n");
  return [
    // First, since a port that is in use ends the command before a file is made.
    ...(live === undefined ? [] : [livePage({ ...recorded, onListen, port: live === true ? 0 : live })]),
    ...(folder === undefined ? [] : [tensorboard(folder, { model, description })]),
    ...(page === undefined ? [] : [report(page, recorded)]),
    ...(quiet ? [] : [progressBar({ stream: stderr, epochs: configuration.epochs, samples: run.counts.training })]),
  ];
}

function settingsOf({ configuration, counts }: Run): Readonly<Record<string, string>> {
  const { data, loss, training, seed, schedule } = configuration;
  const { batchsize, shuffle, accumulate, clipnorm } = training;
  return {
    data: `${data.path}, ${counts.training} samples for training and ${counts.validation} for validation`,
    loss: loss.name,
    batches: `${batchsize} samples, ${shuffle ? "shuffled" : "in order"}, ${accumulate} a step`,
    ...(clipnorm !== null && { clipping: `norm ${clipnorm}` }),
    ...(schedule && { schedule: JSON.stringify(schedule) }),
    seed: String(seed),
  };
}

/** Fails unless the files of observers can be written. `read` and `out` are the other files of the command. */
export function checkShown(read: readonly NamedFile[], out: NamedFile | undefined, show: ShowArguments): void {
  const { tensorboard: folder, report: page, overwrite } = show;
  const written = [
    ...(out ? [out] : []),
    ...(page === undefined ? [] : [{ argument: "--report", path: page }]),
    // In a folder that exists, event files have new names.
    ...(folder === undefined || existsSync(folder) ? [] : [{ argument: "--tensorboard", path: folder }]),
  ];
  checkDistinct(read, written);
  if (page !== undefined) checkWritable(page, "report", overwrite === true);
  if (folder !== undefined) checkFolder(existsSync(folder) ? folder : dirname(resolve(folder)));
}

function exitOf(signal: NodeJS.Signals): number {
  if (signal === "SIGHUP") return exitCodes.hangup;
  return signal === "SIGTERM" ? exitCodes.terminated : exitCodes.interrupted;
}

/** In milliseconds: short epochs are saved so often, since a save waits for the disk. */
const SAVE_INTERVAL = 1000;

/** Saves the run after epochs, at the end, and after a signal. */
class Checkpoint implements TrainingObserver {
  /** Epochs in the file; undefined before the first save of this process. */
  epochs: number | undefined;
  #last = Number.NEGATIVE_INFINITY;

  constructor(
    readonly run: Run,
    readonly progress: Progress,
    readonly out: string | null,
  ) {}

  async event(event: FitEvent): Promise<void> {
    const { out, run, progress } = this;
    // A loss that is not finite leaves the last good state in the file.
    if (out === null || event.type === "step" || (event.type === "done" && event.reason === "nonfinite")) return;
    if (event.type === "epoch" && performance.now() - this.#last < SAVE_INTERVAL) return;
    await saveRun(out, run, progress);
    this.epochs = progress.history.length;
    this.#last = performance.now();
  }
}

/** Prints the figures of each epoch as a line of JSON. */
function epochLines({ stdout }: Environment): TrainingObserver {
  return {
    event(event) {
      if (event.type === "epoch") stdout.write(`${JSON.stringify(event, jsonNumber)}\n`);
    },
  };
}

function printEnd(
  run: Run,
  progress: Progress,
  history: FitHistory,
  out: string | null,
  environment: Environment,
): void {
  const { reason, best } = history;
  if (reason === "nonfinite") return;
  const { epochs } = run.configuration;
  const last = progress.history.at(-1);
  const value = {
    type: "done",
    reason,
    ...(best !== undefined && { best }),
    epochs: progress.history.length,
    steps: progress.step,
    file: out,
  };
  const saved = out === null ? "Nothing was saved." : `Saved ${out}.`;
  const figures = last
    ? `: loss ${figure(last.loss)}${last.accuracy === undefined ? "" : `, accuracy ${last.accuracy.toFixed(1)} %`}${
        last.validation ? `, validation loss ${figure(last.validation.loss)}` : ""
      }`
    : "";
  const resume = out === null ? "" : ` Resume: npx stepwell resume ${out}`;
  const text =
    reason === "aborted"
      ? `Stopped after step ${progress.step} of ${epochs * run.stepsPerEpoch}. ${saved}${resume}`
      : `Trained ${progress.history.length} epochs, ${progress.step} steps${figures}.${
          reason === "earlystop" ? ` Stopped early: epoch ${best} was the best.` : ""
        } ${saved}`;
  printResult(environment, text, value);
}
