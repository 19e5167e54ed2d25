import type { Libtorch } from "./libtorch.js";

/** The libtorch that this process has loaded. */
export const libtorch: Readonly<Libtorch> & {
  /** "loaded", or the reason why the CUDA library of libtorch was not loaded. */
  readonly cuda: string;
  /** The library by which processes exchange tensors of GPUs; null if there is none. No GPU has run it yet. */
  readonly nccl: string | null;
};

/** Opens a session. Its type is stated once, by the SDK, which is the only caller. */
export function open(): unknown;
