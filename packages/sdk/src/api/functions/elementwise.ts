// Tensor mathematics: elementwise.
// Written by `cargo test -p stepwell-session generated` from the table of operations; not to be edited.

import type { TensorHandle } from "../../handle.js";
import type { Dtype } from "../../types/arguments.js";
import type { AnyTensor } from "../../types/objects.js";
import type { OperandData } from "../../types/tensor-data.js";
import { client } from "../client.js";

/**
 * Absolute value. As `torch.abs`.
 */
export function abs(x: AnyTensor | OperandData): TensorHandle;
export function abs(...args: readonly unknown[]): unknown {
  return client.operate("abs", args);
}

/**
 * Negation. As `torch.negative`.
 */
export function neg(x: AnyTensor | OperandData): TensorHandle;
export function neg(...args: readonly unknown[]): unknown {
  return client.operate("neg", args);
}

/**
 * -1, 0 or 1 by the sign of each element; 0 for NaN. As `torch.sgn`.
 */
export function sign(x: AnyTensor | OperandData): TensorHandle;
export function sign(...args: readonly unknown[]): unknown {
  return client.operate("sign", args);
}

/**
 * The least whole number that is not smaller. As `torch.ceil`.
 */
export function ceil(x: AnyTensor | OperandData): TensorHandle;
export function ceil(...args: readonly unknown[]): unknown {
  return client.operate("ceil", args);
}

/**
 * The greatest whole number that is not larger. As `torch.floor`.
 */
export function floor(x: AnyTensor | OperandData): TensorHandle;
export function floor(...args: readonly unknown[]): unknown {
  return client.operate("floor", args);
}

/**
 * The nearest whole number, in a tie the even one. As `torch.round`.
 */
export function round(x: AnyTensor | OperandData): TensorHandle;
export function round(...args: readonly unknown[]): unknown {
  return client.operate("round", args);
}

/**
 * The whole part. As `torch.fix`.
 */
export function trunc(x: AnyTensor | OperandData): TensorHandle;
export function trunc(...args: readonly unknown[]): unknown {
  return client.operate("trunc", args);
}

/**
 * The part after the point, with the sign of the element. As `torch.frac`.
 */
export function frac(x: AnyTensor | OperandData): TensorHandle;
export function frac(...args: readonly unknown[]): unknown {
  return client.operate("frac", args);
}

/**
 * The square root; NaN for a negative element. As `torch.sqrt`.
 */
export function sqrt(x: AnyTensor | OperandData): TensorHandle;
export function sqrt(...args: readonly unknown[]): unknown {
  return client.operate("sqrt", args);
}

/**
 * One over the square root. As `torch.rsqrt`.
 */
export function rsqrt(x: AnyTensor | OperandData): TensorHandle;
export function rsqrt(...args: readonly unknown[]): unknown {
  return client.operate("rsqrt", args);
}

/**
 * The square. As `torch.square`.
 */
export function square(x: AnyTensor | OperandData): TensorHandle;
export function square(...args: readonly unknown[]): unknown {
  return client.operate("square", args);
}

/**
 * The exponential function. As `torch.exp`.
 */
export function exp(x: AnyTensor | OperandData): TensorHandle;
export function exp(...args: readonly unknown[]): unknown {
  return client.operate("exp", args);
}

/**
 * exp(x) - 1, precise near 0. As `torch.special.expm1`.
 */
export function expm1(x: AnyTensor | OperandData): TensorHandle;
export function expm1(...args: readonly unknown[]): unknown {
  return client.operate("expm1", args);
}

/**
 * The natural logarithm. As `torch.log`.
 */
export function log(x: AnyTensor | OperandData): TensorHandle;
export function log(...args: readonly unknown[]): unknown {
  return client.operate("log", args);
}

/**
 * log(1 + x), precise near 0. As `torch.log1p`.
 */
export function log1p(x: AnyTensor | OperandData): TensorHandle;
export function log1p(...args: readonly unknown[]): unknown {
  return client.operate("log1p", args);
}

/**
 * The logarithm to base 2. As `torch.log2`.
 */
export function log2(x: AnyTensor | OperandData): TensorHandle;
export function log2(...args: readonly unknown[]): unknown {
  return client.operate("log2", args);
}

/**
 * The logarithm to base 10. As `torch.log10`.
 */
export function log10(x: AnyTensor | OperandData): TensorHandle;
export function log10(...args: readonly unknown[]): unknown {
  return client.operate("log10", args);
}

/**
 * The sine. As `torch.sin`.
 */
export function sin(x: AnyTensor | OperandData): TensorHandle;
export function sin(...args: readonly unknown[]): unknown {
  return client.operate("sin", args);
}

/**
 * The cosine. As `torch.cos`.
 */
export function cos(x: AnyTensor | OperandData): TensorHandle;
export function cos(...args: readonly unknown[]): unknown {
  return client.operate("cos", args);
}

/**
 * The tangent. As `torch.tan`.
 */
export function tan(x: AnyTensor | OperandData): TensorHandle;
export function tan(...args: readonly unknown[]): unknown {
  return client.operate("tan", args);
}

/**
 * The inverse sine. As `torch.asin`.
 */
export function asin(x: AnyTensor | OperandData): TensorHandle;
export function asin(...args: readonly unknown[]): unknown {
  return client.operate("asin", args);
}

/**
 * The inverse cosine. As `torch.acos`.
 */
export function acos(x: AnyTensor | OperandData): TensorHandle;
export function acos(...args: readonly unknown[]): unknown {
  return client.operate("acos", args);
}

/**
 * The inverse tangent. As `torch.atan`.
 */
export function atan(x: AnyTensor | OperandData): TensorHandle;
export function atan(...args: readonly unknown[]): unknown {
  return client.operate("atan", args);
}

/**
 * The hyperbolic sine. As `torch.sinh`.
 */
export function sinh(x: AnyTensor | OperandData): TensorHandle;
export function sinh(...args: readonly unknown[]): unknown {
  return client.operate("sinh", args);
}

/**
 * The hyperbolic cosine. As `torch.cosh`.
 */
export function cosh(x: AnyTensor | OperandData): TensorHandle;
export function cosh(...args: readonly unknown[]): unknown {
  return client.operate("cosh", args);
}

/**
 * The error function. As `torch.erf`.
 */
export function erf(x: AnyTensor | OperandData): TensorHandle;
export function erf(...args: readonly unknown[]): unknown {
  return client.operate("erf", args);
}

/**
 * 1 - erf(x), precise for large elements. As `torch.erfc`.
 */
export function erfc(x: AnyTensor | OperandData): TensorHandle;
export function erfc(...args: readonly unknown[]): unknown {
  return client.operate("erfc", args);
}

/**
 * The inverse of the error function. As `torch.erfinv`.
 */
export function erfinv(x: AnyTensor | OperandData): TensorHandle;
export function erfinv(...args: readonly unknown[]): unknown {
  return client.operate("erfinv", args);
}

/**
 * The logarithm of the absolute value of the gamma function. As `torch.lgamma`.
 */
export function lgamma(x: AnyTensor | OperandData): TensorHandle;
export function lgamma(...args: readonly unknown[]): unknown {
  return client.operate("lgamma", args);
}

/**
 * The derivative of `lgamma`. As `torch.digamma`.
 */
export function digamma(x: AnyTensor | OperandData): TensorHandle;
export function digamma(...args: readonly unknown[]): unknown {
  return client.operate("digamma", args);
}

/**
 * One over each element. As `torch.reciprocal`.
 */
export function reciprocal(x: AnyTensor | OperandData): TensorHandle;
export function reciprocal(...args: readonly unknown[]): unknown {
  return client.operate("reciprocal", args);
}

/**
 * Whether elements are 0. As `torch.logical_not`. No gradient flows.
 */
export function not(x: AnyTensor | OperandData): TensorHandle;
export function not(...args: readonly unknown[]): unknown {
  return client.operate("not", args);
}

/**
 * Each bit of whole numbers inverted, or each boolean. As `torch.bitwise_not`. No gradient flows.
 */
export function bitwisenot(x: AnyTensor | OperandData): TensorHandle;
export function bitwisenot(...args: readonly unknown[]): unknown {
  return client.operate("bitwisenot", args);
}

/**
 * x + alpha y. As `torch.add`. Default: `alpha` 1.
 */
export function add(x: AnyTensor | OperandData, y: AnyTensor | OperandData, alpha?: number): TensorHandle;
/**
 * x + alpha y. As `torch.add`. Default: `alpha` 1.
 */
export function add(x: AnyTensor | OperandData, y: AnyTensor | OperandData, options: { readonly alpha?: number }): TensorHandle;
export function add(...args: readonly unknown[]): unknown {
  return client.operate("add", args);
}

/**
 * x - alpha y. As `torch.sub`. Default: `alpha` 1.
 */
export function sub(x: AnyTensor | OperandData, y: AnyTensor | OperandData, alpha?: number): TensorHandle;
/**
 * x - alpha y. As `torch.sub`. Default: `alpha` 1.
 */
export function sub(x: AnyTensor | OperandData, y: AnyTensor | OperandData, options: { readonly alpha?: number }): TensorHandle;
export function sub(...args: readonly unknown[]): unknown {
  return client.operate("sub", args);
}

/**
 * The product of elements. As `torch.mul`.
 */
export function mul(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function mul(...args: readonly unknown[]): unknown {
  return client.operate("mul", args);
}

/**
 * The quotient of elements. Whole numbers become `float`. As `torch.div`.
 */
export function div(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function div(...args: readonly unknown[]): unknown {
  return client.operate("div", args);
}

/**
 * x to the power y. As `torch.pow`.
 */
export function pow(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function pow(...args: readonly unknown[]): unknown {
  return client.operate("pow", args);
}

/**
 * x to the power y, in `double`. As `torch.float_power`.
 */
export function fpow(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function fpow(...args: readonly unknown[]): unknown {
  return client.operate("fpow", args);
}

/**
 * The multivariate log-gamma function of p dimensions. As `torch.mvlgamma`.
 */
export function mvlgamma(x: AnyTensor | OperandData, p: number): TensorHandle;
/**
 * The multivariate log-gamma function of p dimensions. As `torch.mvlgamma`.
 */
export function mvlgamma(x: AnyTensor | OperandData, options: { readonly p: number }): TensorHandle;
export function mvlgamma(...args: readonly unknown[]): unknown {
  return client.operate("mvlgamma", args);
}

/**
 * The remainder of a division, with the sign of y. As `torch.remainder`.
 */
export function remainder(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function remainder(...args: readonly unknown[]): unknown {
  return client.operate("remainder", args);
}

/**
 * The remainder of a division, with the sign of x. As `torch.fmod`.
 */
export function fmod(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function fmod(...args: readonly unknown[]): unknown {
  return client.operate("fmod", args);
}

/**
 * The angle of the point (y, x), in radians. As `torch.atan2`.
 */
export function atan2(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function atan2(...args: readonly unknown[]): unknown {
  return client.operate("atan2", args);
}

/**
 * The larger element; NaN if one is NaN. As `torch.maximum`.
 */
export function maximum(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function maximum(...args: readonly unknown[]): unknown {
  return client.operate("maximum", args);
}

/**
 * The smaller element; NaN if one is NaN. As `torch.minimum`.
 */
export function minimum(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function minimum(...args: readonly unknown[]): unknown {
  return client.operate("minimum", args);
}

/**
 * The larger element, or the one that is not NaN. As `torch.fmax`.
 */
export function fmax(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function fmax(...args: readonly unknown[]): unknown {
  return client.operate("fmax", args);
}

/**
 * The smaller element, or the one that is not NaN. As `torch.fmin`.
 */
export function fmin(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function fmin(...args: readonly unknown[]): unknown {
  return client.operate("fmin", args);
}

/**
 * Whether both elements differ from 0. As `torch.logical_and`. No gradient flows.
 */
export function and(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function and(...args: readonly unknown[]): unknown {
  return client.operate("and", args);
}

/**
 * Whether one of the elements differs from 0. As `torch.logical_or`. No gradient flows.
 */
export function or(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function or(...args: readonly unknown[]): unknown {
  return client.operate("or", args);
}

/**
 * Whether exactly one of the elements differs from 0. As `torch.logical_xor`. No gradient flows.
 */
export function xor(x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function xor(...args: readonly unknown[]): unknown {
  return client.operate("xor", args);
}

/**
 * x + weight (y - x). As `torch.lerp`.
 */
export function lerp(x: AnyTensor | OperandData, y: AnyTensor | OperandData, weight: AnyTensor | OperandData): TensorHandle;
export function lerp(...args: readonly unknown[]): unknown {
  return client.operate("lerp", args);
}

/**
 * x + value y z. As `torch.addcmul`. Default: `value` 1.
 */
export function addcmul(x: AnyTensor | OperandData, y: AnyTensor | OperandData, z: AnyTensor | OperandData, value?: number): TensorHandle;
/**
 * x + value y z. As `torch.addcmul`. Default: `value` 1.
 */
export function addcmul(x: AnyTensor | OperandData, y: AnyTensor | OperandData, z: AnyTensor | OperandData, options: { readonly value?: number }): TensorHandle;
export function addcmul(...args: readonly unknown[]): unknown {
  return client.operate("addcmul", args);
}

/**
 * x + value y / z. As `torch.addcdiv`. Default: `value` 1.
 */
export function addcdiv(x: AnyTensor | OperandData, y: AnyTensor | OperandData, z: AnyTensor | OperandData, value?: number): TensorHandle;
/**
 * x + value y / z. As `torch.addcdiv`. Default: `value` 1.
 */
export function addcdiv(x: AnyTensor | OperandData, y: AnyTensor | OperandData, z: AnyTensor | OperandData, options: { readonly value?: number }): TensorHandle;
export function addcdiv(...args: readonly unknown[]): unknown {
  return client.operate("addcdiv", args);
}

/**
 * Elements raised to at least `min` and lowered to at most `max`; one of the two may be null. As `torch.clip`.
 */
export function clamp(x: AnyTensor | OperandData, min?: AnyTensor | OperandData | null, max?: AnyTensor | OperandData | null): TensorHandle;
/**
 * Elements raised to at least `min` and lowered to at most `max`; one of the two may be null. As `torch.clip`.
 */
export function clamp(x: AnyTensor | OperandData, options: { readonly min?: AnyTensor | OperandData | null; readonly max?: AnyTensor | OperandData | null }): TensorHandle;
export function clamp(...args: readonly unknown[]): unknown {
  return client.operate("clamp", args);
}

/**
 * Elements of x where the condition is true, else of y. As `torch.where`.
 */
export function where(condition: AnyTensor | OperandData, x: AnyTensor | OperandData, y: AnyTensor | OperandData): TensorHandle;
export function where(...args: readonly unknown[]): unknown {
  return client.operate("where", args);
}

/**
 * The elements as another dtype. The gradient flows between dtypes of floating point. As `torch.to`.
 */
export function cast(x: AnyTensor | OperandData, dtype: Dtype): TensorHandle;
/**
 * The elements as another dtype. The gradient flows between dtypes of floating point. As `torch.to`.
 */
export function cast(x: AnyTensor | OperandData, options: { readonly dtype: Dtype }): TensorHandle;
export function cast(...args: readonly unknown[]): unknown {
  return client.operate("cast", args);
}
