// Written by `cargo test -p stepwell-optim generated` from the option tables; not to be edited.

/** Methods that set options of `adagrad`. */
export interface AdagradSetters {
  /** Learning rate. A number >= 0. Default 0.01. */
  lr(value: number): this;
  /** Decay of the learning rate with the number of steps. A number >= 0. Default 0. */
  lrdecay(value: number): this;
  /** PyTorch's name of `lrdecay`. */
  lr_decay(value: number): this;
  /** Weight decay, added to the gradient. A number >= 0. Default 0. */
  decay(value: number): this;
  /** PyTorch's name of `decay`. */
  weight_decay(value: number): this;
  /** Initial value of the sum of squared gradients, for each group. A number >= 0. Default 0. */
  init(value: number): this;
  /** PyTorch's name of `init`. */
  initial_accumulator_value(value: number): this;
  /** Added to the denominator. A number >= 0. Default 1e-10. */
  eps(value: number): this;
  /** Maximize instead of minimize: negate the gradient first. Default false. */
  maximize(value?: boolean): this;
  /** Keep a moving average of the parameters with this weight of the past; null: none. A number in [0, 1). Default null. */
  average(value: number | null): this;
  /** How to store averages of gradients: in full, or in bfloat16, which takes half of the memory. Sums and averages of squares stay in full. Default "full". */
  moments(value: "full" | "bfloat16"): this;
}

/** Methods that set options of `adam`. */
export interface AdamSetters {
  /** Learning rate. A number >= 0. Default 0.001. */
  lr(value: number): this;
  /** Decay rate of the average gradient. A number in [0, 1). Default 0.9. */
  beta1(value: number): this;
  /** Decay rate of the average squared gradient. A number in [0, 1). Default 0.999. */
  beta2(value: number): this;
  /** Added to the denominator. A number >= 0. Default 1e-8. */
  eps(value: number): this;
  /** Weight decay, added to the gradient. A number >= 0. Default 0. */
  decay(value: number): this;
  /** PyTorch's name of `decay`. */
  weight_decay(value: number): this;
  /** Divide by the largest average squared gradient so far. Default false. */
  amsgrad(value?: boolean): this;
  /** Maximize instead of minimize: negate the gradient first. Default false. */
  maximize(value?: boolean): this;
  /** Keep a moving average of the parameters with this weight of the past; null: none. A number in [0, 1). Default null. */
  average(value: number | null): this;
  /** How to store averages of gradients: in full, or in bfloat16, which takes half of the memory. Sums and averages of squares stay in full. Default "full". */
  moments(value: "full" | "bfloat16"): this;
  /** PyTorch's name of `beta1` and `beta2`. */
  betas(value: readonly [number, number]): this;
}

/** Methods that set options of `adamw`. */
export interface AdamWSetters {
  /** Learning rate. A number >= 0. Default 0.001. */
  lr(value: number): this;
  /** Decay rate of the average gradient. A number in [0, 1). Default 0.9. */
  beta1(value: number): this;
  /** Decay rate of the average squared gradient. A number in [0, 1). Default 0.999. */
  beta2(value: number): this;
  /** Added to the denominator. A number >= 0. Default 1e-8. */
  eps(value: number): this;
  /** Weight decay, subtracted from the parameter and not added to the gradient. A number >= 0. Default 0.01. */
  decay(value: number): this;
  /** PyTorch's name of `decay`. */
  weight_decay(value: number): this;
  /** Divide by the largest average squared gradient so far. Default false. */
  amsgrad(value?: boolean): this;
  /** Maximize instead of minimize: negate the gradient first. Default false. */
  maximize(value?: boolean): this;
  /** Keep a moving average of the parameters with this weight of the past; null: none. A number in [0, 1). Default null. */
  average(value: number | null): this;
  /** How to store averages of gradients: in full, or in bfloat16, which takes half of the memory. Sums and averages of squares stay in full. Default "full". */
  moments(value: "full" | "bfloat16"): this;
  /** PyTorch's name of `beta1` and `beta2`. */
  betas(value: readonly [number, number]): this;
}

/** Methods that set options of `lamb`. */
export interface LAMBSetters {
  /** Learning rate. A number >= 0. Default 0.001. */
  lr(value: number): this;
  /** Decay rate of the average gradient. A number in [0, 1). Default 0.9. */
  beta1(value: number): this;
  /** Decay rate of the average squared gradient. A number in [0, 1). Default 0.999. */
  beta2(value: number): this;
  /** Added to the denominator. A number >= 0. Default 1e-8. */
  eps(value: number): this;
  /** Weight decay, added to the update before the trust ratio. A number >= 0. Default 0. */
  decay(value: number): this;
  /** PyTorch's name of `decay`. */
  weight_decay(value: number): this;
  /** Correct the bias of both averages. Default true. */
  unbiased(value?: boolean): this;
  /** PyTorch's name of `unbiased`. */
  bias_correction(value?: boolean): this;
  /** Divide the gradients by the norm of the gradients of all groups. Default true. */
  globalnorm(value?: boolean): this;
  /** Clip the trust ratio. Default true. */
  trustclip(value?: boolean): this;
  /** Smallest trust ratio. A number >= 0. Default 0. */
  trustmin(value: number): this;
  /** Largest trust ratio. A number >= 0. Default 1. */
  trustmax(value: number): this;
  /** With globalnorm, divide the gradients only if that norm is larger, by norm / max_grad_norm. A number > 0. Default null. */
  max_grad_norm(value: number | null): this;
  /** Weight a new gradient by 1 - beta1 in the average; false: by 1. Default true. */
  grad_averaging(value?: boolean): this;
  /** Add weight decay to the gradient instead of to the update. Default false. */
  l2(value?: boolean): this;
  /** Apply a trust ratio to every tensor; false: only where decay is not 0. Default true. */
  use_nvlamb(value?: boolean): this;
  /** Maximize instead of minimize: negate the gradient first. Default false. */
  maximize(value?: boolean): this;
  /** Keep a moving average of the parameters with this weight of the past; null: none. A number in [0, 1). Default null. */
  average(value: number | null): this;
  /** How to store averages of gradients: in full, or in bfloat16, which takes half of the memory. Sums and averages of squares stay in full. Default "full". */
  moments(value: "full" | "bfloat16"): this;
  /** PyTorch's name of `beta1` and `beta2`. */
  betas(value: readonly [number, number]): this;
}

/** Methods that set options of `lbfgs`. */
export interface LBFGSSetters {
  /** Length of a step along the direction, or the first length that the line search tries. A number >= 0. Default 1. */
  lr(value: number): this;
  /** Largest number of iterations of a step. A whole number >= 1. Default 20. */
  iter(value: number): this;
  /** PyTorch's name of `iter`. */
  max_iter(value: number): this;
  /** Largest number of evaluations of the closure in a step; null: iter * 5 / 4. A whole number >= 1. Default null. */
  eval(value: number | null): this;
  /** PyTorch's name of `eval`. */
  max_eval(value: number | null): this;
  /** Stop if no element of the gradient is larger. A number >= 0. Default 1e-7. */
  gradtol(value: number): this;
  /** PyTorch's name of `gradtol`. */
  tolerance_grad(value: number): this;
  /** Stop if neither the loss nor any parameter changes more. A number >= 0. Default 1e-9. */
  changetol(value: number): this;
  /** PyTorch's name of `changetol`. */
  tolerance_change(value: number): this;
  /** Number of past updates that approximate the curvature. A whole number >= 1. Default 100. */
  history(value: number): this;
  /** PyTorch's name of `history`. */
  history_size(value: number): this;
  /** Line search; null: a fixed step length. Default null. */
  search(value: "strong_wolfe" | null): this;
  /** PyTorch's name of `search`. */
  line_search_fn(value: "strong_wolfe" | null): this;
  /** Maximize instead of minimize: negate the loss and its gradient. Default false. */
  maximize(value?: boolean): this;
}

/** Methods that set options of `rmsprop`. */
export interface RMSpropSetters {
  /** Learning rate. A number >= 0. Default 0.01. */
  lr(value: number): this;
  /** Decay rate of the average squared gradient. A number >= 0. Default 0.99. */
  alpha(value: number): this;
  /** Added to the denominator. A number >= 0. Default 1e-8. */
  eps(value: number): this;
  /** Weight decay, added to the gradient. A number >= 0. Default 0. */
  decay(value: number): this;
  /** PyTorch's name of `decay`. */
  weight_decay(value: number): this;
  /** Weight of the last update in the next. A number >= 0. Default 0. */
  momentum(value: number): this;
  /** Divide by the standard deviation of the gradient instead of its root mean square. Default false. */
  centered(value?: boolean): this;
  /** Maximize instead of minimize: negate the gradient first. Default false. */
  maximize(value?: boolean): this;
  /** Keep a moving average of the parameters with this weight of the past; null: none. A number in [0, 1). Default null. */
  average(value: number | null): this;
  /** How to store averages of gradients: in full, or in bfloat16, which takes half of the memory. Sums and averages of squares stay in full. Default "full". */
  moments(value: "full" | "bfloat16"): this;
}

/** Methods that set options of `sgd`. */
export interface SGDSetters {
  /** Learning rate. A number >= 0. Default 0.01. */
  lr(value: number): this;
  /** Weight of the last update in the next. A number >= 0. Default 0. */
  momentum(value: number): this;
  /** Part of the gradient that is left out of the momentum. A number >= 0. Default 0. */
  dampening(value: number): this;
  /** Weight decay, added to the gradient. A number >= 0. Default 0. */
  decay(value: number): this;
  /** PyTorch's name of `decay`. */
  weight_decay(value: number): this;
  /** Look one step ahead; needs momentum > 0 and dampening 0. Default false. */
  nesterov(value?: boolean): this;
  /** Maximize instead of minimize: negate the gradient first. Default false. */
  maximize(value?: boolean): this;
  /** Keep a moving average of the parameters with this weight of the past; null: none. A number in [0, 1). Default null. */
  average(value: number | null): this;
  /** How to store averages of gradients: in full, or in bfloat16, which takes half of the memory. Sums and averages of squares stay in full. Default "full". */
  moments(value: "full" | "bfloat16"): this;
}

/** The methods that set options of each optimizer, by name. */
export interface SettersOf {
  readonly adagrad: AdagradSetters;
  readonly adam: AdamSetters;
  readonly adamw: AdamWSetters;
  readonly lamb: LAMBSetters;
  readonly lbfgs: LBFGSSetters;
  readonly rmsprop: RMSpropSetters;
  readonly sgd: SGDSetters;
}
