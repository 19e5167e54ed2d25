// The page moves modules to a GPU. This file alone decides what happens on a machine without one.

import * as k from "@stepwell/sdk";

function hasGpu(): boolean {
  try {
    k.free(k.tensor(0, "cuda"));
    return true;
  } catch {
    return false;
  }
}

/** The page's `cuda`: the GPU, or the CPU on a machine without one. */
export const cuda: k.Device = hasGpu() ? "cuda" : "cpu";
