import type { TypedTensor } from "../binding.js";
import type { LayerKind } from "../generated/layers.js";
import type { OperationName } from "../generated/operations.js";
import type { OptimizerName, OptionsOf } from "../generated/options.js";
import type { presets } from "../generated/presets.js";
import type { ScheduleSpecification } from "../generated/schedules.js";
import type { LossScale, MetricName } from "../generated/settings.js";
import type { Device, Dtype } from "./arguments.js";

/** Names and values of options. */
export type OptionRow = { readonly [name: string]: number | boolean | string | null };

/** Names and values of options of which some are lists: a size for each dimension, a number for each group. */
export type ListOptionRow = { readonly [name: string]: OptionRow[string] | readonly number[] };

/** The properties of a tensor. */
export interface TensorInfo {
  /** Where the tensor lives: `cpu`, or a CUDA device such as `cuda:0`. */
  readonly device: Device;
  /** The element type. */
  readonly dtype: Dtype;
  /** Sizes of the dimensions. */
  readonly size: readonly number[];
  /** The number of elements. */
  readonly elements: number;
  /** Bytes of all elements. */
  readonly bytes: number;
  /** Whether gradients are computed for it. */
  readonly gradient: boolean;
  /** Whether no operation made it. */
  readonly leaf: boolean;
}

/** A parameter of an optimizer. */
export interface ParameterRow {
  /** Index of the parameter group. */
  readonly parmgroup: number;
  /** Identifies a tensor while it lives; it has no other meaning. */
  readonly pointer: number;
  /** The kind of the module that owns it; `parmdict` for a loose tensor. */
  readonly module: string;
  /** The dotted name. */
  readonly name: string;
  /** Sizes of the dimensions. */
  readonly size: readonly number[];
}

/** The definition of an optimizer: its name, a row of options for each group, a row for each parameter. */
export interface Definition<Name extends OptimizerName = OptimizerName> {
  /** The name. */
  readonly optimizer: Name;
  /** Options of each group. */
  readonly options: readonly (OptionRow & OptionsOf[Name])[];
  /** Parameters of all groups. */
  readonly parms: readonly ParameterRow[];
  /** Present only for an optimizer of the tensor library. */
  readonly fused?: false;
  /** Present only for an optimizer that steps in host memory. */
  readonly offload?: true;
}

/** A state buffer; null if the options do not use it. */
export type StateBuffer = TypedTensor | number | null | readonly (TypedTensor | number)[];

/**
 * A parameter with its state: `step`, `exp_avg` and so on, named as in PyTorch; empty before its first step. The state of `lbfgs`
 * is in the first row, with the indices of frozen parameters as `frozen` if there were any.
 */
export interface StateRow extends ParameterRow {
  /** The state by name. */
  readonly buffers: { readonly [name: string]: StateBuffer };
}

/** A definition with the state of each parameter. */
export interface State<Name extends OptimizerName = OptimizerName> extends Definition<Name> {
  /** Parameters of all groups, with state. */
  readonly parms: readonly StateRow[];
  /** Present only if a schedule is bound. */
  readonly schedule?: ScheduleState;
  /** Present only if losses are scaled. */
  readonly lossscale?: LossScale;
  /** Present only while parameters and their averages are swapped. */
  readonly averaged?: true;
}

/** A bound schedule: its options and progress, and the learning rate of each group that it starts from. */
export type ScheduleState = ScheduleSpecification & {
  /** The base rate of each group. */
  readonly base: readonly number[];
};

/** The metrics of a pass over samples that its options ask for. */
export interface Metrics {
  /**
   * The mean of the losses of the batches. A batch is weighted by the number of losses that its own loss is the mean of; with
   * `reduce: "sum"` all batches have the same weight.
   */
  readonly loss?: number;
  /** The loss of each batch. */
  readonly batchloss?: readonly number[];
  /**
   * Percentage of the samples whose class had the largest output; NaN without samples. Samples of the class that the loss ignores
   * are not counted, and a sample with an output that is not a number is wrong.
   */
  readonly accuracy?: number;
  /** Number of the samples whose class had the largest output. */
  readonly matches?: number;
}

/** The figures of a step, or of a batch for testing. */
export interface BatchReport {
  /** The loss before the step; of a step of several batches, their loss as one large batch. */
  readonly loss: number;
  /** Whether the step was left out, because a gradient or the loss was not finite. False in testing. */
  readonly skipped: boolean;
  /** Number of samples. */
  readonly samples: number;
  /** The weight of the loss in the mean of several: the number of losses that it is the mean of; 1 with `reduce: "sum"`. */
  readonly weight: number;
  /** Batches of the pass so far. */
  readonly batch: number;
  /** Batches of the whole pass. */
  readonly batches: number;
  /** Classes whose output was the largest; present only if `accuracy` or `matches` is a metric. */
  readonly matches?: number;
  /** Classes that count; present only if `accuracy` or `matches` is a metric. */
  readonly classes?: number;
}

/** Every option of the training or testing of a model, as it is set. */
export type SampleOptions<Options> = {
  readonly [Key in Exclude<keyof Options, "metrics" | "batchSize">]: Required<Options>[Key];
} & {
  /** Metrics that a pass returns. */
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
  /** Options by name. */
  readonly options: ListOptionRow;
  /** Tensors that are trained. */
  readonly parms: { readonly [name: string]: TypedTensor };
  /** The names of `parms` in order, if a caller chose them. A state of an older version may lack it. */
  readonly names?: readonly string[];
  /** Tensors of the state that are not trained. A state of an older version may lack `num_batches_tracked`. */
  readonly buffers: { readonly [name: string]: TypedTensor };
  /** The dotted name of the same module, if an earlier row has it. The row has no tensors then. */
  readonly tied?: string;
}

/** A module as plain data: a row for each module, depth first. */
export type ModuleState = readonly ModuleRow[];

/** The type and the shape of a tensor. */
export interface TypeAndShape {
  /** The element type: a type of tensors, or one that only files have, such as `U8`. */
  readonly dtype: string;
  /** Sizes of the dimensions. */
  readonly shape: readonly number[];
}

/** The differences of a file and a module. */
export interface LoadReport {
  /** Tensors that only the module has. */
  readonly missing: readonly string[];
  /** Tensors that only the file has. */
  readonly unexpected: readonly string[];
  /** Tensors that both have with another type or shape. */
  readonly mismatched: readonly {
    /** The dotted name. */
    readonly name: string;
    /** Type and shape in the module. */
    readonly expected: TypeAndShape;
    /** Type and shape in the file. */
    readonly given: TypeAndShape;
  }[];
}

/** A line of `help("optimizer")`. */
export interface OptimizerHelp {
  /** The name. */
  readonly optimizer: OptimizerName;
  /** The PyTorch class; empty if there is none. */
  readonly pytorch: string;
  /** Names and defaults, in positional order. */
  readonly options: OptionRow;
  /** One sentence. */
  readonly about: string;
}

/** A line of `help("tensor")`. */
export interface OperationHelp {
  /** The name. */
  readonly operation: OperationName;
  /** The family in which the documentation has it. */
  readonly family: string;
  /** PyTorch's name, after `torch.`. It is not a name here, where `clip` and `to`, for example, have other meanings. */
  readonly pytorch: string;
  /** The names of the arguments, in their order. */
  readonly arguments: readonly string[];
  /** How many tensors it returns; 0 if it returns a boolean. */
  readonly outputs: number;
}

/** A line of `help("schedule")`. */
export interface ScheduleHelp {
  /** The name. */
  readonly schedule: ScheduleSpecification["schedule"];
  /** The PyTorch class. */
  readonly pytorch: string;
  /** One sentence. */
  readonly about: string;
  /** Names and defaults; null for an option that must be given. A number for each group is a list. */
  readonly options: ListOptionRow;
}

/** A line of `help("preset")`: options as a source has published them. */
export interface PresetHelp {
  /** The name. */
  readonly preset: keyof typeof presets;
  /** The optimizer that they are options of. */
  readonly optimizer: OptimizerName;
  /** The formula. */
  readonly about: string;
  /** The publication. */
  readonly source: string;
  /** Names and values. */
  readonly options: OptionRow;
}

/** A line of `help("module")`. */
export interface ModuleHelp {
  /** The kind. */
  readonly module: LayerKind;
  /** One sentence. */
  readonly about: string;
  /** Names and defaults, in positional order; null for an option that must be given. */
  readonly options: ListOptionRow;
}
