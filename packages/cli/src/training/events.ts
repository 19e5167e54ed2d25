// Trains a run, and yields the events that `fit` has. It can begin in the middle of an epoch.

import { setImmediate } from "node:timers/promises";
import type { EpochFigures, Figures, FitEvent, Metrics } from "@stepwell/sdk";
import type { Run } from "./build-run.js";

/** The progress of a run. Events change it before they are yielded. */
export interface Progress {
  /** The figures of the epochs that are over. */
  readonly history: EpochFigures[];
  /** Steps so far, in all epochs. */
  step: number;
}

/** In milliseconds: signals get a turn of the event loop so often. */
const TURN = 10;

/** Trains until the last epoch, or until a signal ends the training after a step. */
export async function* trainingEvents(
  run: Run,
  progress: Progress,
  signal: AbortSignal,
): AsyncGenerator<FitEvent, void, undefined> {
  const k = await import("@stepwell/sdk");
  const { model, optimizer, configuration } = run;
  const { epochs, schedule, patience } = configuration;
  const steps = epochs * run.stepsPerEpoch;
  let last = performance.now();
  while (progress.history.length < epochs) {
    const epoch = progress.history.length + 1;
    for (;;) {
      if (performance.now() - last > TURN) {
        await setImmediate();
        last = performance.now();
      }
      if (signal.aborted) return yield { type: "done", reason: "aborted" };
      const report = k.batch(model, true);
      if (!report) break;
      progress.step += 1;
      const hasLoss = Number.isFinite(report.loss);
      if (schedule && hasLoss) k.advance(optimizer, report.loss);
      yield { type: "step", epoch, step: progress.step, steps, loss: report.loss, skipped: report.skipped };
      if (!hasLoss) return yield { type: "done", reason: "nonfinite" };
    }
    const validation = run.counts.validation > 0 ? figuresOf(k.testrun(model)) : undefined;
    const figures = { epoch, ...figuresOf(k.metrics(model)), ...(validation && { validation }) };
    progress.history.push(figures);
    yield { type: "epoch", ...figures };
    if (patience !== null && epoch - bestEpoch(progress.history) >= patience) {
      return yield { type: "done", reason: "earlystop", best: bestEpoch(progress.history) };
    }
  }
  yield { type: "done", reason: "finished" };
}

const figuresOf = (result: number | Metrics | undefined): Figures =>
  typeof result === "object" ? (result as Figures) : { loss: Number(result) };

/** The epoch with the smallest loss, of the validation if there is any. */
export function bestEpoch(history: readonly EpochFigures[]): number {
  const lossOf = ({ loss, validation }: EpochFigures) => validation?.loss ?? loss;
  let best = 0;
  for (const [index, figures] of history.entries()) {
    if (lossOf(figures) < lossOf(history[best] as EpochFigures)) best = index;
  }
  return best + 1;
}
