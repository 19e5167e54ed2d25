// Written by `cargo test -p stepwell-optim generated` from the option tables; not to be edited.

/** Adaptive gradient descent: a learning rate for each element. As `torch.optim.Adagrad`. */
export interface AdagradOptions {
  /** Learning rate. A number >= 0. Default 0.01. */
  readonly lr?: number;
  /** Decay of the learning rate with the number of steps. A number >= 0. Default 0. */
  readonly lrdecay?: number;
  /** PyTorch's name of `lrdecay`. */
  readonly lr_decay?: number;
  /** Weight decay, added to the gradient. A number >= 0. Default 0. */
  readonly decay?: number;
  /** PyTorch's name of `decay`. */
  readonly weight_decay?: number;
  /** Initial value of the sum of squared gradients, for each group. A number >= 0. Default 0. */
  readonly init?: number;
  /** PyTorch's name of `init`. */
  readonly initial_accumulator_value?: number;
  /** Added to the denominator. A number >= 0. Default 1e-10. */
  readonly eps?: number;
  /** Maximize instead of minimize: negate the gradient first. Default false. */
  readonly maximize?: boolean;
  /** Keep a moving average of the parameters with this weight of the past; null: none. A number in [0, 1). Default null. */
  readonly average?: number | null;
  /** How to store averages of gradients: in full, or in bfloat16, which takes half of the memory. Sums and averages of squares stay in full. Default "full". */
  readonly moments?: "full" | "bfloat16";
}

/** Adaptive moments: the average gradient over the root of the average squared gradient. As `torch.optim.Adam`. */
export interface AdamOptions {
  /** Learning rate. A number >= 0. Default 0.001. */
  readonly lr?: number;
  /** Decay rate of the average gradient. A number in [0, 1). Default 0.9. */
  readonly beta1?: number;
  /** Decay rate of the average squared gradient. A number in [0, 1). Default 0.999. */
  readonly beta2?: number;
  /** Added to the denominator. A number >= 0. Default 1e-8. */
  readonly eps?: number;
  /** Weight decay, added to the gradient. A number >= 0. Default 0. */
  readonly decay?: number;
  /** PyTorch's name of `decay`. */
  readonly weight_decay?: number;
  /** Divide by the largest average squared gradient so far. Default false. */
  readonly amsgrad?: boolean;
  /** Maximize instead of minimize: negate the gradient first. Default false. */
  readonly maximize?: boolean;
  /** Keep a moving average of the parameters with this weight of the past; null: none. A number in [0, 1). Default null. */
  readonly average?: number | null;
  /** How to store averages of gradients: in full, or in bfloat16, which takes half of the memory. Sums and averages of squares stay in full. Default "full". */
  readonly moments?: "full" | "bfloat16";
  /** PyTorch's name of `beta1` and `beta2`. */
  readonly betas?: readonly [number, number];
}

/** Adam with weight decay that the moments do not see. As `torch.optim.AdamW`. */
export interface AdamWOptions {
  /** Learning rate. A number >= 0. Default 0.001. */
  readonly lr?: number;
  /** Decay rate of the average gradient. A number in [0, 1). Default 0.9. */
  readonly beta1?: number;
  /** Decay rate of the average squared gradient. A number in [0, 1). Default 0.999. */
  readonly beta2?: number;
  /** Added to the denominator. A number >= 0. Default 1e-8. */
  readonly eps?: number;
  /** Weight decay, subtracted from the parameter and not added to the gradient. A number >= 0. Default 0.01. */
  readonly decay?: number;
  /** PyTorch's name of `decay`. */
  readonly weight_decay?: number;
  /** Divide by the largest average squared gradient so far. Default false. */
  readonly amsgrad?: boolean;
  /** Maximize instead of minimize: negate the gradient first. Default false. */
  readonly maximize?: boolean;
  /** Keep a moving average of the parameters with this weight of the past; null: none. A number in [0, 1). Default null. */
  readonly average?: number | null;
  /** How to store averages of gradients: in full, or in bfloat16, which takes half of the memory. Sums and averages of squares stay in full. Default "full". */
  readonly moments?: "full" | "bfloat16";
  /** PyTorch's name of `beta1` and `beta2`. */
  readonly betas?: readonly [number, number];
}

/** Layer-wise adaptive moments for large batches: Adam's update times a trust ratio. */
export interface LAMBOptions {
  /** Learning rate. A number >= 0. Default 0.001. */
  readonly lr?: number;
  /** Decay rate of the average gradient. A number in [0, 1). Default 0.9. */
  readonly beta1?: number;
  /** Decay rate of the average squared gradient. A number in [0, 1). Default 0.999. */
  readonly beta2?: number;
  /** Added to the denominator. A number >= 0. Default 1e-8. */
  readonly eps?: number;
  /** Weight decay, added to the update before the trust ratio. A number >= 0. Default 0. */
  readonly decay?: number;
  /** PyTorch's name of `decay`. */
  readonly weight_decay?: number;
  /** Correct the bias of both averages. Default true. */
  readonly unbiased?: boolean;
  /** PyTorch's name of `unbiased`. */
  readonly bias_correction?: boolean;
  /** Divide the gradients by the norm of the gradients of all groups. Default true. */
  readonly globalnorm?: boolean;
  /** Clip the trust ratio. Default true. */
  readonly trustclip?: boolean;
  /** Smallest trust ratio. A number >= 0. Default 0. */
  readonly trustmin?: number;
  /** Largest trust ratio. A number >= 0. Default 1. */
  readonly trustmax?: number;
  /** With globalnorm, divide the gradients only if that norm is larger, by norm / max_grad_norm. A number > 0. Default null. */
  readonly max_grad_norm?: number | null;
  /** Weight a new gradient by 1 - beta1 in the average; false: by 1. Default true. */
  readonly grad_averaging?: boolean;
  /** Add weight decay to the gradient instead of to the update. Default false. */
  readonly l2?: boolean;
  /** Apply a trust ratio to every tensor; false: only where decay is not 0. Default true. */
  readonly use_nvlamb?: boolean;
  /** Maximize instead of minimize: negate the gradient first. Default false. */
  readonly maximize?: boolean;
  /** Keep a moving average of the parameters with this weight of the past; null: none. A number in [0, 1). Default null. */
  readonly average?: number | null;
  /** How to store averages of gradients: in full, or in bfloat16, which takes half of the memory. Sums and averages of squares stay in full. Default "full". */
  readonly moments?: "full" | "bfloat16";
  /** PyTorch's name of `beta1` and `beta2`. */
  readonly betas?: readonly [number, number];
}

/** Limited-memory BFGS: a quasi-Newton method on all parameters at once; a step needs a closure. As `torch.optim.LBFGS`. */
export interface LBFGSOptions {
  /** Length of a step along the direction, or the first length that the line search tries. A number >= 0. Default 1. */
  readonly lr?: number;
  /** Largest number of iterations of a step. A whole number >= 1. Default 20. */
  readonly iter?: number;
  /** PyTorch's name of `iter`. */
  readonly max_iter?: number;
  /** Largest number of evaluations of the closure in a step; null: iter * 5 / 4. A whole number >= 1. Default null. */
  readonly eval?: number | null;
  /** PyTorch's name of `eval`. */
  readonly max_eval?: number | null;
  /** Stop if no element of the gradient is larger. A number >= 0. Default 1e-7. */
  readonly gradtol?: number;
  /** PyTorch's name of `gradtol`. */
  readonly tolerance_grad?: number;
  /** Stop if neither the loss nor any parameter changes more. A number >= 0. Default 1e-9. */
  readonly changetol?: number;
  /** PyTorch's name of `changetol`. */
  readonly tolerance_change?: number;
  /** Number of past updates that approximate the curvature. A whole number >= 1. Default 100. */
  readonly history?: number;
  /** PyTorch's name of `history`. */
  readonly history_size?: number;
  /** Line search; null: a fixed step length. Default null. */
  readonly search?: "strong_wolfe" | null;
  /** PyTorch's name of `search`. */
  readonly line_search_fn?: "strong_wolfe" | null;
  /** Maximize instead of minimize: negate the loss and its gradient. Default false. */
  readonly maximize?: boolean;
}

/** Adagrad with an exponential average of squared gradients instead of their sum. As `torch.optim.RMSprop`. */
export interface RMSpropOptions {
  /** Learning rate. A number >= 0. Default 0.01. */
  readonly lr?: number;
  /** Decay rate of the average squared gradient. A number >= 0. Default 0.99. */
  readonly alpha?: number;
  /** Added to the denominator. A number >= 0. Default 1e-8. */
  readonly eps?: number;
  /** Weight decay, added to the gradient. A number >= 0. Default 0. */
  readonly decay?: number;
  /** PyTorch's name of `decay`. */
  readonly weight_decay?: number;
  /** Weight of the last update in the next. A number >= 0. Default 0. */
  readonly momentum?: number;
  /** Divide by the standard deviation of the gradient instead of its root mean square. Default false. */
  readonly centered?: boolean;
  /** Maximize instead of minimize: negate the gradient first. Default false. */
  readonly maximize?: boolean;
  /** Keep a moving average of the parameters with this weight of the past; null: none. A number in [0, 1). Default null. */
  readonly average?: number | null;
  /** How to store averages of gradients: in full, or in bfloat16, which takes half of the memory. Sums and averages of squares stay in full. Default "full". */
  readonly moments?: "full" | "bfloat16";
}

/** Stochastic gradient descent, with optional momentum. As `torch.optim.SGD`. */
export interface SGDOptions {
  /** Learning rate. A number >= 0. Default 0.01. */
  readonly lr?: number;
  /** Weight of the last update in the next. A number >= 0. Default 0. */
  readonly momentum?: number;
  /** Part of the gradient that is left out of the momentum. A number >= 0. Default 0. */
  readonly dampening?: number;
  /** Weight decay, added to the gradient. A number >= 0. Default 0. */
  readonly decay?: number;
  /** PyTorch's name of `decay`. */
  readonly weight_decay?: number;
  /** Look one step ahead; needs momentum > 0 and dampening 0. Default false. */
  readonly nesterov?: boolean;
  /** Maximize instead of minimize: negate the gradient first. Default false. */
  readonly maximize?: boolean;
  /** Keep a moving average of the parameters with this weight of the past; null: none. A number in [0, 1). Default null. */
  readonly average?: number | null;
  /** How to store averages of gradients: in full, or in bfloat16, which takes half of the memory. Sums and averages of squares stay in full. Default "full". */
  readonly moments?: "full" | "bfloat16";
}

/** The name of an optimizer. */
export type OptimizerName = "adagrad" | "adam" | "adamw" | "lamb" | "lbfgs" | "rmsprop" | "sgd";

/** The options of an optimizer whose name a program does not state: all options of all optimizers. */
export interface AnyOptions
  extends AdagradOptions,
    AdamOptions,
    AdamWOptions,
    LAMBOptions,
    LBFGSOptions,
    RMSpropOptions,
    SGDOptions {}

/** The options of each optimizer, by name. */
export interface OptionsOf {
  readonly adagrad: AdagradOptions;
  readonly adam: AdamOptions;
  readonly adamw: AdamWOptions;
  readonly lamb: LAMBOptions;
  readonly lbfgs: LBFGSOptions;
  readonly rmsprop: RMSpropOptions;
  readonly sgd: SGDOptions;
}

/** The options of each optimizer, by position. */
export interface PositionalOptionsOf {
  readonly adagrad: [lr: number, lrdecay: number, decay: number, init: number, eps: number];
  readonly adam: [lr: number, beta1: number, beta2: number, eps: number, decay: number, amsgrad: boolean];
  readonly adamw: [lr: number, beta1: number, beta2: number, eps: number, decay: number, amsgrad: boolean];
  readonly lamb: [
    lr: number,
    beta1: number,
    beta2: number,
    eps: number,
    decay: number,
    unbiased: boolean,
    globalnorm: boolean,
    trustclip: boolean,
    trustmin: number,
    trustmax: number,
  ];
  readonly lbfgs: [
    lr: number,
    iter: number,
    eval: number | null,
    gradtol: number,
    changetol: number,
    history: number,
    search: "strong_wolfe" | null,
  ];
  readonly rmsprop: [lr: number, alpha: number, eps: number, decay: number, momentum: number, centered: boolean];
  readonly sgd: [lr: number, momentum: number, dampening: number, decay: number, nesterov: boolean];
}
