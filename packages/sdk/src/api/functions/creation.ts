// Tensor mathematics: creation.
// Written by `cargo test -p stepwell-session generated` from the table of operations; not to be edited.

import type { TensorHandle } from "../../handle.js";
import type { Dtype } from "../../types/arguments.js";
import { client } from "../client.js";

/**
 * Zeros. As `torch.zeros`. No gradient flows.
 */
export function zeros(shape: number | readonly number[], dtype?: Dtype | null): TensorHandle;
/**
 * Zeros. As `torch.zeros`. No gradient flows.
 */
export function zeros(options: { readonly shape: number | readonly number[]; readonly dtype?: Dtype | null }): TensorHandle;
export function zeros(...args: readonly unknown[]): unknown {
  return client.operate("zeros", args);
}

/**
 * Ones. As `torch.ones`. No gradient flows.
 */
export function ones(shape: number | readonly number[], dtype?: Dtype | null): TensorHandle;
/**
 * Ones. As `torch.ones`. No gradient flows.
 */
export function ones(options: { readonly shape: number | readonly number[]; readonly dtype?: Dtype | null }): TensorHandle;
export function ones(...args: readonly unknown[]): unknown {
  return client.operate("ones", args);
}

/**
 * A matrix with ones on its diagonal; `m` columns, by default `n`. As `torch.eye`. No gradient flows.
 */
export function eye(n: number, m?: number | null, dtype?: Dtype | null): TensorHandle;
/**
 * A matrix with ones on its diagonal; `m` columns, by default `n`. As `torch.eye`. No gradient flows.
 */
export function eye(options: { readonly n: number; readonly m?: number | null; readonly dtype?: Dtype | null }): TensorHandle;
export function eye(...args: readonly unknown[]): unknown {
  return client.operate("eye", args);
}

/**
 * Numbers from start up to below end, with a distance of step. Whole numbers become `long`. As `torch.arange`. No
 * gradient flows. Default: `step` 1.
 */
export function arange(start: number, end: number, step?: number, dtype?: Dtype | null): TensorHandle;
/**
 * Numbers from start up to below end, with a distance of step. Whole numbers become `long`. As `torch.arange`. No
 * gradient flows. Default: `step` 1.
 */
export function arange(options: { readonly start: number; readonly end: number; readonly step?: number; readonly dtype?: Dtype | null }): TensorHandle;
export function arange(...args: readonly unknown[]): unknown {
  return client.operate("arange", args);
}

/**
 * `steps` numbers from start to end, at equal distances. As `torch.linspace`. No gradient flows.
 */
export function linspace(start: number, end: number, steps: number, dtype?: Dtype | null): TensorHandle;
/**
 * `steps` numbers from start to end, at equal distances. As `torch.linspace`. No gradient flows.
 */
export function linspace(options: { readonly start: number; readonly end: number; readonly steps: number; readonly dtype?: Dtype | null }): TensorHandle;
export function linspace(...args: readonly unknown[]): unknown {
  return client.operate("linspace", args);
}

/**
 * `steps` powers of a base, with exponents from start to end. As `torch.logspace`. No gradient flows. Default:
 * `base` 10.
 */
export function logspace(start: number, end: number, steps: number, base?: number, dtype?: Dtype | null): TensorHandle;
/**
 * `steps` powers of a base, with exponents from start to end. As `torch.logspace`. No gradient flows. Default:
 * `base` 10.
 */
export function logspace(options: { readonly start: number; readonly end: number; readonly steps: number; readonly base?: number; readonly dtype?: Dtype | null }): TensorHandle;
export function logspace(...args: readonly unknown[]): unknown {
  return client.operate("logspace", args);
}

/**
 * Random numbers, uniform in [0, 1). As `torch.rand`. No gradient flows.
 */
export function rand(shape: number | readonly number[], dtype?: Dtype | null): TensorHandle;
/**
 * Random numbers, uniform in [0, 1). As `torch.rand`. No gradient flows.
 */
export function rand(options: { readonly shape: number | readonly number[]; readonly dtype?: Dtype | null }): TensorHandle;
export function rand(...args: readonly unknown[]): unknown {
  return client.operate("rand", args);
}

/**
 * Random numbers of the standard normal distribution. As `torch.randn`. No gradient flows.
 */
export function randn(shape: number | readonly number[], dtype?: Dtype | null): TensorHandle;
/**
 * Random numbers of the standard normal distribution. As `torch.randn`. No gradient flows.
 */
export function randn(options: { readonly shape: number | readonly number[]; readonly dtype?: Dtype | null }): TensorHandle;
export function randn(...args: readonly unknown[]): unknown {
  return client.operate("randn", args);
}

/**
 * Random whole numbers from low up to below high, of `long` unless a dtype is given. As `torch.randint`. No gradient
 * flows.
 */
export function randint(low: number, high: number, shape: number | readonly number[], dtype?: Dtype | null): TensorHandle;
/**
 * Random whole numbers from low up to below high, of `long` unless a dtype is given. As `torch.randint`. No gradient
 * flows.
 */
export function randint(options: { readonly low: number; readonly high: number; readonly shape: number | readonly number[]; readonly dtype?: Dtype | null }): TensorHandle;
export function randint(...args: readonly unknown[]): unknown {
  return client.operate("randint", args);
}
