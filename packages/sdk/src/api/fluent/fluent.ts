import type { Api } from "../api.js";
import { type OptimizerFactory, optimizerFactory } from "./builder.js";
import { type ModelClass, modelClass } from "./model.js";
import { type ModuleClass, moduleClass } from "./module.js";
import { type OptimizerClass, optimizerClass } from "./optimizer.js";
import { type TensorClass, tensorClass } from "./tensor.js";

/** The classes over the functions of the k-api, and the builders of optimizers. */
export interface Fluent {
  readonly optimizer: OptimizerFactory;
  readonly Tensor: TensorClass;
  readonly Module: ModuleClass;
  readonly Optimizer: OptimizerClass;
  readonly Model: ModelClass;
}

/** The fluent layer over an engine's functions. It has no logic of its own beside that of a training loop. */
export function fluent(api: Api): Fluent {
  const Tensor = tensorClass(api);
  const Module = moduleClass(api, Tensor);
  const Optimizer = optimizerClass(api);
  const Model = modelClass(api);
  return { optimizer: optimizerFactory(api, Optimizer), Tensor, Module, Optimizer, Model };
}
