// The settings of a training run.

import { type Device, free, type OptimizerName, type OptionsOf, opt, tensor } from "@stepwell/sdk";

/** How one optimizer trains. */
export interface Settings<Name extends OptimizerName = OptimizerName> {
  readonly optimizer: Name;
  readonly options: OptionsOf[Name];
  readonly schedule: Schedule;
  readonly batch: number;
  readonly epochs: number;
  readonly device: Device;
  readonly seed: number;
}

/** How the learning rate goes: `linear` falls from epoch to epoch, towards 0 after the last one. */
export type Schedule = "constant" | "linear";

/** The settings from the command line; the defaults below fill the rest. */
export interface Wishes {
  readonly batch?: number;
  readonly epochs?: number;
  readonly lr?: number;
  readonly device: Device;
  readonly seed: number;
}

interface Defaults<Name extends OptimizerName> {
  readonly options: OptionsOf[Name] & { readonly lr: number };
  readonly schedule: Schedule;
  readonly batch: number;
  readonly epochs: number;
}

/**
 * Where each optimizer does well on the digits. They differ from the optimizers' own defaults, which suit no task in
 * particular.
 */
export const defaults: { readonly [Name in OptimizerName]?: Defaults<Name> } = {
  // Its sum of squares only grows, so its steps shrink by themselves.
  adagrad: { options: { lr: 0.03 }, schedule: "constant", batch: 128, epochs: 15 },
  adam: { options: { lr: 0.002 }, schedule: "linear", batch: 128, epochs: 15 },
  adamw: { options: { lr: 0.002, decay: 0.1 }, schedule: "linear", batch: 128, epochs: 15 },
  lamb: { options: { lr: 0.01, decay: 0.1 }, schedule: "linear", batch: 128, epochs: 15 },
  // Curvature measured on small batches would be noise: a step sees all training digits, and goes over them often.
  lbfgs: { options: { lr: 1, iter: 5, search: "strong_wolfe" }, schedule: "constant", batch: 8000, epochs: 9 },
  rmsprop: { options: { lr: 0.001 }, schedule: "linear", batch: 128, epochs: 15 },
  sgd: { options: { lr: 0.1, momentum: 0.9 }, schedule: "linear", batch: 128, epochs: 15 },
};

/** For an optimizer without settings for the digits: its default options. */
const untried: Omit<Settings, "optimizer" | "device" | "seed"> = {
  options: {},
  schedule: "linear",
  batch: 128,
  epochs: 15,
};

/** The settings that the wishes leave an optimizer with. */
export function settingsFor(optimizer: OptimizerName, { lr, batch, epochs, device, seed }: Wishes): Settings {
  const { options, ...usual } = defaults[optimizer] ?? untried;
  return {
    optimizer,
    options: lr === undefined ? options : { ...options, lr },
    schedule: usual.schedule,
    batch: batch ?? usual.batch,
    epochs: epochs ?? usual.epochs,
    device,
    seed,
  };
}

/** Lets Stepwell refuse options and devices at once, before any digit is read. */
export function checkSettings({ optimizer, options, device }: Settings): void {
  free(opt(optimizer, options), tensor(0, { device }));
}
