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
import { refuseSurplus } from "../values/refuse.js";

/** Multiplies the rate by a factor, once in a number of schedule steps. */
export function step(options: StepScheduleOptions): StepSchedule;
export function step(options: StepScheduleOptions, ...surplus: readonly unknown[]): StepSchedule {
  refuseSurplus("schedules.step", surplus);
  return { schedule: "step", ...options };
}

/** Multiplies the rate by a factor, at each of some schedule steps. */
export function multistep(options: MultistepScheduleOptions): MultistepSchedule;
export function multistep(options: MultistepScheduleOptions, ...surplus: readonly unknown[]): MultistepSchedule {
  refuseSurplus("schedules.multistep", surplus);
  return { schedule: "multistep", ...options };
}

/** Multiplies the rate by a factor, at each schedule step. */
export function exponential(options: ExponentialScheduleOptions): ExponentialSchedule;
export function exponential(options: ExponentialScheduleOptions, ...surplus: readonly unknown[]): ExponentialSchedule {
  refuseSurplus("schedules.exponential", surplus);
  return { schedule: "exponential", ...options };
}

/** Multiplies the rate by a factor that changes by one amount at each schedule step, and then stays. */
export function linear(options?: LinearScheduleOptions): LinearSchedule;
export function linear(options: LinearScheduleOptions = {}, ...surplus: readonly unknown[]): LinearSchedule {
  refuseSurplus("schedules.linear", surplus);
  return { schedule: "linear", ...options };
}

/** Half a cosine wave from the base rate to the smallest; then the rate rises again, as in PyTorch. */
export function cosine(options: CosineScheduleOptions): CosineSchedule;
export function cosine(options: CosineScheduleOptions, ...surplus: readonly unknown[]): CosineSchedule {
  refuseSurplus("schedules.cosine", surplus);
  return { schedule: "cosine", ...options };
}

/** Half a cosine wave from the base rate to the smallest, again and again, each as long as the last or longer. */
export function restarts(options: RestartsScheduleOptions): RestartsSchedule;
export function restarts(options: RestartsScheduleOptions, ...surplus: readonly unknown[]): RestartsSchedule {
  refuseSurplus("schedules.restarts", surplus);
  return { schedule: "restarts", ...options };
}

/** Up to a largest rate and down to almost none, with momentum the other way round; then the rate stays. */
export function onecycle(options: OnecycleScheduleOptions): OnecycleSchedule;
export function onecycle(options: OnecycleScheduleOptions, ...surplus: readonly unknown[]): OnecycleSchedule {
  refuseSurplus("schedules.onecycle", surplus);
  return { schedule: "onecycle", ...options };
}

/** Multiplies the rate by a power of the share of schedule steps that are left, down to zero. */
export function polynomial(options?: PolynomialScheduleOptions): PolynomialSchedule;
export function polynomial(
  options: PolynomialScheduleOptions = {},
  ...surplus: readonly unknown[]
): PolynomialSchedule {
  refuseSurplus("schedules.polynomial", surplus);
  return { schedule: "polynomial", ...options };
}

/** Multiplies the rate by a factor whenever a metric has stopped improving: `advance(optimizer, metric)`. */
export function plateau(options?: PlateauScheduleOptions): PlateauSchedule;
export function plateau(options: PlateauScheduleOptions = {}, ...surplus: readonly unknown[]): PlateauSchedule {
  refuseSurplus("schedules.plateau", surplus);
  return { schedule: "plateau", ...options };
}

/** A straight line up to the base rate, and then another schedule from its beginning. */
export function warmup(options: WarmupScheduleOptions, next: ScheduleSpecification): WarmupSchedule;
export function warmup(
  options: WarmupScheduleOptions,
  next: ScheduleSpecification,
  ...surplus: readonly unknown[]
): WarmupSchedule {
  refuseSurplus("schedules.warmup", surplus);
  return { schedule: "warmup", ...options, next };
}

/** Several schedules at once: each takes the rate of the former one as its base rate. */
export function chained(...of: ChainedSchedule["of"]): ChainedSchedule {
  return { schedule: "chained", of };
}
