// Functions of a program as modules.

import { StepwellError } from "../../errors.js";
import type { ModuleHandle, TensorHandle } from "../../handle.js";
import type { CallbackOptions, ModuleFunction } from "../../types/own-modules.js";
import { namedOptions } from "../../values/named-options.js";
import { refuse, refuseSurplus } from "../../values/refuse.js";
import { client } from "../client.js";
import { outputsOf } from "./outputs.js";

/**
 * A module whose forward pass is a function. Containers and own modules hold it like any module.
 *
 * The function gets a tensor for each input, and returns a tensor or a list of them. The pass frees everything else
 * that it makes, as {@link scoped} does. It is synchronous, and may call every function, except to free its inputs, or to run or free the model that calls it
 * (`ERR_BUSY`). An exception arrives as it was thrown, and the pass has then changed nothing.
 *
 * @param options - `parms`: tensors that the function uses and that are trained; `buffers`: tensors that belong to the state
 * @example
 * ```ts
 * const scale = tensor([1], "grad");
 * const m = module(seq("sequential", ["linear", 2, 2], callback((x) => mul(x, scale), { parms: { scale } })));
 * ```
 */
export function callback(forward: ModuleFunction, options?: CallbackOptions): ModuleHandle;
export function callback(forward: unknown, options: unknown = {}, ...surplus: readonly unknown[]): ModuleHandle {
  if (typeof forward !== "function") refuse("callback", "a function as argument 1", forward);
  refuseSurplus("callback", surplus);
  const { parms = {}, buffers = {} } = namedOptions<CallbackOptions>("callback", options, ["parms", "buffers"]);
  const members = [...Object.entries(parms), ...Object.entries(buffers)];
  const run = (inputs: readonly TensorHandle[]) => outputsOf("callback", Reflect.apply(forward, undefined, inputs));
  const [module, names] = client.makeCallback({ run }, forward.name, members, Object.keys(buffers), "callback");
  const [plain] = Object.keys(parms).filter((name) => !names.includes(name));
  if (plain === undefined) return module;
  client.free([module]);
  throw new StepwellError("ERR_PARAMETER", `callback: expected leaf tensors with "grad" as parms, given \`${plain}\``);
}
