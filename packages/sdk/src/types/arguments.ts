import type { OptionsOf, PositionalOptionsOf } from "./generated/options.js";
import type { DictionaryHandle, ModelHandle, ModuleHandle, TensorHandle, VectorHandle } from "./handle.js";

/** The name of an optimizer. */
export type OptimizerName = keyof OptionsOf;

/** One of something, or several in the order in which they are wanted. */
export type OneOrMore<T> = T | readonly T[];

/**
 * Parameters for an optimizer: everything in a tensor, vector, dictionary, module or model, or a selection out of one; an empty
 * list for none.
 *
 * A vector is selected from by index, a dictionary by key, a module by index or dotted name of a descendant or by the
 * dotted name of a parameter.
 */
export type Parameters =
  | TensorHandle
  | VectorHandle
  | DictionaryHandle
  | ModuleHandle
  | ModelHandle
  | readonly []
  | readonly [VectorHandle, OneOrMore<number>]
  | readonly [DictionaryHandle, OneOrMore<string>]
  | readonly [ModuleHandle | ModelHandle, OneOrMore<number> | OneOrMore<string>];

/** Named options: a dictionary, a list of pairs, or names and values in turn. Of several optimizers: those of any. */
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
 * Options of an optimizer as `opt` takes them: by position, by name, or the first by position and others by name, in one
 * argument or several. One that is undefined is left out; one that is given twice is an error.
 *
 * @typeParam More further options, by name only
 */
export type OptionArguments<Name extends OptimizerName, More = unknown> = PositionalThenNamed<
  PositionalOptionsOf[Name],
  NamedOptions<OptionsOf[Name] & More>
>;

/** What is said once, when an optimizer is made. */
export interface Implementation {
  /**
   * True for Stepwell's own implementation; false for the one that comes with the tensor library, with the same options
   * and state: slower, and there for comparison. Default true.
   */
  readonly fused?: boolean;
}

/**
 * The element type of a tensor: floating point of 32, 64 and 16 bits, `bfloat16`, which is the upper half of a `float`, and
 * whole numbers of 64 bits. `float32`, `float64`, `float16` and `int64` are PyTorch's names of the others.
 */
export type Dtype = "float" | "double" | "half" | "bfloat16" | "long" | "float32" | "float64" | "float16" | "int64";

/** Where a tensor lives. */
export type Device = "cpu" | "cuda" | `cuda:${number}`;

/** What a new tensor is to be. */
export interface TensorOptions {
  /** Compute gradients for it. Default false. */
  readonly grad?: boolean;
  /** Element type. Default: that of a typed array; `float` for plain numbers. */
  readonly dtype?: Dtype;
  /** Default cpu. */
  readonly device?: Device;
  /** Sizes of the dimensions. Default: those of the nested numbers; one dimension for a typed array. */
  readonly shape?: readonly number[];
}

/** An option of a module. */
export type ModuleOption = number | boolean | null | readonly number[];

/**
 * A layer: its kind, or a list of its kind, a name if wanted, and its options by position, then by name in a dictionary.
 * `help("module")` lists the kinds.
 */
export type LayerSpecification =
  | string
  | readonly [kind: string, ...rest: readonly (string | ModuleOption | { readonly [name: string]: ModuleOption })[]];

/** Several modules one after the other; {@link seq} makes one. */
export interface SequentialSpecification {
  readonly container: "sequential" | readonly ["sequential", name: string];
  readonly children: readonly ModuleSpecification[];
}

/** What `module` makes a module from: plain data. */
export type ModuleSpecification = LayerSpecification | SequentialSpecification;

/** What becomes of the losses of the elements. */
export interface LossOptions {
  /** Default `mean`. */
  readonly reduce?: "none" | "mean" | "sum";
}

/** Options of the losses of classes. */
export interface ClassLossOptions extends LossOptions {
  /** A class that counts for nothing, in a mean neither. A whole number, of a class that there is or not. Default -100. */
  readonly ignore?: number;
  /** PyTorch's name of it. */
  readonly ignore_index?: number;
}

/** The name of a loss. */
export type LossName = "ce" | "nll" | "mse" | "l1" | "smoothl1" | "bce" | "bcewithlogits";

/**
 * What a pass over samples measures: the mean of the losses of its batches, the loss of each batch, the percentage of
 * samples whose class had the largest output, or the number of those. In the first a batch weighs as much as what its own loss
 * is the mean of; with `reduce: "sum"` all weigh the same. In the last two, samples of the class that the loss ignores are
 * not counted, and one with an output that is not a number is counted as wrong; of no samples the percentage is NaN.
 */
export type MetricName = "loss" | "batchloss" | "accuracy" | "matches";

/** How a model is tested. */
export interface TestOptions {
  /** Samples of a batch. A whole number >= 1. Default 100; 32 for training. */
  readonly batchsize?: number;
  /** Leave out a last batch with fewer samples. Default false. */
  readonly droplast?: boolean;
  /** What to measure; the last two need a loss of classes, `ce` or `nll`. Default `loss`. */
  readonly metrics?: MetricName | readonly [MetricName, ...MetricName[]];
}

/**
 * What becomes of a step if an element of a gradient is infinite or not a number; with `lbfgs`, of a gradient or the loss at
 * any point that it evaluates. `"propagate"` makes it, and what is not finite goes into parameters and state, as with
 * PyTorch. `"skip"` leaves it out: {@link Api.skipped} counts. `"error"` throws `ERR_GRADIENT`, which names the parameter.
 *
 * Neither of the latter changes anything: parameters, state, counts of steps, averages; in a step with a closure and in the
 * training of a model running statistics are set back, too. Gradients stay as they are, but that `"skip"` zeroes them where
 * `zerograd` asks for it. A graph that was recorded before is outdated, as after any step.
 *
 * A loss scale skips such steps, as `torch.amp.GradScaler` does. With one, `"error"` and `"propagate"` are therefore
 * `ERR_ARGUMENT` where they are given; without a policy the step is skipped.
 */
export type NonFinitePolicy = "propagate" | "skip" | "error";

/** How a model is trained. */
export interface TrainOptions extends TestOptions {
  /** Draw a new order for each pass, from the session's generator. Default false. */
  readonly shuffle?: boolean;
  /** Largest norm of all gradients as one vector. A number > 0. Excludes `clipvalue`. Default null. */
  readonly clipnorm?: number | null;
  /** Largest element of a gradient. A number > 0. Excludes `clipnorm`. Default null. */
  readonly clipvalue?: number | null;
  /**
   * What becomes of a step whose gradients are not finite. Default `propagate`; with a loss scale, which skips such steps, only
   * `skip` can be given.
   */
  readonly nonfinite?: NonFinitePolicy;
}

/** What a step does beside the formula, in the same pass over the parameters. */
export interface StepOptions {
  /** Set gradients to zero after the step, also after one that is skipped. Default false. */
  readonly zerograd?: boolean;
  /** Largest norm of all gradients as one vector. A number > 0. Excludes `clipvalue`. Default null. */
  readonly clipnorm?: number | null;
  /** Largest element of a gradient. A number > 0. Excludes `clipnorm`. Default null. */
  readonly clipvalue?: number | null;
  /**
   * What becomes of a step whose gradients are not finite. Default `propagate`; with a loss scale, which skips such steps, only
   * `skip` can be given.
   */
  readonly nonfinite?: NonFinitePolicy;
}

/** How a file is loaded. */
export interface LoadOptions {
  /** Convert tensors of another type of floating point, each number rounded once to the nearest. Default false. */
  readonly cast?: boolean;
  /** Refuse a file whose names, shapes or types are not those of the module. Default true. */
  readonly strict?: boolean;
}

/** How a loss is scaled. PyTorch's names, those of `torch.amp.GradScaler`, are accepted too. */
export interface LossScaleOptions {
  /** The first scale. A number > 0. Default 65536. */
  readonly init?: number;
  /** What the scale is multiplied by after `interval` good steps. A number > 1. Default 2. */
  readonly growth?: number;
  /** What the scale is multiplied by after a bad step. A number between 0 and 1. Default 0.5. */
  readonly backoff?: number;
  /** Good steps in a row that make the scale grow. A whole number >= 1. Default 2000. */
  readonly interval?: number;
  /** The scale never becomes smaller. A number > 0, or null for the smallest of 32 bits. Default null. */
  readonly min?: number | null;
  readonly init_scale?: number;
  readonly growth_factor?: number;
  readonly backoff_factor?: number;
  readonly growth_interval?: number;
  /** The name that apex and DeepSpeed have for `min`. */
  readonly min_loss_scale?: number | null;
}

/** Options of the smooth L1 loss. */
export interface SmoothL1Options extends LossOptions {
  /** Where the quadratic part ends. A number > 0. Default 1. */
  readonly beta?: number;
}
