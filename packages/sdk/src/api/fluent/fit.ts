// Trains a model on the functions `batch` and `testbatch`, and yields an event for each step and epoch.

import { SourceFailure } from "../../data/source-failure.js";
import { renamed, StepwellError } from "../../errors.js";
import type { ModelHandle, ModuleHandle, OptimizerHandle } from "../../handle.js";
import { turn } from "../../values/event-loop.js";
import { test, train } from "../functions/models.js";
import { classof } from "../functions/objects.js";
import { advance as advanceSchedule, schedule } from "../functions/schedules.js";
import { batchCalls, type Call } from "./batch-calls.js";
import type { EarlyStop } from "./early-stop.js";
import { Checkpoint } from "./fit-checkpoint.js";
import { setLongData } from "./fit-data.js";
import type { Course } from "./fit-options.js";
import type { Progress } from "./fit-progress.js";
import type { CheckpointEvent, DoneEvent, Figures, FitData, FitEvent, TrainingEnd } from "./fit-types.js";
import { release } from "./held.js";
import { MemorySteps, MemoryTest } from "./memory-steps.js";
import type { Pass, TestPass } from "./pass.js";
import { beginTraining, endTraining } from "./running-trainings.js";
import { type SourcePlan, SourceSteps, SourceTest } from "./source-steps.js";
import { beforeMeeting, LeftTraining, type TrainingProcesses } from "./training-processes.js";

/** A training that can begin. */
export interface TrainingPlan {
  /** The model with its options, of this training alone. */
  readonly model: ModelHandle;
  readonly module: ModuleHandle;
  readonly optimizer: OptimizerHandle;
  readonly course: Course;
  /** The number of batches, data that is still to be set, or a source. */
  readonly data: number | FitData | SourcePlan;
  readonly validation: Validation | undefined;
  readonly early: EarlyStop | undefined;
  readonly progress: Progress;
  readonly processes: TrainingProcesses;
}

/** A measurement after an epoch. */
export interface Validation {
  /** Data that is still to be set, or a source, if any. */
  readonly data: FitData | SourcePlan | undefined;
  readonly every: number;
}

/** Trains, reports each step, and frees the model of the plan. If it cannot begin, it has changed nothing. */
export async function* fit(plan: TrainingPlan): AsyncGenerator<FitEvent, void, undefined> {
  const { early, processes } = plan;
  try {
    const training = beforeMeeting(
      () => processes.mayBeMany,
      () => beginTraining(plan),
    );
    let reason: TrainingEnd["reason"];
    let hasFailed = false;
    try {
      await processes.join();
      reason = yield* events(plan);
      processes.finish();
    } catch (error) {
      if (!(error instanceof LeftTraining)) {
        hasFailed = true;
        throw error;
      }
      reason = "aborted";
    } finally {
      await processes.leave(hasFailed);
      try {
        // Also if the events are left, or a batch fails.
        await early?.restore();
      } finally {
        endTraining(training);
      }
    }
    const best = early?.best;
    yield { type: "done", reason, ...(best !== undefined && { best }) } satisfies DoneEvent;
  } catch (error) {
    throw error instanceof SourceFailure ? error.error : renamedCalls(error);
  } finally {
    release(plan.model);
  }
}

async function* events(plan: TrainingPlan): AsyncGenerator<FitEvent, TrainingEnd["reason"], undefined> {
  const { model, module, optimizer, course, progress, processes } = plan;
  const call = batchCalls();
  const score = { metric: course.earlystop?.metric ?? "loss", isValidated: plan.validation !== undefined };
  const objects = { module, optimizer };
  const checkpoint = course.checkpoint && new Checkpoint(course.checkpoint, score, objects, call, processes);
  // Before the file sets any object.
  if (checkpoint) await processes.together(() => checkpoint.check());
  const loaded = course.resume ? undefined : await checkpoint?.load();
  const batches = await processes.together(async () => {
    if (loaded) progress.goTo(loaded.training);
    checkpoint?.begin(progress.step);
    const batches = await setTrainingData(plan);
    return batches !== undefined && (await setValidationData(plan)) ? batches : undefined;
  });
  if ((await processes.stops(batches === undefined)) || batches === undefined) return "aborted";
  await samePlace(plan);
  await processes.begin(model, loaded?.generators);
  const steps =
    batches === Number.POSITIVE_INFINITY ? undefined : course.epochs * Math.ceil(batches / train(model).accumulate);
  const saving = checkpoint && { checkpoint, saved: "" };
  let reason: TrainingEnd["reason"] | undefined = plan.early?.isOver ? "earlystop" : undefined;
  while (reason === undefined && progress.epoch <= course.epochs) {
    reason = yield* epochEvents(plan, batches, steps, call, saving);
  }
  if (saving && saving.saved !== placeOf(progress)) yield* saved(plan, saving);
  return reason ?? "finished";
}

/** The file of a training, and the place of its last save. */
interface Saving {
  readonly checkpoint: Checkpoint;
  saved: string;
}

/** The place of a training. After the last step of an epoch its end is still to come. */
const placeOf = ({ epoch, step }: Progress) => `${epoch} ${step}`;

/** Saves the training. */
async function* saved({ progress }: TrainingPlan, saving: Saving): AsyncGenerator<CheckpointEvent, void, undefined> {
  const { epoch, step } = progress;
  const path = await saving.checkpoint.save(progress.position);
  saving.saved = placeOf(progress);
  if (path !== undefined) yield { type: "checkpoint", epoch, step, path };
}

/** One epoch, or the rest of it. Returns a reason if the training ends. */
async function* epochEvents(
  plan: TrainingPlan,
  batches: number,
  steps: number | undefined,
  call: Call,
  saving: Saving | undefined,
): AsyncGenerator<FitEvent, TrainingEnd["reason"] | undefined, undefined> {
  const { model, module, optimizer, course, validation, progress, early, processes } = plan;
  const { epochs, advance, stopsAtNonFinite } = course;
  // The model holds both, and would train them after they were freed.
  const check = () => {
    for (const handle of [module, optimizer]) classof(handle);
  };
  const { epoch } = progress;
  const isScheduled = schedule(optimizer) !== undefined;
  const keepsLosses = train(model).metrics.includes("batchloss");
  const pass = await beginPass(plan, batches, call);
  if (pass === undefined) return "aborted";
  let hasFailed = false;
  try {
    progress.begin(pass);
    while (pass.hasNext) {
      if (await stopped(plan, check)) return "aborted";
      const report = await processes.inStep(() => pass.next());
      if (!report) {
        if (pass.hasNext) return "aborted";
        break;
      }
      const { loss, skipped } = report;
      const stops = stopsAtNonFinite && !Number.isFinite(loss);
      if (isScheduled && advance === "step" && !stops) advanceSchedule(optimizer, loss);
      if (!stops) progress.add(pass, report, keepsLosses ? pass.lastLosses() : []);
      yield { type: "step", epoch, step: progress.step + Number(stops), steps, loss, skipped };
      if (stops) return "nonfinite";
      if (await saving?.checkpoint.isDue(progress.step)) yield* saved(plan, saving as Saving);
    }
    const figures = await pass.finish(progress.sums);
    const measures = validation && (epoch % validation.every === 0 || epoch === epochs);
    const measured = measures ? await measuredOn(plan, epoch, call) : undefined;
    if (measures ? !measured : await stopped(plan)) return "aborted";
    // It copies weights with turns of the event loop, in which the position is still the one before the end of the epoch.
    const ends = early && (measures || !validation) && (await early.ends(epoch, measured ?? figures));
    if (isScheduled && advance === "epoch") advanceSchedule(optimizer, (measured ?? figures).loss);
    const row = { epoch, ...figures, ...(measured && { validation: measured }) };
    progress.end(row);
    yield { type: "epoch", ...row };
    if (saving?.checkpoint.isOfEpochs) yield* saved(plan, saving);
    return ends ? "earlystop" : undefined;
  } catch (error) {
    hasFailed = true;
    throw error;
  } finally {
    await pass.close(hasFailed);
  }
}

/** Begins a pass over the data, at the position of the progress; undefined after an abort. */
async function beginPass(plan: TrainingPlan, batches: number, call: Call): Promise<Pass | undefined> {
  const { model, course, data, progress, processes } = plan;
  // With others, an abort counts when they meet.
  const signal = processes.isAlone ? course.signal : undefined;
  const { epoch } = progress;
  const position = progress.positionInEpoch;
  if (isSourcePlan(data)) return SourceSteps.begin(model, data, epoch, position, call, processes, course.signal);
  const pass = new MemorySteps(model, batches, call, signal);
  if (position === undefined) return pass;
  let isThere = false;
  try {
    isThere = await pass.goTo(position);
    return isThere ? pass : undefined;
  } finally {
    if (!isThere) await pass.close();
  }
}

/** The figures of the validation on rank 0; undefined after an abort. */
async function measuredOn(
  { model, validation, course, processes }: TrainingPlan,
  epoch: number,
  call: Call,
): Promise<Figures | undefined> {
  const { data, every } = validation as Validation;
  const where = "fit: validation";
  const figures = await processes.together(() => {
    const pass: TestPass = isSourcePlan(data)
      ? new SourceTest(where, model, data, Math.ceil(epoch / every), call, course.signal)
      : new MemoryTest(model, call);
    return measured(pass, course.signal);
  });
  if ((await processes.stops(figures === undefined)) || figures === undefined) return undefined;
  const names = Object.keys(figures) as (keyof Figures)[];
  const numbers = await processes.ofFirst(names.flatMap((name) => figures[name] as number | readonly number[]));
  let next = 0;
  const entries = names.map((name) => {
    const own = figures[name];
    if (!Array.isArray(own)) return [name, numbers[next++]];
    next += own.length;
    return [name, numbers.slice(next - own.length, next)];
  });
  return Object.fromEntries(entries) as Figures;
}

/** The figures of a measurement; undefined after an abort. */
export async function measured(pass: TestPass, signal: AbortSignal | undefined): Promise<Figures | undefined> {
  let hasFailed = false;
  try {
    do {
      await turn();
      if (signal?.aborted) return undefined;
    } while (await pass.next());
    return signal?.aborted ? undefined : pass.finish();
  } catch (error) {
    hasFailed = true;
    throw error;
  } finally {
    await pass.close(hasFailed);
  }
}

/** Fails unless all processes go on from one place. */
async function samePlace({ progress, processes }: TrainingPlan): Promise<void> {
  for (const name of ["epoch", "step", "taken"] as const) {
    const places = await processes.numbers(progress[name]);
    const other = places.findIndex((place) => place !== places[0]);
    if (other < 0) continue;
    const given = `given ${name} ${places[0]} on rank 0 and ${name} ${places[other]} on rank ${other}`;
    throw new StepwellError("ERR_ARGUMENT", `fit: expected one position on all processes, ${given}`);
  }
}

const isSourcePlan = (data: unknown): data is SourcePlan =>
  typeof data === "object" && data !== null && "source" in data;

/** The number of batches of an epoch, infinite if it is unknown. Sets data that is not yet set; undefined after an abort. */
async function setTrainingData({ model, module, course, data }: TrainingPlan): Promise<number | undefined> {
  if (typeof data === "number") return data;
  if (isSourcePlan(data)) return batchesOf(data);
  return setLongData(train, model, module, data, course.signal);
}

function batchesOf({ source, options }: SourcePlan): number {
  const { batchsize, droplast } = options;
  const { count = Number.POSITIVE_INFINITY } = source;
  if (source.kind === "batches") return count;
  return droplast ? Math.floor(count / batchsize) : Math.ceil(count / batchsize);
}

/** Sets data for validation that is not yet set; false after an abort. */
async function setValidationData({ model, module, course, validation }: TrainingPlan): Promise<boolean> {
  const data = validation?.data;
  if (data === undefined || isSourcePlan(data)) return true;
  return (await setLongData(test, model, module, data, course.signal)) !== undefined;
}

/** An error of a function that a method of a model calls, as the method's own. */
export function renamedCalls(error: unknown, where = "fit"): unknown {
  return [
    ...["model", "loss", "train", "test", "batch", "testbatch", "testrun", "metrics", "testmetrics", "tensor", "data"],
    ...["classof", "class", "opt", "schedule", "advance", "lossscale", "names", "parm", "copyto", "state"],
    ...["save", "load", "randint", "randperm", "generator", "indexselect", "datasize", "input", "target"],
  ].reduce((error, name) => renamed(error, name, where), error);
}

/** Gives timers and signals a turn of the event loop, and returns whether a signal of any process ended the training. */
async function stopped({ course, processes }: TrainingPlan, check?: () => void): Promise<boolean> {
  await turn();
  const isAborted = course.signal?.aborted === true;
  if (!isAborted) check?.();
  return processes.stops(isAborted);
}
