/**
 * Stepwell: train parameters from TypeScript, in the k-api's own words.
 *
 * @packageDocumentation
 */

import type { Api } from "./api.js";
import { connect } from "./connect.js";
import { binding } from "./engines/node.js";
import { fluent } from "./fluent/fluent.js";
import type * as models from "./fluent/model.js";
import type * as modules from "./fluent/module.js";
import type * as optimizers from "./fluent/optimizer.js";
import type * as tensors from "./fluent/tensor.js";

export type { Api, Target } from "./api.js";
export type * from "./arguments.js";
export type { Numbers, TensorData } from "./arrays.js";
export type { EngineName, EngineOptions, TypedTensor } from "./binding.js";
export { engine } from "./engines/node.js";
export { type ErrorCode, errorCodes, StepwellError } from "./errors.js";
export type * from "./fluent/types.js";
export type * from "./generated/options.js";
export { presets } from "./generated/presets.js";
export type * from "./generated/schedules.js";
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
} from "./handle.js";
export type * from "./results.js";
export * as schedules from "./schedules.js";
export { seq } from "./seq.js";

const api: Api = connect(binding);

export const {
  advance,
  average,
  backward,
  batch,
  bce,
  bcewithlogits,
  bytes,
  ce,
  child,
  childnames,
  classof,
  clip,
  clipv,
  copyto,
  data,
  device,
  dict,
  dtype,
  elements,
  evaluate,
  forward,
  free,
  full,
  grad,
  gradflag,
  handlecount,
  help,
  l1,
  load,
  loss,
  lossscale,
  lr,
  model,
  module,
  mse,
  names,
  nll,
  nograd,
  objtype,
  opt,
  parm,
  parmnames,
  parms,
  randperm,
  ready,
  reset,
  run,
  save,
  schedule,
  seed,
  setting,
  size,
  skipped,
  smoothl1,
  state,
  step,
  take,
  tensor,
  tensorcount,
  test,
  testrun,
  to,
  train,
  use,
  vector,
  zerograd,
} = api;

/** `class` and `return` are reserved words; `k.class(x)` and `k.return(x)` work after `import * as k`. */
export { classof as class, take as return };

/** The fluent layer: builders of optimizers, and a class for each kind of object. */
export const { Model, Module, Optimizer, optimizer, Tensor } = fluent(api);
/** A module with the loss and the optimizer that train it. */
export type Model = models.Model;
/** A module with its parameters. */
export type Module = modules.Module;
/** An optimizer with its parameter groups and state. */
export type Optimizer = optimizers.Optimizer;
/** A tensor. */
export type Tensor = tensors.Tensor;
