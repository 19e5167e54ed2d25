// Written by `cargo test -p stepwell-optim --test generated` from the option tables; not to be edited.

import type { OptionTable } from "../options.js";

/** The options of each optimizer, in positional order. */
export const optionTables = {
  adagrad: {
    about: "Adaptive gradient descent: a learning rate for each element.",
    needsClosure: false,
    rows: [
      { name: "lr", doc: "Learning rate.", kind: "number", limit: { low: 0 }, initial: 0.01 },
      { name: "lrdecay", doc: "How fast the learning rate falls with the number of steps.", kind: "number", limit: { low: 0 }, initial: 0 },
      { name: "decay", doc: "Weight decay, added to the gradient.", kind: "number", limit: { low: 0 }, initial: 0 },
      { name: "init", doc: "What the sum of squared gradients starts with.", kind: "number", limit: { low: 0 }, initial: 0 },
      { name: "eps", doc: "Added to the denominator.", kind: "number", limit: { low: 0 }, initial: 1e-10 },
      { name: "maximize", doc: "Climb instead of descend: the gradient is negated before anything else.", kind: "flag", further: true, initial: false },
    ],
  },
  adam: {
    about: "Adaptive moments: the average gradient over the root of the average squared gradient.",
    needsClosure: false,
    rows: [
      { name: "lr", doc: "Learning rate.", kind: "number", limit: { low: 0 }, initial: 0.001 },
      { name: "beta1", doc: "Share of the past in the average gradient.", kind: "number", limit: { low: 0, high: 1, highExcluded: true }, initial: 0.9 },
      { name: "beta2", doc: "Share of the past in the average squared gradient.", kind: "number", limit: { low: 0, high: 1, highExcluded: true }, initial: 0.999 },
      { name: "eps", doc: "Added to the denominator.", kind: "number", limit: { low: 0 }, initial: 1e-8 },
      { name: "decay", doc: "Weight decay, added to the gradient.", kind: "number", limit: { low: 0 }, initial: 0 },
      { name: "amsgrad", doc: "Divide by the largest average squared gradient so far.", kind: "flag", initial: false },
      { name: "maximize", doc: "Climb instead of descend: the gradient is negated before anything else.", kind: "flag", further: true, initial: false },
    ],
  },
  adamw: {
    about: "Adam with weight decay that the moments do not see.",
    needsClosure: false,
    rows: [
      { name: "lr", doc: "Learning rate.", kind: "number", limit: { low: 0 }, initial: 0.001 },
      { name: "beta1", doc: "Share of the past in the average gradient.", kind: "number", limit: { low: 0, high: 1, highExcluded: true }, initial: 0.9 },
      { name: "beta2", doc: "Share of the past in the average squared gradient.", kind: "number", limit: { low: 0, high: 1, highExcluded: true }, initial: 0.999 },
      { name: "eps", doc: "Added to the denominator.", kind: "number", limit: { low: 0 }, initial: 1e-8 },
      { name: "decay", doc: "Weight decay, taken from the parameter and not from the gradient.", kind: "number", limit: { low: 0 }, initial: 0.01 },
      { name: "amsgrad", doc: "Divide by the largest average squared gradient so far.", kind: "flag", initial: false },
      { name: "maximize", doc: "Climb instead of descend: the gradient is negated before anything else.", kind: "flag", further: true, initial: false },
    ],
  },
  lamb: {
    about: "Layer-wise adaptive moments for large batches: Adam's update times a trust ratio.",
    needsClosure: false,
    rows: [
      { name: "lr", doc: "Learning rate.", kind: "number", limit: { low: 0 }, initial: 0.001 },
      { name: "beta1", doc: "Share of the past in the average gradient.", kind: "number", limit: { low: 0, high: 1, highExcluded: true }, initial: 0.9 },
      { name: "beta2", doc: "Share of the past in the average squared gradient.", kind: "number", limit: { low: 0, high: 1, highExcluded: true }, initial: 0.999 },
      { name: "eps", doc: "Added to the denominator.", kind: "number", limit: { low: 0 }, initial: 1e-8 },
      { name: "decay", doc: "Weight decay, added to the update before the trust ratio is taken.", kind: "number", limit: { low: 0 }, initial: 0 },
      { name: "unbiased", doc: "Correct the averages for their start at zero.", kind: "flag", initial: true },
      { name: "globalnorm", doc: "Divide the gradients by the norm of all gradients of all groups.", kind: "flag", initial: true },
      { name: "trustclip", doc: "Clip the trust ratio.", kind: "flag", initial: true },
      { name: "trustmin", doc: "Smallest trust ratio.", kind: "number", limit: { low: 0 }, initial: 0 },
      { name: "trustmax", doc: "Largest trust ratio.", kind: "number", limit: { low: 0 }, initial: 1 },
      { name: "max_grad_norm", doc: "With globalnorm, divide the gradients only where that norm is larger than this, by norm / max_grad_norm.", kind: "number", limit: { low: 0, lowExcluded: true }, nullable: true, further: true, initial: null },
      { name: "grad_averaging", doc: "Weigh a new gradient in the average by 1 - beta1; false: by 1.", kind: "flag", further: true, initial: true },
      { name: "l2", doc: "Add weight decay to the gradient instead of to the update.", kind: "flag", further: true, initial: false },
      { name: "use_nvlamb", doc: "Take the trust ratio of every tensor; false: not where decay is 0, which moves at the learning rate.", kind: "flag", further: true, initial: true },
      { name: "maximize", doc: "Climb instead of descend: the gradient is negated before anything else.", kind: "flag", further: true, initial: false },
    ],
  },
  lbfgs: {
    about: "Limited-memory BFGS: a quasi-Newton method on all parameters at once; a step needs a closure.",
    needsClosure: true,
    rows: [
      { name: "lr", doc: "Length of a step along the direction, or the first one tried by the line search.", kind: "number", limit: { low: 0 }, initial: 1 },
      { name: "iter", doc: "Most iterations of a step.", kind: "integer", limit: { low: 1 }, initial: 20 },
      { name: "eval", doc: "Most evaluations of the closure in a step; null stands for iter * 5 / 4.", kind: "integer", limit: { low: 1 }, nullable: true, initial: null },
      { name: "gradtol", doc: "Stop when no element of the gradient is larger.", kind: "number", limit: { low: 0 }, initial: 1e-7 },
      { name: "changetol", doc: "Stop when neither the loss nor any parameter changes more.", kind: "number", limit: { low: 0 }, initial: 1e-9 },
      { name: "history", doc: "How many past updates the curvature is made of.", kind: "integer", limit: { low: 1 }, initial: 100 },
      { name: "search", doc: "Line search; null for a fixed step length.", kind: "word", words: ["strong_wolfe"], nullable: true, initial: null },
      { name: "maximize", doc: "Climb instead of descend: the loss and its gradient are negated.", kind: "flag", further: true, initial: false },
    ],
  },
  rmsprop: {
    about: "Adagrad with an exponential average of squared gradients instead of their sum.",
    needsClosure: false,
    rows: [
      { name: "lr", doc: "Learning rate.", kind: "number", limit: { low: 0 }, initial: 0.01 },
      { name: "alpha", doc: "Share of the past in the average of squared gradients.", kind: "number", limit: { low: 0 }, initial: 0.99 },
      { name: "eps", doc: "Added to the denominator.", kind: "number", limit: { low: 0 }, initial: 1e-8 },
      { name: "decay", doc: "Weight decay, added to the gradient.", kind: "number", limit: { low: 0 }, initial: 0 },
      { name: "momentum", doc: "Share of the last update in the next.", kind: "number", limit: { low: 0 }, initial: 0 },
      { name: "centered", doc: "Divide by the standard deviation of the gradient instead of its root mean square.", kind: "flag", initial: false },
      { name: "maximize", doc: "Climb instead of descend: the gradient is negated before anything else.", kind: "flag", further: true, initial: false },
    ],
  },
  sgd: {
    about: "Stochastic gradient descent, with optional momentum.",
    needsClosure: false,
    rows: [
      { name: "lr", doc: "Learning rate.", kind: "number", limit: { low: 0 }, initial: 0.01 },
      { name: "momentum", doc: "Share of the last update in the next.", kind: "number", limit: { low: 0 }, initial: 0 },
      { name: "dampening", doc: "Share of the gradient that momentum leaves out.", kind: "number", limit: { low: 0 }, initial: 0 },
      { name: "decay", doc: "Weight decay, added to the gradient.", kind: "number", limit: { low: 0 }, initial: 0 },
      { name: "nesterov", doc: "Look one step ahead; needs momentum > 0 and dampening 0.", kind: "flag", initial: false },
      { name: "maximize", doc: "Climb instead of descend: the gradient is negated before anything else.", kind: "flag", further: true, initial: false },
    ],
  },
} as const satisfies { readonly [optimizer: string]: OptionTable };
