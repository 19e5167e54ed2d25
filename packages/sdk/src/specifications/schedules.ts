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
} from "./generated/schedules.js";

/** The rate times a factor, once in a number of schedule steps. */
export const step = (options: StepScheduleOptions): StepSchedule => ({ schedule: "step", ...options });

/** The rate times a factor, at each of some schedule steps. */
export const multistep = (options: MultistepScheduleOptions): MultistepSchedule => ({
  schedule: "multistep",
  ...options,
});

/** The rate times a factor, at each schedule step. */
export const exponential = (options: ExponentialScheduleOptions): ExponentialSchedule => ({
  schedule: "exponential",
  ...options,
});

/** The rate times a factor that changes by the same amount at each schedule step, and then stays. */
export const linear = (options: LinearScheduleOptions = {}): LinearSchedule => ({ schedule: "linear", ...options });

/** Half a cosine wave from the base rate to the smallest; then the rate rises again, as in PyTorch. */
export const cosine = (options: CosineScheduleOptions): CosineSchedule => ({ schedule: "cosine", ...options });

/** Half a cosine wave from the base rate to the smallest, again and again, each as long as the last or longer. */
export const restarts = (options: RestartsScheduleOptions): RestartsSchedule => ({ schedule: "restarts", ...options });

/** Up to a largest rate and down to almost none, with momentum the other way round; then the rate stays. */
export const onecycle = (options: OnecycleScheduleOptions): OnecycleSchedule => ({ schedule: "onecycle", ...options });

/** A power of what is left of the schedule steps, down to zero. */
export const polynomial = (options: PolynomialScheduleOptions = {}): PolynomialSchedule => ({
  schedule: "polynomial",
  ...options,
});

/** The rate times a factor, whenever a metric has stopped improving: `advance(optimizer, metric)`. */
export const plateau = (options: PlateauScheduleOptions = {}): PlateauSchedule => ({ schedule: "plateau", ...options });

/** A straight line up to the base rate, and then another schedule from its beginning. */
export const warmup = (options: WarmupScheduleOptions, next: ScheduleSpecification): WarmupSchedule => ({
  schedule: "warmup",
  ...options,
  next,
});

/** Several schedules at once: each has the rate of the one before it for its base rate. */
export const chained = (...of: ChainedSchedule["of"]): ChainedSchedule => ({ schedule: "chained", of });
