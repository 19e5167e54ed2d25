// Tensor mathematics: sampling.
// Written by `cargo test -p stepwell-session generated` from the table of operations; not to be edited.

import type { TensorHandle } from "../../handle.js";
import type { AnyTensor } from "../../types/objects.js";
import type { OperandData } from "../../types/tensor-data.js";
import { client } from "../client.js";

/**
 * 1 with the probability that each element is, else 0. As `torch.bernoulli`. No gradient flows.
 */
export function bernoulli(x: AnyTensor | OperandData): TensorHandle;
export function bernoulli(...args: readonly unknown[]): unknown {
  return client.operate("bernoulli", args);
}

/**
 * `n` indices for each row of weights `[*, k]`, drawn in proportion to them. Without `replace` they differ. As
 * `torch.multinomial`. No gradient flows. Default: `n` 1, `replace` false.
 */
export function multinomial(x: AnyTensor | OperandData, n?: number, replace?: boolean): TensorHandle;
/**
 * `n` indices for each row of weights `[*, k]`, drawn in proportion to them. Without `replace` they differ. As
 * `torch.multinomial`. No gradient flows. Default: `n` 1, `replace` false.
 */
export function multinomial(x: AnyTensor | OperandData, options: { readonly n?: number; readonly replace?: boolean }): TensorHandle;
export function multinomial(...args: readonly unknown[]): unknown {
  return client.operate("multinomial", args);
}
