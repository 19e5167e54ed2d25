// What a run is trained with.

import type { Device, OptimizerName, OptionsOf } from "@stepwell/sdk";

/** How one optimizer trains. */
export interface Settings<Name extends OptimizerName = OptimizerName> {
  readonly optimizer: Name;
  readonly options: OptionsOf[Name];
  readonly batch: number;
  readonly epochs: number;
  readonly device: Device;
  readonly seed: number;
}

/** What was asked for on the command line; the defaults below fill the rest. */
export interface Wishes {
  readonly batch?: number;
  readonly epochs?: number;
  readonly lr?: number;
  readonly device: Device;
  readonly seed: number;
}

interface Defaults<Name extends OptimizerName> {
  readonly options: OptionsOf[Name] & { readonly lr: number };
  readonly batch: number;
  readonly epochs: number;
}

/** Where each optimizer does well on the digits: not the optimizers' own defaults, which suit no task in particular. */
export const defaults: { readonly [Name in OptimizerName]: Defaults<Name> } = {
  adagrad: { options: { lr: 0.02 }, batch: 64, epochs: 12 },
  adam: { options: { lr: 0.001 }, batch: 64, epochs: 12 },
  adamw: { options: { lr: 0.001, decay: 0.05 }, batch: 64, epochs: 12 },
  lamb: { options: { lr: 0.01, decay: 0.02 }, batch: 64, epochs: 12 },
  // Curvature from small batches would be noise, so a step sees all training digits; it goes over them many times.
  lbfgs: { options: { lr: 1, iter: 10, search: "strong_wolfe" }, batch: 8000, epochs: 10 },
  rmsprop: { options: { lr: 0.0005 }, batch: 64, epochs: 12 },
  sgd: { options: { lr: 0.05, momentum: 0.9 }, batch: 64, epochs: 12 },
};

export function settingsFor(optimizer: OptimizerName, { lr, batch, epochs, device, seed }: Wishes): Settings {
  const usual = defaults[optimizer];
  return {
    optimizer,
    options: lr === undefined ? usual.options : { ...usual.options, lr },
    batch: batch ?? usual.batch,
    epochs: epochs ?? usual.epochs,
    device,
    seed,
  };
}
