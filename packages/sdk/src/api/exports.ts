// The names of the package, which both entries have.

export type { ArrayOf, ElementType, EngineInfo, EngineName, EngineOptions, TypedTensor } from "../binding.js";
export { type ErrorCode, errorCodes, StepwellError } from "../errors.js";
export type * from "../generated/layers.js";
export type * from "../generated/losses.js";
export type * from "../generated/options.js";
export type * from "../generated/schedules.js";
export type * from "../generated/settings.js";
export {
  type AnyHandle,
  type DictionaryHandle,
  Handle,
  type LossHandle,
  type ModelHandle,
  type ModuleHandle,
  type OptimizerHandle,
  type TensorHandle,
  type VectorHandle,
} from "../handle.js";
export { type Layers, layers } from "../specifications/layers.js";
export { presets } from "../specifications/presets.js";
export { seq } from "../specifications/seq.js";
export type * from "../types/ambient.js";
export type * from "../types/arguments.js";
export type * from "../types/asynchronous.js";
export type * from "../types/checkpoints.js";
export type * from "../types/data-sources.js";
export type * from "../types/devices.js";
export type * from "../types/layers.js";
export type * from "../types/metrics.js";
export type * from "../types/objects.js";
export type * from "../types/own-modules.js";
export type * from "../types/process-groups.js";
export type * from "../types/results.js";
export type * from "../types/scopes.js";
export type * from "../types/tensor-data.js";
export type { GeneratorState } from "../values/generator.js";
export * from "./fluent/index.js";
export { sync as synchronize } from "./functions/devices.js";
export * from "./functions/index.js";
export { classof as class } from "./functions/objects.js";
export { take as return } from "./functions/tensors.js";

import * as specifications from "../specifications/schedules.js";
import type * as functions from "./functions/index.js";

/** The functions of {@link schedules}. By this name a project writes their type into its declarations. */
export interface Schedules extends Readonly<typeof specifications> {}

/** Specifications of learning-rate schedules: a function for each kind makes plain data, which `schedule` binds. */
export const schedules: Schedules = specifications;

/**
 * The functions of the k-api as one type, for code that takes them as an argument: `import * as k` has it. Each throws a
 * `StepwellError` on bad input, and has then changed nothing.
 *
 * Arguments are plain data and handles. A dictionary is an object whose prototype is null or `Object.prototype`; its own
 * enumerable properties under strings count, except undefined ones. Lists may be proxies or of a subclass, and have no holes.
 * Objects of the fluent layer stand for their handles. Any other value, such as a `Map`, a `Promise` or an instance of a class, is
 * `ERR_ARGUMENT`. A tensor has at most 64 dimensions. The numbers of one are a typed array of any length, or a rectangular list of
 * at most 2^27 numbers. In addition to these a call takes at most 2^24 values, nested at most 300 deep.
 */
export type Api = typeof functions;
