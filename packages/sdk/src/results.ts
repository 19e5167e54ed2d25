import type { OptimizerName } from "./arguments.js";
import type { TypedTensor } from "./binding.js";
import type { OptionsOf } from "./generated/options.js";

/** Names and values of options. */
export type OptionRow = { readonly [name: string]: number | boolean | string | null };

/** A parameter of an optimizer. */
export interface ParameterRow {
  /** Index of the parameter group. */
  readonly parmgroup: number;
  /** Tells tensors apart while they live; means nothing else. */
  readonly pointer: number;
  /** The kind of the module that owns it; `parmdict` for a loose tensor. */
  readonly module: string;
  /** The dotted name. */
  readonly name: string;
  /** Sizes of the dimensions. */
  readonly size: readonly number[];
}

/** What an optimizer is: its name, a row of options for each group, a row for each parameter. */
export interface Definition<Name extends OptimizerName = OptimizerName> {
  readonly optimizer: Name;
  readonly options: readonly (OptionRow & OptionsOf[Name])[];
  readonly parms: readonly ParameterRow[];
}

/** A state buffer; null where the options do not use it. */
export type StateBuffer = TypedTensor | number | null | readonly (TypedTensor | number)[];

/** A parameter with its state: `step`, `exp_avg` and so on, named as in PyTorch; empty before its first step. */
export interface StateRow extends ParameterRow {
  readonly buffers: { readonly [name: string]: StateBuffer };
}

/** A definition with the state of each parameter. */
export interface State<Name extends OptimizerName = OptimizerName> extends Definition<Name> {
  readonly parms: readonly StateRow[];
}

/** A line of `help("optimizer")`. */
export interface OptimizerHelp {
  readonly optimizer: OptimizerName;
  /** The PyTorch class; empty if there is none. */
  readonly pytorch: string;
  readonly about: string;
  /** Names and defaults, in positional order. */
  readonly options: OptionRow;
}

/** A line of `help("module")`. */
export interface ModuleHelp {
  readonly module: string;
  readonly about: string;
  /** Names and defaults, in positional order; null for an option that must be given. */
  readonly options: OptionRow;
}
