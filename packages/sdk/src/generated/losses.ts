// Written by `cargo test -p stepwell-session generated` from the tables of losses; not to be edited.

/** Options of most losses. */
export interface LossOptions {
  /** How the losses of the elements become one number: not at all, by their mean or by their sum. Default "mean". */
  readonly reduce?: "none" | "mean" | "sum";
  /** PyTorch's name of `reduce`. */
  readonly reduction?: "none" | "mean" | "sum";
}

/** Options of the losses of classes. */
export interface ClassLossOptions {
  /** A class that the loss and its mean ignore. It need not exist. Default -100. */
  readonly ignore?: number;
  /** PyTorch's name of `ignore`. */
  readonly ignore_index?: number;
  /** How the losses of the elements become one number: not at all, by their mean or by their sum. Default "mean". */
  readonly reduce?: "none" | "mean" | "sum";
  /** PyTorch's name of `reduce`. */
  readonly reduction?: "none" | "mean" | "sum";
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

/** The options of each loss, by name. */
export interface LossOptionsOf {
  readonly ce: ClassLossOptions;
  readonly nll: ClassLossOptions;
  readonly mse: LossOptions;
  readonly l1: LossOptions;
  readonly smoothl1: SmoothL1Options;
  readonly bce: LossOptions;
  readonly bcewithlogits: LossOptions;
}
