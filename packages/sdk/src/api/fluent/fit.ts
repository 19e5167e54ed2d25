// Trains a model on the functions `batch` and `testbatch`, and yields an event for each step and epoch.

import { hasCode, renamed } from "../../errors.js";
import type { ModelHandle, ModuleHandle, OptimizerHandle } from "../../handle.js";
import type { BatchReport, Metrics } from "../../types/results.js";
import { turn } from "../../values/event-loop.js";
import { client } from "../client.js";
import { metrics, test, testmetrics, train } from "../functions/models.js";
import { classof } from "../functions/objects.js";
import { advance as advanceSchedule, schedule } from "../functions/schedules.js";
import { EarlyStop } from "./early-stop.js";
import { setLongData } from "./fit-data.js";
import type { Course } from "./fit-options.js";
import type { DoneEvent, Figures, FitData, FitEvent, TrainingEnd } from "./fit-types.js";
import { release } from "./held.js";
import { beginTraining, endTraining } from "./running-trainings.js";

/** A training that can begin. */
export interface TrainingPlan {
  /** The model with its options, of this training alone. */
  readonly model: ModelHandle;
  readonly module: ModuleHandle;
  readonly optimizer: OptimizerHandle;
  readonly course: Course;
  /** Batches of a step. */
  readonly accumulate: number;
  /** The number of batches, or data that is still to be set. */
  readonly data: number | FitData;
  readonly validation: Validation | undefined;
}

/** A measurement after an epoch. */
export interface Validation {
  /** Data that is still to be set, if any. */
  readonly data: FitData | undefined;
  readonly every: number;
}

/** Trains, reports each step, and frees the model of the plan. If it cannot begin, it has changed nothing. */
export async function* fit(plan: TrainingPlan): AsyncGenerator<FitEvent, void, undefined> {
  const early = plan.course.earlystop && new EarlyStop(plan.module, plan.course.earlystop);
  try {
    const training = beginTraining(plan);
    let reason: TrainingEnd["reason"];
    try {
      reason = yield* events(plan, early);
    } finally {
      endTraining(training);
      // Also if the events are left, or a batch fails.
      early?.restore();
    }
    const best = early?.best;
    yield { type: "done", reason, ...(best !== undefined && { best }) } satisfies DoneEvent;
  } catch (error) {
    throw renamedCalls(error);
  } finally {
    release(plan.model);
  }
}

async function* events(
  plan: TrainingPlan,
  early: EarlyStop | undefined,
): AsyncGenerator<FitEvent, TrainingEnd["reason"], undefined> {
  const { model, module, optimizer, course, validation } = plan;
  const { epochs, advance, signal, stopsAtNonFinite } = course;
  const batches =
    typeof plan.data === "number" ? plan.data : await setLongData(train, model, module, plan.data, signal);
  if (batches === undefined) return "aborted";
  if (validation?.data && (await setLongData(test, model, module, validation.data, signal)) === undefined)
    return "aborted";
  const steps = epochs * Math.ceil(batches / plan.accumulate);
  const isScheduled = schedule(optimizer) !== undefined;
  const next = batchCalls();
  let step = 0;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    for (let done = 0; done < batches; ) {
      if (await stopped(signal)) return "aborted";
      // The model holds both, and would train them after they were freed.
      for (const handle of [module, optimizer]) classof(handle);
      const report = (await next("batch", model, true)) as BatchReport | undefined;
      if (!report) break;
      const { loss, skipped } = report;
      done = report.batch;
      step += 1;
      const stops = stopsAtNonFinite && !Number.isFinite(loss);
      if (isScheduled && advance === "step" && !stops) advanceSchedule(optimizer, loss);
      yield { type: "step", epoch, step, steps, loss, skipped };
      if (stops) return "nonfinite";
    }
    // Ends the pass, so that the next one begins.
    await next("batch", model);
    const measures = validation && (epoch % validation.every === 0 || epoch === epochs);
    while (measures) {
      if (await stopped(signal)) return "aborted";
      if ((await next("testbatch", model)) === undefined) break;
    }
    if (!measures && (await stopped(signal))) return "aborted";
    const figures = figuresOf(metrics(model));
    const measured = measures ? figuresOf(testmetrics(model)) : undefined;
    if (isScheduled && advance === "epoch") advanceSchedule(optimizer, (measured ?? figures).loss);
    yield { type: "epoch", epoch, ...figures, ...(measured && { validation: measured }) };
    if (early && (measures || !validation) && early.ends(epoch, measured ?? figures)) return "earlystop";
  }
  return "finished";
}

/** The figures of a pass, as `metrics`, `testmetrics` and `testrun` return them. */
export function figuresOf(result: number | Metrics | undefined): Figures {
  return typeof result === "object" ? (result as Figures) : { loss: Number(result) };
}

/** An error of a function that a method of a model calls, as the method's own. */
export function renamedCalls(error: unknown, where = "fit"): unknown {
  return [
    ...["model", "loss", "train", "test", "batch", "testbatch", "testrun", "metrics", "testmetrics", "tensor", "data"],
    ...["classof", "class", "opt", "schedule", "advance", "lossscale", "names", "parm", "copyto", "state"],
  ].reduce((error, name) => renamed(error, name, where), error);
}

/**
 * A function that makes the next batch, on a thread of the engine if it has one. Where a function of the program takes part, only the
 * first call tries it.
 */
function batchCalls(): (command: "batch" | "testbatch", ...args: readonly unknown[]) => Promise<unknown> {
  let hasThread = client.isAsynchronous;
  return async (command, ...args) => {
    if (hasThread) {
      try {
        return await client.callAsync(command, args);
      } catch (error) {
        if (!hasCode(error, "ERR_UNSUPPORTED")) throw error;
        hasThread = false;
      }
    }
    return client.call(command, args);
  };
}

/** Gives timers and signals a turn of the event loop, and returns whether a signal ended the training. */
async function stopped(signal: AbortSignal | undefined): Promise<boolean> {
  await turn();
  return signal?.aborted === true;
}
