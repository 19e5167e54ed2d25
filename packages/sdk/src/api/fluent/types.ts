// The names that the package gives to the types of the fluent layer. The classes have their own, beside their values.

export type { BuilderOption, GroupBuilder, OptimizerBuilder, OptimizerFactory } from "./builder.js";
export type { DoneEvent, EpochEvent, Figures, FitData, FitEvent, FitOptions, StepEvent } from "./fit.js";
export type { Fluent } from "./fluent.js";
export type { AnyModule, AnyTensor, Held, Trainable } from "./held.js";
export type { ModelClass } from "./model.js";
export type { ModuleClass } from "./module.js";
export type { Closure, OptimizerClass } from "./optimizer.js";
export type { GroupRecipe, Pattern, Recipe } from "./recipe.js";
export type { TensorClass } from "./tensor.js";
