// The optimizers that are timed, with PyTorch's names for their options, which Stepwell understands too.

export interface Optimizer {
  /** Stands in results and on the command line. */
  readonly name: string;
  readonly optimizer: "adam" | "adamw" | "sgd" | "rmsprop" | "adagrad" | "lamb";
  readonly options: Readonly<Record<string, number | boolean>>;
  /** Bytes that a step must at least move for each float32 parameter: its own, the gradient's and the state's. */
  readonly bytes: number;
}

const lr = 1e-3;
const adamOptions = { lr, eps: 1e-8 };
const rmspropOptions = { lr, eps: 1e-8 };

export const adam: Optimizer = { name: "adam", optimizer: "adam", options: adamOptions, bytes: 28 };
/** NVIDIA's LAMB. Gradient, parameter and both moments are read again once the norms are known. */
export const lamb: Optimizer = {
  name: "lamb",
  optimizer: "lamb",
  options: { lr, eps: 1e-6, weight_decay: 0.01, max_grad_norm: 1, trustclip: false },
  bytes: 44,
};

export const optimizers: readonly Optimizer[] = [
  adam,
  { name: "adamw", optimizer: "adamw", options: { ...adamOptions, weight_decay: 0.01 }, bytes: 28 },
  { name: "amsgrad", optimizer: "adam", options: { ...adamOptions, amsgrad: true }, bytes: 36 },
  { name: "sgd", optimizer: "sgd", options: { lr }, bytes: 12 },
  { name: "momentum", optimizer: "sgd", options: { lr, momentum: 0.9 }, bytes: 20 },
  { name: "rmsprop", optimizer: "rmsprop", options: rmspropOptions, bytes: 20 },
  {
    name: "rmsprop-centered-momentum",
    optimizer: "rmsprop",
    options: { ...rmspropOptions, centered: true, momentum: 0.9 },
    bytes: 36,
  },
  { name: "adagrad", optimizer: "adagrad", options: { lr, eps: 1e-10 }, bytes: 20 },
  lamb,
];

/** Optimizers for which PyTorch has a fused CPU kernel. */
export const fusedInPyTorch: readonly string[] = ["adam", "adamw", "sgd", "adagrad"];
