// Tensor mathematics: comparison.
// Written by `cargo test -p stepwell-session generated` from the table of operations; not to be edited.

import type { TensorHandle } from "../../handle.js";
import type { AnyTensor } from "../../types/objects.js";
import type { OperandData } from "../../types/tensor-data.js";
import { client } from "../client.js";

/**
 * Whether elements are equal. As `torch.eq`. No gradient flows.
 */
export function eq(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function eq(...args: readonly unknown[]): unknown {
  return client.operate("eq", args);
}

/**
 * Whether elements differ. As `torch.ne`. No gradient flows.
 */
export function ne(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function ne(...args: readonly unknown[]): unknown {
  return client.operate("ne", args);
}

/**
 * Whether elements of x are less. As `torch.lt`. No gradient flows.
 */
export function lt(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function lt(...args: readonly unknown[]): unknown {
  return client.operate("lt", args);
}

/**
 * Whether elements of x are less or equal. As `torch.le`. No gradient flows.
 */
export function le(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function le(...args: readonly unknown[]): unknown {
  return client.operate("le", args);
}

/**
 * Whether elements of x are greater. As `torch.gt`. No gradient flows.
 */
export function gt(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function gt(...args: readonly unknown[]): unknown {
  return client.operate("gt", args);
}

/**
 * Whether elements of x are greater or equal. As `torch.ge`. No gradient flows.
 */
export function ge(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function ge(...args: readonly unknown[]): unknown {
  return client.operate("ge", args);
}

/**
 * Whether two tensors have one shape and equal elements. As `torch.equal`. No gradient flows.
 */
export function equal(x: AnyTensor | OperandData, y: AnyTensor | OperandData): boolean;
export function equal(...args: readonly unknown[]): unknown {
  return client.operate("equal", args);
}

/**
 * Whether |x - y| <= atol + rtol |y|; equal infinities are close, and with `nan` NaN and NaN. As `torch.isclose`. No
 * gradient flows. Default: `rtol` 0.00001, `atol` 0.00000001, `nan` false.
 */
export function close(x: AnyTensor | OperandData, y: AnyTensor | OperandData, rtol?: number, atol?: number, nan?: boolean): TensorHandle;
/**
 * Whether |x - y| <= atol + rtol |y|; equal infinities are close, and with `nan` NaN and NaN. As `torch.isclose`. No
 * gradient flows. Default: `rtol` 0.00001, `atol` 0.00000001, `nan` false.
 */
export function close(x: AnyTensor | OperandData, y: AnyTensor | OperandData, options: { readonly rtol?: number; readonly atol?: number; readonly nan?: boolean }): TensorHandle;
export function close(...args: readonly unknown[]): unknown {
  return client.operate("close", args);
}

/**
 * Whether all elements are close: see `close`. As `torch.allclose`. No gradient flows. Default: `rtol` 0.00001,
 * `atol` 0.00000001, `nan` false.
 */
export function allclose(x: AnyTensor | OperandData, y: AnyTensor | OperandData, rtol?: number, atol?: number, nan?: boolean): boolean;
/**
 * Whether all elements are close: see `close`. As `torch.allclose`. No gradient flows. Default: `rtol` 0.00001,
 * `atol` 0.00000001, `nan` false.
 */
export function allclose(x: AnyTensor | OperandData, y: AnyTensor | OperandData, options: { readonly rtol?: number; readonly atol?: number; readonly nan?: boolean }): boolean;
export function allclose(...args: readonly unknown[]): unknown {
  return client.operate("allclose", args);
}

/**
 * Whether elements are NaN. As `torch.isnan`. No gradient flows.
 */
export function nan(x: AnyTensor | OperandData): TensorHandle;
export function nan(...args: readonly unknown[]): unknown {
  return client.operate("nan", args);
}

/**
 * Whether elements are infinite. As `torch.isinf`. No gradient flows.
 */
export function inf(x: AnyTensor | OperandData): TensorHandle;
export function inf(...args: readonly unknown[]): unknown {
  return client.operate("inf", args);
}

/**
 * Whether elements are neither infinite nor NaN. As `torch.isfinite`. No gradient flows.
 */
export function finite(x: AnyTensor | OperandData): TensorHandle;
export function finite(...args: readonly unknown[]): unknown {
  return client.operate("finite", args);
}

/**
 * Whether elements are infinity. As `torch.isposinf`. No gradient flows.
 */
export function posinf(x: AnyTensor | OperandData): TensorHandle;
export function posinf(...args: readonly unknown[]): unknown {
  return client.operate("posinf", args);
}

/**
 * Whether elements are -infinity. As `torch.isneginf`. No gradient flows.
 */
export function neginf(x: AnyTensor | OperandData): TensorHandle;
export function neginf(...args: readonly unknown[]): unknown {
  return client.operate("neginf", args);
}

/**
 * Whether each element of x is an element of y. As `torch.isin`. No gradient flows.
 */
export function isin(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function isin(...args: readonly unknown[]): unknown {
  return client.operate("isin", args);
}
