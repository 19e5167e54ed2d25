// Validates the arguments of a training, and sets its data unless they are long.

import { isSource } from "../../data/checked-source.js";
import type { TestOptions } from "../../generated/settings.js";
import type { ModelHandle, ModuleHandle, OptimizerHandle } from "../../handle.js";
import type { LossName } from "../../types/arguments.js";
import type { DataSource } from "../../types/data-sources.js";
import type { SampleOptions } from "../../types/results.js";
import { test, train } from "../functions/models.js";
import { schedule } from "../functions/schedules.js";
import { lossscale } from "../functions/steps.js";
import { commonOptions } from "./common-options.js";
import { EarlyStop } from "./early-stop.js";
import type { TrainingPlan, Validation } from "./fit.js";
import { isShort, readData, refuseOthers, requireBatch, setData } from "./fit-data.js";
import { type Course, checkAdvance, readFitOptions, readValidationOptions } from "./fit-options.js";
import { Progress } from "./fit-progress.js";
import type { FitData, FitOptions } from "./fit-types.js";
import { checkTraining } from "./running-trainings.js";
import { planSource } from "./source-plan.js";
import type { SourcePlan } from "./source-steps.js";
import { TrainingProcesses } from "./training-processes.js";

/** The objects of a training. */
interface TrainedModel {
  /** A model of this training alone. */
  readonly model: ModelHandle;
  /** The model whose settings count where options leave them out. */
  readonly set: ModelHandle;
  readonly module: ModuleHandle;
  readonly optimizer: OptimizerHandle;
  readonly loss: LossName | "callback";
}

/** Validates the arguments of `fit`. Nothing is trained yet. */
export function planTraining(trained: TrainedModel, data: FitData | DataSource, options: FitOptions): TrainingPlan {
  const { model, set, module, optimizer, loss } = trained;
  const defaults = { train: train(set), loss, scalesLosses: lossscale(optimizer) !== undefined };
  const [course, forTraining, metrics, settings] = readFitOptions(options, defaults);
  checkAdvance(course, schedule(optimizer) !== undefined);
  train(model, forTraining);
  const source = planSource("fit", data, settings, train(model), course.epochs);
  const [samples, others] = source ?? readData("fit", data);
  refuseOthers("fit", others);
  const validation = planValidation(model, course, metrics, test(set));
  checkTraining({ module, optimizer });
  // The engine neither orders nor drops what a source gives.
  if (source) train(model, { shuffle: false, droplast: false });
  const given = source?.[0] ?? setIfShort(model, samples as FitData);
  if (typeof given === "number") requireBatch("fit", given);
  const early = course.earlystop && new EarlyStop(module, course.earlystop);
  const progress = new Progress(source?.[0].source.kind ?? "memory", source?.[0].shuffle?.buffer ?? 1, early);
  if (course.resume !== undefined) progress.goTo(course.resume);
  const common = course.distributed && commonOptions(model, optimizer, course, source?.[0], validation);
  const processes = new TrainingProcesses(course.distributed, common);
  return { model, module, optimizer, course, data: given, validation, early, progress, processes };
}

/** The number of batches of data that are short, which are set; data that are long as they are. */
const setIfShort = (model: ModelHandle, samples: FitData) =>
  isShort(samples) ? setData(train, model, samples) : samples;

/** Validates the data for validation, and sets data in memory that are short. */
function planValidation(
  own: ModelHandle,
  course: Course,
  metrics: TestOptions["metrics"],
  set: SampleOptions<TestOptions>,
): Validation | undefined {
  const where = "fit: validation";
  const given = course.validation;
  if (given === undefined) return undefined;
  if (isSource(given)) {
    const { samples, batches, count, skips, ...entries } = given;
    const [forTesting, every, settings] = readValidationOptions(entries, set);
    test(own, { ...forTesting, ...(metrics && { metrics }) });
    const passes = Math.ceil(course.epochs / every);
    const source = { samples, batches, count, skips };
    const [plan] = planSource(where, source, settings, test(own), passes) as readonly [SourcePlan, object];
    test(own, { droplast: false });
    return { data: plan, every };
  }
  const [measured, entries] = readData(where, given);
  const [forTesting, every, settings] = readValidationOptions(entries, set);
  planSource(where, measured, settings, test(own), 1);
  test(own, { ...forTesting, ...(metrics && { metrics }) });
  const isSet = isShort(measured);
  if (isSet) requireBatch(where, setData(test, own, measured));
  return { data: isSet ? undefined : measured, every };
}
