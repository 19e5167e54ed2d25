// The fluent layer: builders of optimizers, and a class for each kind of object.

import type { OptimizerFactory } from "./builder.js";
import type { ModelClass } from "./model.js";
import type { ModuleClass } from "./module.js";
import type { OptimizerClass } from "./optimizer.js";
import type { TensorClass } from "./tensor.js";

export {
  type BuilderOption,
  type GroupBuilder,
  type OptimizerBuilder,
  type OptimizerFactory,
  optimizer,
} from "./builder.js";
export {
  type CheckpointPlace,
  type Checkpoints,
  type CheckpointsOptions,
  checkpoints,
  type SavedCheckpoint,
} from "./checkpoints.js";
export type {
  CheckpointEvent,
  CheckpointOptions,
  CheckpointSettings,
  DoneEvent,
  EarlyStopOptions,
  EpochEvent,
  EpochFigures,
  Figures,
  FitData,
  FitEvent,
  FitHistory,
  FitOptions,
  MeasureOptions,
  MeasureSourceOptions,
  StepEvent,
  TrainingEnd,
  TrainingPosition,
  ValidationData,
  ValidationOptions,
} from "./fit-types.js";
export type { HeldObject } from "./held-object.js";
export { type LossChoice, Model, type ModelClass } from "./model.js";
export { Module, type ModuleClass } from "./module.js";
export { Optimizer, type OptimizerClass } from "./optimizer.js";
export type { GroupRecipe, Pattern, Recipe } from "./recipe.js";
export type { Closure } from "./step.js";
export { Tensor, type TensorClass } from "./tensor.js";
export type { Training } from "./training.js";

/** The classes over the functions of the k-api, and the builders of optimizers. */
export interface Fluent {
  /** Starts builders of optimizers. */
  readonly optimizer: OptimizerFactory;
  /** The class of tensors. */
  readonly Tensor: TensorClass;
  /** The class of modules. */
  readonly Module: ModuleClass;
  /** The class of optimizers. */
  readonly Optimizer: OptimizerClass;
  /** The class of models. */
  readonly Model: ModelClass;
}
