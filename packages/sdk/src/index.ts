/**
 * Stepwell: train parameters from TypeScript, in the k-api's own words, on libtorch.
 *
 * @packageDocumentation
 */

import { binding } from "@stepwell/native";
import type { Api } from "./api.js";
import type { Binding } from "./binding.js";
import { connect } from "./connect.js";

export type { Api, Target } from "./api.js";
export type * from "./arguments.js";
export type { Numbers, TensorData } from "./arrays.js";
export type { TypedTensor } from "./binding.js";
export { type ErrorCode, errorCodes, StepwellError } from "./errors.js";
export type * from "./generated/options.js";
export type * from "./generated/schedules.js";
export {
  type AnyHandle,
  type DictionaryHandle,
  Handle,
  type ModuleHandle,
  type OptimizerHandle,
  type TensorHandle,
  type VectorHandle,
} from "./handle.js";
export type * from "./results.js";
export * as schedules from "./schedules.js";
export { seq } from "./seq.js";

const api: Api = connect(binding as Binding);

export const {
  advance,
  backward,
  bce,
  bcewithlogits,
  bytes,
  ce,
  child,
  childnames,
  classof,
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
  lr,
  module,
  mse,
  names,
  nll,
  nograd,
  objtype,
  opt,
  parm,
  parmnames,
  randperm,
  save,
  schedule,
  seed,
  setting,
  size,
  smoothl1,
  state,
  step,
  take,
  tensor,
  tensorcount,
  to,
  use,
  vector,
  zerograd,
} = api;

/** `class` and `return` are reserved words; `k.class(x)` and `k.return(x)` work after `import * as k`. */
export { classof as class, take as return };
