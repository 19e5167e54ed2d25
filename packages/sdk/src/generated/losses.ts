// Written by `cargo test -p stepwell-session generated` from the tables of losses; not to be edited.

/** Options of most losses. */
export interface LossOptions {
  /** How the losses of the elements become one number: not at all, by their mean or by their sum. Default "mean". */
  readonly reduce?: "none" | "mean" | "sum";
  /** PyTorch's name of `reduce`. */
  readonly reduction?: "none" | "mean" | "sum";
}

/** Options of cross entropy. */
export interface CrossEntropyOptions {
  /** A class that the loss and its mean ignore. It need not exist. Default -100. */
  readonly ignore?: number;
  /** PyTorch's name of `ignore`. */
  readonly ignore_index?: number;
  /** How the losses of the elements become one number: not at all, by their mean or by their sum. Default "mean". */
  readonly reduce?: "none" | "mean" | "sum";
  /** PyTorch's name of `reduce`. */
  readonly reduction?: "none" | "mean" | "sum";
  /** The weight of each class; `null` for weights of 1. The mean divides by the sum of the weights of the targets. A number >= 0. Default null. */
  readonly weight?: number | readonly number[] | null;
  /** The share of each target that is spread evenly over all classes. A number in [0, 1]. Default 0. */
  readonly smoothing?: number;
  /** PyTorch's name of `smoothing`. */
  readonly label_smoothing?: number;
}

/** Options of the negative log-likelihood. */
export interface ClassLossOptions {
  /** A class that the loss and its mean ignore. It need not exist. Default -100. */
  readonly ignore?: number;
  /** PyTorch's name of `ignore`. */
  readonly ignore_index?: number;
  /** How the losses of the elements become one number: not at all, by their mean or by their sum. Default "mean". */
  readonly reduce?: "none" | "mean" | "sum";
  /** PyTorch's name of `reduce`. */
  readonly reduction?: "none" | "mean" | "sum";
  /** The weight of each class; `null` for weights of 1. The mean divides by the sum of the weights of the targets. A number >= 0. Default null. */
  readonly weight?: number | readonly number[] | null;
}

/** Options of binary cross entropy of logits. */
export interface LogitLossOptions {
  /** How the losses of the elements become one number: not at all, by their mean or by their sum. Default "mean". */
  readonly reduce?: "none" | "mean" | "sum";
  /** PyTorch's name of `reduce`. */
  readonly reduction?: "none" | "mean" | "sum";
  /** The weight of positive targets, for each element of the last dimension or one for all; `null` for 1. A number >= 0. Default null. */
  readonly posweight?: number | readonly number[] | null;
  /** PyTorch's name of `posweight`. */
  readonly pos_weight?: number | readonly number[] | null;
}

/** Options of the smooth L1 loss. */
export interface SmoothL1Options {
  /** The difference at which the quadratic part ends. A number > 0. Default 1. */
  readonly beta?: number;
  /** How the losses of the elements become one number: not at all, by their mean or by their sum. Default "mean". */
  readonly reduce?: "none" | "mean" | "sum";
  /** PyTorch's name of `reduce`. */
  readonly reduction?: "none" | "mean" | "sum";
}

/** Options of the Huber loss. */
export interface HuberOptions {
  /** The difference at which the quadratic part ends. A number > 0. Default 1. */
  readonly delta?: number;
  /** How the losses of the elements become one number: not at all, by their mean or by their sum. Default "mean". */
  readonly reduce?: "none" | "mean" | "sum";
  /** PyTorch's name of `reduce`. */
  readonly reduction?: "none" | "mean" | "sum";
}

/** Options of the Kullback-Leibler divergence. */
export interface KlOptions {
  /** How the losses of the elements become one number. `batchmean` divides their sum by the number of samples. Default "mean". */
  readonly reduce?: "none" | "mean" | "sum" | "batchmean";
  /** PyTorch's name of `reduce`. */
  readonly reduction?: "none" | "mean" | "sum" | "batchmean";
  /** Targets are logarithms of probabilities. Default false. */
  readonly log?: boolean;
  /** PyTorch's name of `log`. */
  readonly log_target?: boolean;
}

/** Options of the Poisson loss. */
export interface PoissonLossOptions {
  /** The input is the logarithm of the rate. Default true. */
  readonly log?: boolean;
  /** PyTorch's name of `log`. */
  readonly log_input?: boolean;
  /** Add Stirling's approximation of log(target!), for targets above 1. Default false. */
  readonly full?: boolean;
  /** Added to a rate before its logarithm, unless `log`. A number > 0. Default 1e-8. */
  readonly eps?: number;
  /** How the losses of the elements become one number: not at all, by their mean or by their sum. Default "mean". */
  readonly reduce?: "none" | "mean" | "sum";
  /** PyTorch's name of `reduce`. */
  readonly reduction?: "none" | "mean" | "sum";
}

/** Options of the hinge loss. */
export interface HingeOptions {
  /** The distance beyond which a loss is 0. Default 1. */
  readonly margin?: number;
  /** How the losses of the elements become one number: not at all, by their mean or by their sum. Default "mean". */
  readonly reduce?: "none" | "mean" | "sum";
  /** PyTorch's name of `reduce`. */
  readonly reduction?: "none" | "mean" | "sum";
}

/** Options of the losses of three tensors with a margin. */
export interface MarginOptions {
  /** The difference at which a loss becomes 0. Default 0. */
  readonly margin?: number;
  /** How the losses of the elements become one number: not at all, by their mean or by their sum. Default "mean". */
  readonly reduce?: "none" | "mean" | "sum";
  /** PyTorch's name of `reduce`. */
  readonly reduction?: "none" | "mean" | "sum";
}

/** Options of the margin loss of classes. */
export interface MultiMarginOptions {
  /** The power of each difference, 1 or 2. A whole number in [1, 2]. Default 1. */
  readonly p?: number;
  /** The difference at which a loss becomes 0. Default 1. */
  readonly margin?: number;
  /** The weight of each class; `null` for weights of 1. A number >= 0. Default null. */
  readonly weight?: number | readonly number[] | null;
  /** How the losses of the samples become one number: not at all, by their mean or by their sum. Default "mean". */
  readonly reduce?: "none" | "mean" | "sum";
  /** PyTorch's name of `reduce`. */
  readonly reduction?: "none" | "mean" | "sum";
}

/** Options of the loss of several labels. */
export interface MultiSoftOptions {
  /** The weight of each class; `null` for weights of 1. A number >= 0. Default null. */
  readonly weight?: number | readonly number[] | null;
  /** How the losses of the samples become one number: not at all, by their mean or by their sum. Default "mean". */
  readonly reduce?: "none" | "mean" | "sum";
  /** PyTorch's name of `reduce`. */
  readonly reduction?: "none" | "mean" | "sum";
}

/** Options of the triplet loss. */
export interface TripletOptions {
  /** How much farther than the positive the negative has to be. A number > 0. Default 1. */
  readonly margin?: number;
  /** The order of the norm. A number > 0. Default 2. */
  readonly p?: number;
  /** Added to each difference, so that the gradient of a distance of 0 is finite. A number >= 0. Default 1e-6. */
  readonly eps?: number;
  /** Use the distance from the positive to the negative if it is smaller. Default false. */
  readonly swap?: boolean;
  /** How the losses of the samples become one number: not at all, by their mean or by their sum. Default "mean". */
  readonly reduce?: "none" | "mean" | "sum";
  /** PyTorch's name of `reduce`. */
  readonly reduction?: "none" | "mean" | "sum";
}

/** Options of the connectionist temporal classification. */
export interface CtcOptions {
  /** The class that stands for no label. A whole number >= 0. Default 0. */
  readonly blank?: number;
  /** Losses that are infinite, as of inputs shorter than their targets, become 0 with gradients of 0. Default false. */
  readonly zeroinf?: boolean;
  /** PyTorch's name of `zeroinf`. */
  readonly zero_infinity?: boolean;
  /** How the losses of the samples become one number. The mean divides each by the length of its target first. Default "mean". */
  readonly reduce?: "none" | "mean" | "sum";
  /** PyTorch's name of `reduce`. */
  readonly reduction?: "none" | "mean" | "sum";
}

/** The options of each loss, by name. */
export interface LossOptionsOf {
  readonly ce: CrossEntropyOptions;
  readonly nll: ClassLossOptions;
  readonly mse: LossOptions;
  readonly l1: LossOptions;
  readonly smoothl1: SmoothL1Options;
  readonly bce: LossOptions;
  readonly bcewithlogits: LogitLossOptions;
  readonly huber: HuberOptions;
  readonly kl: KlOptions;
  readonly poissonloss: PoissonLossOptions;
  readonly hinge: HingeOptions;
  readonly softmargin: LossOptions;
  readonly multilabel: LossOptions;
  readonly multimargin: MultiMarginOptions;
  readonly multisoft: MultiSoftOptions;
  readonly cosineloss: MarginOptions;
  readonly margin: MarginOptions;
  readonly triplet: TripletOptions;
  readonly ctc: CtcOptions;
}

/** The losses of an output and a target, which a model can have. */
export type ModelLossName =
  | "ce"
  | "nll"
  | "mse"
  | "l1"
  | "smoothl1"
  | "bce"
  | "bcewithlogits"
  | "huber"
  | "kl"
  | "poissonloss"
  | "hinge"
  | "softmargin"
  | "multilabel"
  | "multimargin"
  | "multisoft";
