// The configuration of a run: everything that makes it again, except for the data itself.

import type { DataFiles } from "../data/read-samples.js";
import type { ModelSource } from "../model/model-file.js";

/** Files of data with the hash of their content. */
export interface HashedFiles extends DataFiles {
  /** SHA-256 of the files in order, in hexadecimal digits. */
  readonly sha256: string;
}

/** The configuration of a run as plain JSON. Paths are relative to the folder of the run's file. */
export interface RunConfiguration {
  /** The version of this format. */
  readonly version: 1;
  readonly data: HashedFiles;
  readonly features: readonly string[] | null;
  readonly target: readonly string[] | null;
  /** A share of the samples in (0, 1), files of their own, or nothing. */
  readonly validation: number | HashedFiles | null;
  /** Whether inputs get a mean of 0 and a deviation of 1. */
  readonly scale: boolean;
  readonly model: ModelSource;
  readonly loss: { readonly name: string; readonly options: object };
  readonly optimizer: { readonly name: string; readonly options: object };
  readonly schedule: object | null;
  /** Options of `train`. */
  readonly training: {
    readonly batchsize: number;
    readonly shuffle: boolean;
    readonly accumulate: number;
    readonly clipnorm: number | null;
  };
  readonly epochs: number;
  /** Epochs without a smaller loss after which the training ends. */
  readonly patience: number | null;
  readonly seed: number;
  readonly device: string;
}
