import type { LossOptionsOf } from "../generated/losses.js";
import type { AnyOptions, OptimizerName, OptionsOf, PositionalOptionsOf } from "../generated/options.js";
import type { StepOptions } from "../generated/settings.js";
import type { AnyDictionary, AnyModel, AnyModule, AnyOptimizer, AnyTensor, AnyVector } from "./objects.js";
import type { TensorData } from "./tensor-data.js";

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
  | readonly [AnyModule | AnyModel, Selector];

/** An object out of which a call selects parameters. */
export type SelectedFrom = AnyVector | AnyDictionary | AnyModule | AnyModel;

/** Names or indices of parts: see {@link Parameters}. */
export type Selector = OneOrMore<number> | OneOrMore<string>;

/** A name and its value. */
type NameAndValue<Options> = {
  [Name in keyof Options & string]-?: readonly [name: Name, value: Options[Name]];
}[keyof Options & string];

/** Names and values in turn, in one list. */
type NamesAndValues<Options> = {
  [Name in keyof Options & string]-?: readonly [
    name: Name,
    value: Options[Name],
    ...more: readonly (keyof Options | Options[keyof Options])[],
  ];
}[keyof Options & string];

/** Named options: a dictionary, a list of pairs, or names and values in turn. */
export type NamedOptions<Options> = Options | readonly NameAndValue<Options>[] | NamesAndValues<Options>;

/** The value of an option by position. */
type PositionalOption = PositionalOptionsOf[OptimizerName][number];

/** Options by position, and then named ones. Each place takes named options too, so that TypeScript reports the argument that is wrong. */
type PositionalThenNamed<Positions extends readonly unknown[], Named> = [
  ...{ [Index in keyof Positions]?: Positions[Index] | Named },
  ...more: Named[],
];

/**
 * Options of an optimizer as `opt` takes them: by position, by name, or the first by position and others by name. Names may come in
 * several arguments. An undefined option is left out. An option that is given twice is an error, and so is one by position after
 * named ones.
 *
 * @typeParam Name - if it is the type of all names, all options of all optimizers are accepted
 * @typeParam More - additional options, by name only
 */
export type OptionArguments<Name extends OptimizerName, More = unknown> = OptimizerName extends Name
  ? (PositionalOption | NamedOptions<AnyOptions & More>)[]
  : PositionalThenNamed<PositionalOptionsOf[Name], NamedOptions<OptionsOf[Name] & More>>;

/** A type other than `any`. A signature that takes it does not match arguments of type `any`, which others match better. */
export type NotAny<Type> = 0 extends 1 & Type ? never : Type;

/** The index of the group that a new optimizer has. */
export type FirstGroup = 0;

/**
 * The second argument of `opt`, by the first one. Some branches repeat the type of the given argument, so that TypeScript infers
 * it.
 */
export type SecondArgument<First, Given> = [NotAny<Given>] extends [number]
  ? First extends OptimizerName
    ? FirstGroup | (NotAny<Given> & FirstGroup)
    : NotAny<Given> & number
  : First extends OptimizerName
    ? Parameters | (OptionsOf[First] & Implementation)
    : First extends AnyOptimizer
      ? Parameters | boolean
      : AnyModule;

/** The arguments of `opt` after the second one, by the first two. */
export type FurtherArguments<First, Second> = First extends OptimizerName
  ? [Second] extends [number]
    ? [parameters: Parameters, ...OptionArguments<First, Implementation>]
    : OptionArguments<First, Implementation>
  : First extends AnyOptimizer
    ? [Second] extends [number]
      ? [parameters: Parameters, ...OptionArguments<OptimizerName>]
      : [Second] extends [boolean]
        ? []
        : OptionArguments<OptimizerName>
    : [];

/** The implementation of an optimizer and the memory that it works in, which are chosen when it is made. */
export interface Implementation {
  /**
   * True for the implementation of Stepwell. False for the implementation of the tensor library, which has the same options
   * and state and is slower: it serves comparison. Default true.
   */
  readonly fused?: boolean;
  /**
   * True to step in host memory: parameters and gradients are copied there in batches, and the parameters are copied back. The
   * state stays in host memory, so a model on a GPU trains whose state does not fit there. On the CPU and on WebAssembly the
   * results are equal. Not with `fused: false`. Default false.
   */
  readonly offload?: boolean;
}

/**
 * A name of an element type. `float`, `double` and `half` are floating point of 32, 64 and 16 bits; `bfloat16` is the upper half of a
 * `float`. `long` is whole numbers of 64 bits. `bool` is 0 or 1. The other names are PyTorch's.
 */
export type Dtype =
  | "float"
  | "double"
  | "half"
  | "bfloat16"
  | "long"
  | "bool"
  | "float32"
  | "float64"
  | "float16"
  | "int64";

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

/** A function of any arguments. */
export type AnyFunction = (...args: never) => unknown;

/** The second argument of `step`, by the type of the given one: a closure, or options. */
export type StepArgument<Given> = [Given] extends [never]
  ? Given
  : Given extends AnyFunction
    ? () => number | AnyTensor
    : StepOptions | undefined;
