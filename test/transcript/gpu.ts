// The page moves modules to a GPU. This file alone decides what happens on a machine without one.

import { match, deepStrictEqual as same } from "node:assert/strict";
import * as sdk from "@stepwell/sdk";
import type { Sdk } from "./line.js";

/** The page's `cuda`: the GPU, or the CPU on a machine without one. */
export const cuda: sdk.Device = sdk.cudaStatus().available ? "cuda" : "cpu";

/**
 * The page's line `to(m; cuda)`. On a machine without a GPU it fails with an error that names what is missing, and changes nothing.
 * The module then goes to the CPU instead.
 */
export function toGpu(k: Sdk, m: sdk.ModuleHandle): void {
  if (cuda === "cpu") refused(k, m);
  k.to(m, cuda);
}

function refused(k: Sdk, m: sdk.ModuleHandle): void {
  const before = k.state(m);
  let error: unknown;
  try {
    k.to(m, "cuda");
  } catch (thrown) {
    error = thrown;
  }
  const { code, message } = (error ?? {}) as Partial<sdk.StepwellError>;
  same(code, "ERR_DEVICE");
  match(message ?? "", /^to: device cuda:0 cannot be used: ./);
  const { missing, remedy } = sdk.cudaStatus();
  if (sdk.engine === "native") same(message?.includes(`${missing}. ${remedy}`), true, message);
  same(k.state(m), before);
}
