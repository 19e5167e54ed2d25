import type { LossOptionsOf } from "../generated/losses.js";
import type { OptionsOf, PositionalOptionsOf } from "../generated/options.js";
import type { StepOptions } from "../generated/settings.js";
import type { AnyDictionary, AnyModel, AnyModule, AnyTensor, AnyVector } from "./objects.js";
import type { TensorData } from "./tensor-data.js";

/** The name of an optimizer. */
export type OptimizerName = keyof OptionsOf;

/** One value, or several in order. */
export type OneOrMore<T> = T | readonly T[];

/**
 * Parameters for an optimizer: all parameters of a tensor, vector, dictionary, module or model, or a selection out of one; an empty
 * list for none.
 *
 * A selection names elements of a vector by index and elements of a dictionary by key. It names descendants of a module by index or
 * dotted name, and parameters of a module by dotted name.
 */
export type Parameters =
  | AnyTensor
  | AnyVector
  | AnyDictionary
  | AnyModule
  | AnyModel
  | readonly []
  | readonly [AnyVector, OneOrMore<number>]
  | readonly [AnyDictionary, OneOrMore<string>]
  | readonly [AnyModule | AnyModel, OneOrMore<number> | OneOrMore<string>];

/** Named options: a dictionary, a list of pairs, or names and values in turn. A union of options gives a union of these. */
export type NamedOptions<Options> = Options extends unknown
  ?
      | Options
      | readonly (readonly [keyof Options & string, Options[keyof Options]])[]
      | readonly [name: keyof Options & string, value: unknown, ...more: unknown[]]
  : never;

/** Positional options from the first on, and then named ones. */
type PositionalThenNamed<Positions extends readonly unknown[], Named> = Positions extends readonly [
  infer First,
  ...infer Rest,
]
  ? readonly Named[] | readonly [First, ...PositionalThenNamed<Rest, Named>]
  : readonly Named[];

/**
 * Options of an optimizer as `opt` takes them: by position, by name, or the first by position and others by name. Names may come in
 * several arguments. An undefined option is left out; an option that is given twice is an error.
 *
 * @typeParam More - additional options, by name only
 */
export type OptionArguments<Name extends OptimizerName, More = unknown> = PositionalThenNamed<
  PositionalOptionsOf[Name],
  NamedOptions<OptionsOf[Name] & More>
>;

/** The implementation of an optimizer, which is chosen when it is made. */
export interface Implementation {
  /**
   * True for the implementation of Stepwell. False for the implementation of the tensor library, which has the same options
   * and state and is slower: it serves comparison. Default true.
   */
  readonly fused?: boolean;
}

/**
 * The element type of a tensor. `float`, `double` and `half` are floating point of 32, 64 and 16 bits; `bfloat16` is the upper
 * half of a `float`; `long` is whole numbers of 64 bits. The other names are PyTorch's.
 */
export type Dtype = "float" | "double" | "half" | "bfloat16" | "long" | "float32" | "float64" | "float16" | "int64";

/** The device whose memory holds a tensor. */
export type Device = "cpu" | "cuda" | `cuda:${number}`;

/** Options of a new tensor. */
export interface TensorOptions {
  /** Compute gradients for it. Default false. */
  readonly grad?: boolean;
  /** Element type. Default: the type of a typed array; `float` for plain numbers. */
  readonly dtype?: Dtype;
  /** The device whose memory holds it. Default cpu. */
  readonly device?: Device;
  /** Sizes of the dimensions. Default: the shape of the nested numbers; one dimension for a typed array. */
  readonly shape?: readonly number[];
}

/** An option of a module. */
export type ModuleOption = number | boolean | null | readonly number[];

/**
 * A layer: its kind, or a list of its kind, optionally a name, and its options by position, then by name in a dictionary.
 * `help("module")` lists the kinds, and {@link LayerOptionsOf} has the options of each.
 */
export type LayerSpecification =
  | string
  | readonly [kind: string, ...rest: readonly (string | ModuleOption | { readonly [name: string]: ModuleOption })[]];

/** Several modules one after the other; {@link seq} makes one. */
export interface SequentialSpecification {
  /** The kind, and optionally a name. */
  readonly container: "sequential" | readonly ["sequential", name: string];
  /** The modules in the order in which they run. */
  readonly children: readonly ModuleSpecification[];
}

/** A module as plain data, from which `module` makes one. */
export type ModuleSpecification = LayerSpecification | SequentialSpecification;

/** The name of a loss. */
export type LossName = keyof LossOptionsOf;

/** The target of a loss: a tensor, or plain numbers that become one of the type that the loss needs. */
export type Target = AnyTensor | TensorData;

/**
 * How a step treats an element of a gradient that is infinite or not a number. With `lbfgs`, the policy is applied to gradients
 * and the loss at every point that it evaluates.
 *
 * - `"propagate"` makes the step, and such elements reach parameters and state, as with PyTorch.
 * - `"skip"` leaves the step out; `skipped` counts such steps.
 * - `"error"` throws `ERR_GRADIENT`, which names the parameter.
 *
 * `"skip"` and `"error"` change neither parameters nor state, counts of steps or averages. A step with a closure and the training
 * of a model restore running statistics too. Gradients stay, except that `"skip"` zeroes them if `zerograd` is set. A graph that
 * was recorded before is outdated, as after any step.
 *
 * A loss scale skips such steps, as `torch.amp.GradScaler` does. With a scale, `"error"` and `"propagate"` are `ERR_ARGUMENT` if they
 * are given; without a policy the step is skipped.
 */
export type NonFinitePolicy = NonNullable<StepOptions["nonfinite"]>;
