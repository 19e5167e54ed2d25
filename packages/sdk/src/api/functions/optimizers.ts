// Optimizers: parameter groups, options and state.

import type { OptimizerName, OptionsOf } from "../../generated/options.js";
import type { OptimizerHandle } from "../../handle.js";
import type {
  FirstGroup,
  FurtherArguments,
  Implementation,
  NotAny,
  OptionArguments,
  Parameters,
  SecondArgument,
} from "../../types/arguments.js";
import type { AnyModel, AnyModule, AnyOptimizer } from "../../types/objects.js";
import type { Definition, ModuleState, State } from "../../types/results.js";
import { withJson } from "../../values/json.js";
import { client } from "../client.js";

/**
 * Makes an optimizer without parameters, which can be added later.
 *
 * @example
 * ```ts
 * const o = opt("sgd");
 * opt(o, 0, module(["linear", 128, 10]), 0.1);
 * ```
 */
export function opt<Name extends OptimizerName>(name: Name): OptimizerHandle;
/** Makes an optimizer with options and without parameters. The options become the defaults of its parameter groups. */
export function opt<Name extends OptimizerName>(name: Name, options: OptionsOf[Name] & Implementation): OptimizerHandle;
/**
 * Makes an optimizer of parameters. The options become the defaults of its parameter groups. An empty list makes it without
 * parameters; undefined and null are errors.
 *
 * @example
 * ```ts
 * const m = module(["linear", 128, 10]);
 * const o = opt("adam", m, 0.0002, { decay: 0.02 });
 * const libtorchs = opt("adam", m, 0.0002, { fused: false });
 * const offloaded = opt("adam", m, 0.0002, { offload: true });
 * ```
 */
export function opt<Name extends OptimizerName>(
  name: Name,
  parameters: Parameters,
  ...options: OptionArguments<Name, Implementation>
): OptimizerHandle;
/** Makes an optimizer whose parameters are in group 0. The options become the defaults of its parameter groups. */
export function opt<Name extends OptimizerName>(
  name: Name,
  group: FirstGroup,
  parameters: Parameters,
  ...options: OptionArguments<Name, Implementation>
): OptimizerHandle;
/**
 * The definition of an optimizer.
 *
 * @param all - false for the learning rate and the options that differ from the defaults of the optimizer. Default true.
 */
export function opt(optimizer: AnyOptimizer, all?: boolean): Definition;
/** Adds parameters to the first group, and sets the given options. */
export function opt(optimizer: AnyOptimizer, parameters: Parameters, ...options: OptionArguments<OptimizerName>): void;
/**
 * Adds parameters to a group, and sets the given options. A group whose index is the number of groups is new, and starts with the
 * options that the optimizer was made with.
 */
export function opt(
  optimizer: AnyOptimizer,
  group: number,
  parameters: Parameters,
  ...options: OptionArguments<OptimizerName>
): void;
/**
 * Makes an optimizer from the result of {@link state}, on the parameters of a module, which are matched by name. It resumes to the
 * bit.
 *
 * Parameters of the module without a row in the state stay outside the optimizer, whose parameters may have been a part of the
 * module. A buffer that every step writes must not be null after the first step of its parameter. A buffer that an option adds
 * may be, since the option may have been set after that step.
 */
export function opt(state: State, module: AnyModule): OptimizerHandle;
/** The optimizer of a model, shared with it. */
export function opt(model: AnyModel): OptimizerHandle;
/**
 * Any way to call it with two arguments or more. TypeScript reports a wrong call by the last signature, and so at the argument that
 * is wrong.
 */
export function opt<First extends OptimizerName | AnyOptimizer | State, Second>(
  first: NotAny<First>,
  second: SecondArgument<First, Second>,
  ...further: FurtherArguments<First, Second>
): OptimizerHandle | undefined;
export function opt(...args: readonly unknown[]): unknown {
  return withJson(client.call("opt", args));
}

/**
 * The definition of an optimizer with the state of each parameter: plain data, to save and to restore from. `structuredClone`,
 * `v8.serialize` and `JSON.stringify` keep it to the bit. The last makes one string, of at most about 500 million characters, with
 * four characters for three bytes.
 */
export function state(optimizer: AnyOptimizer, all?: boolean): State;
/** A module as plain data, parameters included. */
export function state(module: AnyModule): ModuleState;
export function state(...args: readonly unknown[]): unknown {
  return withJson(client.call("state", args));
}
