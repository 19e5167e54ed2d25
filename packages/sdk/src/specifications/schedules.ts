/**
 * Specifications of learning-rate schedules: plain data, which `schedule` binds to an optimizer.
 *
 * @example
 * ```ts
 * schedule(o, schedules.warmup({ steps: 100 }, schedules.cosine({ steps: 900, min: 1e-5 })));
 * for (const batch of batches) {
 *   train(batch);
 *   step(o);
 *   advance(o);
 * }
 * ```
 *
 * @module
 */

import { StepwellError } from "../errors.js";
import type {
  ChainedSchedule,
  CosineSchedule,
  CosineScheduleOptions,
  ExponentialSchedule,
  ExponentialScheduleOptions,
  LinearSchedule,
  LinearScheduleOptions,
  MultistepSchedule,
  MultistepScheduleOptions,
  OnecycleSchedule,
  OnecycleScheduleOptions,
  PlateauSchedule,
  PlateauScheduleOptions,
  PolynomialSchedule,
  PolynomialScheduleOptions,
  RestartsSchedule,
  RestartsScheduleOptions,
  ScheduleSpecification,
  StepSchedule,
  StepScheduleOptions,
  WarmupSchedule,
  WarmupScheduleOptions,
} from "../generated/schedules.js";
import { describeValue } from "../values/describe.js";
import { isDictionary, isRevoked } from "../values/plain-data.js";
import { refuseSurplus } from "../values/refuse.js";

/** Multiplies the rate by a factor, once in a number of schedule steps. */
export function step(options: StepScheduleOptions): StepSchedule;
export function step(options: StepScheduleOptions, ...surplus: readonly unknown[]): StepSchedule {
  refuseSurplus("schedules.step", surplus);
  return { schedule: "step", ...optionsOf("schedules.step", options) };
}

/** Multiplies the rate by a factor, at each of some schedule steps. */
export function multistep(options: MultistepScheduleOptions): MultistepSchedule;
export function multistep(options: MultistepScheduleOptions, ...surplus: readonly unknown[]): MultistepSchedule {
  refuseSurplus("schedules.multistep", surplus);
  return { schedule: "multistep", ...optionsOf("schedules.multistep", options) };
}

/** Multiplies the rate by a factor, at each schedule step. */
export function exponential(options: ExponentialScheduleOptions): ExponentialSchedule;
export function exponential(options: ExponentialScheduleOptions, ...surplus: readonly unknown[]): ExponentialSchedule {
  refuseSurplus("schedules.exponential", surplus);
  return { schedule: "exponential", ...optionsOf("schedules.exponential", options) };
}

/** Multiplies the rate by a factor that changes by one amount at each schedule step, and then stays. */
export function linear(options?: LinearScheduleOptions): LinearSchedule;
export function linear(options: LinearScheduleOptions = {}, ...surplus: readonly unknown[]): LinearSchedule {
  refuseSurplus("schedules.linear", surplus);
  return { schedule: "linear", ...optionsOf("schedules.linear", options) };
}

/** Half a cosine wave from the base rate to the smallest; then the rate rises again, as in PyTorch. */
export function cosine(options: CosineScheduleOptions): CosineSchedule;
export function cosine(options: CosineScheduleOptions, ...surplus: readonly unknown[]): CosineSchedule {
  refuseSurplus("schedules.cosine", surplus);
  return { schedule: "cosine", ...optionsOf("schedules.cosine", options) };
}

/** Half a cosine wave from the base rate to the smallest, again and again, each as long as the last or longer. */
export function restarts(options: RestartsScheduleOptions): RestartsSchedule;
export function restarts(options: RestartsScheduleOptions, ...surplus: readonly unknown[]): RestartsSchedule {
  refuseSurplus("schedules.restarts", surplus);
  return { schedule: "restarts", ...optionsOf("schedules.restarts", options) };
}

/** Up to a largest rate and down to almost none, with momentum the other way round; then the rate stays. */
export function onecycle(options: OnecycleScheduleOptions): OnecycleSchedule;
export function onecycle(options: OnecycleScheduleOptions, ...surplus: readonly unknown[]): OnecycleSchedule {
  refuseSurplus("schedules.onecycle", surplus);
  return { schedule: "onecycle", ...optionsOf("schedules.onecycle", options) };
}

/** Multiplies the rate by a power of the share of schedule steps that are left, down to zero. */
export function polynomial(options?: PolynomialScheduleOptions): PolynomialSchedule;
export function polynomial(
  options: PolynomialScheduleOptions = {},
  ...surplus: readonly unknown[]
): PolynomialSchedule {
  refuseSurplus("schedules.polynomial", surplus);
  return { schedule: "polynomial", ...optionsOf("schedules.polynomial", options) };
}

/** Multiplies the rate by a factor whenever a metric has stopped improving: `advance(optimizer, metric)`. */
export function plateau(options?: PlateauScheduleOptions): PlateauSchedule;
export function plateau(options: PlateauScheduleOptions = {}, ...surplus: readonly unknown[]): PlateauSchedule {
  refuseSurplus("schedules.plateau", surplus);
  return { schedule: "plateau", ...optionsOf("schedules.plateau", options) };
}

/** A straight line up to the base rate, and then another schedule from its beginning. */
export function warmup(options: WarmupScheduleOptions, next: ScheduleSpecification): WarmupSchedule;
export function warmup(
  options: WarmupScheduleOptions,
  next: ScheduleSpecification,
  ...surplus: readonly unknown[]
): WarmupSchedule {
  refuseSurplus("schedules.warmup", surplus);
  const given = optionsOf("schedules.warmup", options, ["next"]);
  checkSpecification("schedules.warmup", 2, next);
  return { schedule: "warmup", ...given, next };
}

/** Several schedules at once: each takes the rate of the former one as its base rate. */
export function chained(...of: ChainedSchedule["of"]): ChainedSchedule {
  if (of.length === 0) checkSpecification("schedules.chained", 1, undefined);
  for (const [index, one] of of.entries()) checkSpecification("schedules.chained", index + 1, one);
  return { schedule: "chained", of };
}

/** A copy of options, which are a dictionary without the keys that the function sets. */
function optionsOf<Options extends object>(where: string, options: Options, set: readonly string[] = []): Options {
  if (!isPlain(options)) refuseArgument(where, "a dictionary of options", options);
  const copy = { ...options };
  for (const key of ["schedule", ...set]) {
    if ((copy as Record<string, unknown>)[key] === undefined) delete (copy as Record<string, unknown>)[key];
    else throw new StepwellError("ERR_OPTION_UNKNOWN", `${where}: unknown option \`${key}\`, which the function sets`);
  }
  return copy;
}

/** Checks a schedule that is an argument; its contents are checked when it is bound. */
function checkSpecification(where: string, position: number, given: unknown): void {
  if (!isPlain(given)) refuseArgument(where, `a schedule as argument ${position}`, given);
}

function refuseArgument(where: string, expected: string, given: unknown): never {
  const words = given === undefined ? "nothing" : describeValue(given);
  throw new StepwellError("ERR_ARGUMENT", `${where}: expected ${expected}, given ${words}`);
}

function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null || isRevoked(value)) return false;
  return !Array.isArray(value) && isDictionary(value);
}
