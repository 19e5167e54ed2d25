import type { LossScaleOptions, MetricName, OptimizerName } from "./arguments.js";
import type { TypedTensor } from "./binding.js";
import type { OptionsOf } from "./generated/options.js";
import type { presets } from "./generated/presets.js";
import type { ScheduleSpecification } from "./generated/schedules.js";

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
  /** There only for an optimizer of the tensor library. */
  readonly fused?: false;
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
  /** There only if one is bound. */
  readonly schedule?: ScheduleState;
  /** There only if losses are scaled. */
  readonly lossscale?: LossScale;
  /** There only while parameters and their averages are exchanged. */
  readonly averaged?: true;
}

/** How a loss is scaled, and how far the scale has come. */
export interface LossScale
  extends Required<Pick<LossScaleOptions, "init" | "growth" | "backoff" | "interval" | "min">> {
  /** What the next loss is multiplied by. */
  readonly scale: number;
  /** Good steps since the scale last changed. */
  readonly growth_tracker: number;
  /** Bad steps, which were skipped. */
  readonly skipped: number;
}

/** A bound schedule: its options and progress, and the learning rate of each group that it starts from. */
export type ScheduleState = ScheduleSpecification & { readonly base: readonly number[] };

/** What a pass over samples has measured: what was asked for. */
export interface Metrics {
  /** The mean of the losses of the batches, each of which weighs as much as what it is the mean of. */
  readonly loss?: number;
  /** The loss of each batch. */
  readonly batchloss?: readonly number[];
  /** Percent of the samples whose class had the largest output, without those that the loss ignores; NaN of none. */
  readonly accuracy?: number;
  /** The number of those. */
  readonly matches?: number;
}

/** Every option of a model's training or testing, as it is set. */
export type SampleOptions<Options> = { readonly [Key in Exclude<keyof Options, "metrics">]-?: Options[Key] } & {
  readonly metrics: readonly MetricName[];
};

/** A module of a {@link ModuleState}. */
export interface ModuleRow {
  /** 0 for the module itself, 1 for its children, and so on. */
  readonly depth: number;
  /** The kind. */
  readonly module: string;
  /** Empty for a module without a name. */
  readonly name: string;
  readonly options: { readonly [name: string]: number | boolean | string | null | readonly number[] };
  /** Tensors that are trained. */
  readonly parms: { readonly [name: string]: TypedTensor };
  /** The names of `parms` in their order, where a caller chose them; a state of before may lack it. */
  readonly names?: readonly string[];
  /** Tensors that belong to the state but are not trained. States of before `num_batches_tracked` may lack that one. */
  readonly buffers: { readonly [name: string]: TypedTensor };
}

/** A module as plain data: a row for each module, depth first. */
export type ModuleState = readonly ModuleRow[];

/** The type and the shape of a tensor. */
export interface TypeAndShape {
  /** The element type: one that tensors have, or one that only files have, such as `U8`. */
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** In what a file and a module differ. */
export interface LoadReport {
  /** Tensors that only the module has. */
  readonly missing: readonly string[];
  /** Tensors that only the file has. */
  readonly unexpected: readonly string[];
  /** Tensors that both have and that do not fit: what the module expects, and what the file gives. */
  readonly mismatched: readonly {
    readonly name: string;
    readonly expected: TypeAndShape;
    readonly given: TypeAndShape;
  }[];
}

/** A line of `help("optimizer")`. */
export interface OptimizerHelp {
  readonly optimizer: OptimizerName;
  /** The PyTorch class; empty if there is none. */
  readonly pytorch: string;
  /** Names and defaults, in positional order. */
  readonly options: OptionRow;
  readonly about: string;
}

/** A line of `help("schedule")`. */
export interface ScheduleHelp {
  readonly schedule: ScheduleSpecification["schedule"];
  /** The PyTorch class. */
  readonly pytorch: string;
  readonly about: string;
  /** Names and defaults; null for an option that must be given. A number for each group is a list. */
  readonly options: { readonly [name: string]: OptionRow[string] | readonly number[] };
}

/** A line of `help("preset")`: options as somebody published them. */
export interface PresetHelp {
  readonly preset: keyof typeof presets;
  /** The optimizer that they are options of. */
  readonly optimizer: OptimizerName;
  /** The formula. */
  readonly about: string;
  readonly source: string;
  readonly options: OptionRow;
}

/** A line of `help("module")`. */
export interface ModuleHelp {
  readonly module: string;
  readonly about: string;
  /** Names and defaults, in positional order; null for an option that must be given. */
  readonly options: OptionRow;
}
