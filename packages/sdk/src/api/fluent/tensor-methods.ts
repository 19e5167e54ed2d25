// Written by `cargo test -p stepwell-session generated` from the table of operations; not to be edited.

import type { LossOptionsOf } from "../../generated/losses.js";
import type { Dtype, Target } from "../../types/arguments.js";
import type { AnyTensor } from "../../types/objects.js";
import type { OperandData } from "../../types/tensor-data.js";
import * as elementwise from "../functions/elementwise.js";
import * as activation from "../functions/activation.js";
import * as comparison from "../functions/comparison.js";
import * as reduction from "../functions/reduction.js";
import * as statistics from "../functions/statistics.js";
import * as counting from "../functions/counting.js";
import * as sorting from "../functions/sorting.js";
import * as matrix from "../functions/matrix.js";
import * as diagonal from "../functions/diagonal.js";
import * as linear_algebra from "../functions/linear_algebra.js";
import * as convolution from "../functions/convolution.js";
import * as pooling from "../functions/pooling.js";
import * as shape from "../functions/shape.js";
import * as indexing from "../functions/indexing.js";
import * as sampling from "../functions/sampling.js";
import * as spectral from "../functions/spectral.js";
import * as losses from "../functions/losses.js";

/** The operations and losses as methods of a tensor, which is the first argument. */
export interface TensorMethods<Result> {
  /**
   * Absolute value. As `torch.abs`.
   */
  abs(): Result;
  /**
   * Negation. As `torch.negative`.
   */
  neg(): Result;
  /**
   * -1, 0 or 1 by the sign of each element; 0 for NaN. As `torch.sgn`.
   */
  sign(): Result;
  /**
   * The least whole number that is not smaller. As `torch.ceil`.
   */
  ceil(): Result;
  /**
   * The greatest whole number that is not larger. As `torch.floor`.
   */
  floor(): Result;
  /**
   * The nearest whole number, in a tie the even one. As `torch.round`.
   */
  round(): Result;
  /**
   * The whole part. As `torch.fix`.
   */
  trunc(): Result;
  /**
   * The part after the point, with the sign of the element. As `torch.frac`.
   */
  frac(): Result;
  /**
   * The square root; NaN for a negative element. As `torch.sqrt`.
   */
  sqrt(): Result;
  /**
   * One over the square root. As `torch.rsqrt`.
   */
  rsqrt(): Result;
  /**
   * The square. As `torch.square`.
   */
  square(): Result;
  /**
   * The exponential function. As `torch.exp`.
   */
  exp(): Result;
  /**
   * exp(x) - 1, precise near 0. As `torch.special.expm1`.
   */
  expm1(): Result;
  /**
   * The natural logarithm. As `torch.log`.
   */
  log(): Result;
  /**
   * log(1 + x), precise near 0. As `torch.log1p`.
   */
  log1p(): Result;
  /**
   * The logarithm to base 2. As `torch.log2`.
   */
  log2(): Result;
  /**
   * The logarithm to base 10. As `torch.log10`.
   */
  log10(): Result;
  /**
   * The sine. As `torch.sin`.
   */
  sin(): Result;
  /**
   * The cosine. As `torch.cos`.
   */
  cos(): Result;
  /**
   * The tangent. As `torch.tan`.
   */
  tan(): Result;
  /**
   * The inverse sine. As `torch.asin`.
   */
  asin(): Result;
  /**
   * The inverse cosine. As `torch.acos`.
   */
  acos(): Result;
  /**
   * The inverse tangent. As `torch.atan`.
   */
  atan(): Result;
  /**
   * The hyperbolic sine. As `torch.sinh`.
   */
  sinh(): Result;
  /**
   * The hyperbolic cosine. As `torch.cosh`.
   */
  cosh(): Result;
  /**
   * The error function. As `torch.erf`.
   */
  erf(): Result;
  /**
   * 1 - erf(x), precise for large elements. As `torch.erfc`.
   */
  erfc(): Result;
  /**
   * The inverse of the error function. As `torch.erfinv`.
   */
  erfinv(): Result;
  /**
   * The logarithm of the absolute value of the gamma function. As `torch.lgamma`.
   */
  lgamma(): Result;
  /**
   * The derivative of `lgamma`. As `torch.digamma`.
   */
  digamma(): Result;
  /**
   * One over each element. As `torch.reciprocal`.
   */
  reciprocal(): Result;
  /**
   * Whether elements are 0. As `torch.logical_not`. No gradient flows.
   */
  not(): Result;
  /**
   * Each bit of whole numbers inverted, or each boolean. As `torch.bitwise_not`. No gradient flows.
   */
  bitwisenot(): Result;
  /**
   * x + alpha y. As `torch.add`. Default: `alpha` 1.
   */
  add(y: AnyTensor | OperandData, alpha?: number): Result;
  /**
   * x + alpha y. As `torch.add`. Default: `alpha` 1.
   */
  add(y: AnyTensor | OperandData, options: { readonly alpha?: number }): Result;
  /**
   * x - alpha y. As `torch.sub`. Default: `alpha` 1.
   */
  sub(y: AnyTensor | OperandData, alpha?: number): Result;
  /**
   * x - alpha y. As `torch.sub`. Default: `alpha` 1.
   */
  sub(y: AnyTensor | OperandData, options: { readonly alpha?: number }): Result;
  /**
   * The product of elements. As `torch.mul`.
   */
  mul(y: AnyTensor | OperandData): Result;
  /**
   * The quotient of elements. Whole numbers become `float`. As `torch.div`.
   */
  div(y: AnyTensor | OperandData): Result;
  /**
   * x to the power y. As `torch.pow`.
   */
  pow(y: AnyTensor | OperandData): Result;
  /**
   * x to the power y, in `double`. As `torch.float_power`.
   */
  fpow(y: AnyTensor | OperandData): Result;
  /**
   * The multivariate log-gamma function of p dimensions. As `torch.mvlgamma`.
   */
  mvlgamma(p: number): Result;
  /**
   * The multivariate log-gamma function of p dimensions. As `torch.mvlgamma`.
   */
  mvlgamma(options: { readonly p: number }): Result;
  /**
   * The remainder of a division, with the sign of y. As `torch.remainder`.
   */
  remainder(y: AnyTensor | OperandData): Result;
  /**
   * The remainder of a division, with the sign of x. As `torch.fmod`.
   */
  fmod(y: AnyTensor | OperandData): Result;
  /**
   * The angle of the point (y, x), in radians. As `torch.atan2`.
   */
  atan2(y: AnyTensor | OperandData): Result;
  /**
   * The larger element; NaN if one is NaN. As `torch.maximum`.
   */
  maximum(y: AnyTensor | OperandData): Result;
  /**
   * The smaller element; NaN if one is NaN. As `torch.minimum`.
   */
  minimum(y: AnyTensor | OperandData): Result;
  /**
   * The larger element, or the one that is not NaN. As `torch.fmax`.
   */
  fmax(y: AnyTensor | OperandData): Result;
  /**
   * The smaller element, or the one that is not NaN. As `torch.fmin`.
   */
  fmin(y: AnyTensor | OperandData): Result;
  /**
   * Whether both elements differ from 0. As `torch.logical_and`. No gradient flows.
   */
  and(y: AnyTensor | OperandData): Result;
  /**
   * Whether one of the elements differs from 0. As `torch.logical_or`. No gradient flows.
   */
  or(y: AnyTensor | OperandData): Result;
  /**
   * Whether exactly one of the elements differs from 0. As `torch.logical_xor`. No gradient flows.
   */
  xor(y: AnyTensor | OperandData): Result;
  /**
   * x + weight (y - x). As `torch.lerp`.
   */
  lerp(y: AnyTensor | OperandData, weight: AnyTensor | OperandData): Result;
  /**
   * x + value y z. As `torch.addcmul`. Default: `value` 1.
   */
  addcmul(y: AnyTensor | OperandData, z: AnyTensor | OperandData, value?: number): Result;
  /**
   * x + value y z. As `torch.addcmul`. Default: `value` 1.
   */
  addcmul(y: AnyTensor | OperandData, z: AnyTensor | OperandData, options: { readonly value?: number }): Result;
  /**
   * x + value y / z. As `torch.addcdiv`. Default: `value` 1.
   */
  addcdiv(y: AnyTensor | OperandData, z: AnyTensor | OperandData, value?: number): Result;
  /**
   * x + value y / z. As `torch.addcdiv`. Default: `value` 1.
   */
  addcdiv(y: AnyTensor | OperandData, z: AnyTensor | OperandData, options: { readonly value?: number }): Result;
  /**
   * Elements raised to at least `min` and lowered to at most `max`; one of the two may be null. As `torch.clip`.
   */
  clamp(min?: AnyTensor | OperandData | null, max?: AnyTensor | OperandData | null): Result;
  /**
   * Elements raised to at least `min` and lowered to at most `max`; one of the two may be null. As `torch.clip`.
   */
  clamp(options: { readonly min?: AnyTensor | OperandData | null; readonly max?: AnyTensor | OperandData | null }): Result;
  /**
   * Elements of x where the condition is true, else of y. As `torch.where`.
   */
  where(x: AnyTensor | OperandData, y: AnyTensor | OperandData): Result;
  /**
   * The elements as another dtype. The gradient flows between dtypes of floating point. As `torch.to`.
   */
  cast(dtype: Dtype): Result;
  /**
   * The elements as another dtype. The gradient flows between dtypes of floating point. As `torch.to`.
   */
  cast(options: { readonly dtype: Dtype }): Result;
  /**
   * max(x, 0). As `torch.relu`.
   */
  relu(): Result;
  /**
   * Elements limited to 0 and 6; the gradient is 0 at both ends. As `torch.relu6`.
   */
  relu6(): Result;
  /**
   * x where it is positive, else slope x. As `torch.leaky_relu`. Default: `slope` 0.01.
   */
  leakyrelu(slope?: number): Result;
  /**
   * x where it is positive, else slope x. As `torch.leaky_relu`. Default: `slope` 0.01.
   */
  leakyrelu(options: { readonly slope?: number }): Result;
  /**
   * x where it is positive, else x times a weight: one number, or one for each channel of `x [n, c, *]`. As
   * `torch.prelu`.
   */
  prelu(weight: AnyTensor | OperandData): Result;
  /**
   * x where it is positive, else x times a slope: drawn from `lower` to `upper` if `train`, else their mean. As
   * `torch.rrelu`. Default: `lower` 0.125, `upper` 0.3333333333333333, `train` false.
   */
  rrelu(lower?: number, upper?: number, train?: boolean): Result;
  /**
   * x where it is positive, else x times a slope: drawn from `lower` to `upper` if `train`, else their mean. As
   * `torch.rrelu`. Default: `lower` 0.125, `upper` 0.3333333333333333, `train` false.
   */
  rrelu(options: { readonly lower?: number; readonly upper?: number; readonly train?: boolean }): Result;
  /**
   * x where it is positive, else alpha (exp(x) - 1). As `torch.elu`. Default: `alpha` 1.
   */
  elu(alpha?: number): Result;
  /**
   * x where it is positive, else alpha (exp(x) - 1). As `torch.elu`. Default: `alpha` 1.
   */
  elu(options: { readonly alpha?: number }): Result;
  /**
   * x where it is positive, else alpha (exp(x / alpha) - 1). As `torch.celu`. Default: `alpha` 1.
   */
  celu(alpha?: number): Result;
  /**
   * x where it is positive, else alpha (exp(x / alpha) - 1). As `torch.celu`. Default: `alpha` 1.
   */
  celu(options: { readonly alpha?: number }): Result;
  /**
   * The scaled exponential unit of self-normalising networks. As `torch.selu`.
   */
  selu(): Result;
  /**
   * x times the normal distribution function at x; with `tanh` its approximation. As `torch.gelu`. Default: `tanh`
   * false.
   */
  gelu(tanh?: boolean): Result;
  /**
   * x times the normal distribution function at x; with `tanh` its approximation. As `torch.gelu`. Default: `tanh`
   * false.
   */
  gelu(options: { readonly tanh?: boolean }): Result;
  /**
   * x sigmoid(x). As `torch.silu`.
   */
  silu(): Result;
  /**
   * x tanh(log(1 + exp(x))). As `torch.mish`.
   */
  mish(): Result;
  /**
   * log(1 + exp(beta x)) / beta, and x where beta x is above the threshold. As `torch.nn.functional.softplus`.
   * Default: `beta` 1, `threshold` 20.
   */
  softplus(beta?: number, threshold?: number): Result;
  /**
   * log(1 + exp(beta x)) / beta, and x where beta x is above the threshold. As `torch.nn.functional.softplus`.
   * Default: `beta` 1, `threshold` 20.
   */
  softplus(options: { readonly beta?: number; readonly threshold?: number }): Result;
  /**
   * x / (1 + abs(x)). As `torch.softsign`.
   */
  softsign(): Result;
  /**
   * The first half along a dimension times the sigmoid of the second. As `torch.nn.functional.glu`. Default: `dim`
   * -1.
   */
  glu(dim?: number): Result;
  /**
   * The first half along a dimension times the sigmoid of the second. As `torch.nn.functional.glu`. Default: `dim`
   * -1.
   */
  glu(options: { readonly dim?: number }): Result;
  /**
   * Elements limited to min and max; the gradient is 0 at both ends. As `torch.hardtanh`. Default: `min` -1, `max`
   * 1.
   */
  hardtanh(min?: number, max?: number): Result;
  /**
   * Elements limited to min and max; the gradient is 0 at both ends. As `torch.hardtanh`. Default: `min` -1, `max`
   * 1.
   */
  hardtanh(options: { readonly min?: number; readonly max?: number }): Result;
  /**
   * x where |x| > lambda, else 0. As `torch.hardshrink`. Default: `lambda` 0.5.
   */
  hardshrink(lambda?: number): Result;
  /**
   * x where |x| > lambda, else 0. As `torch.hardshrink`. Default: `lambda` 0.5.
   */
  hardshrink(options: { readonly lambda?: number }): Result;
  /**
   * x moved towards 0 by lambda, and 0 where |x| <= lambda. As `torch.softshrink`. Default: `lambda` 0.5.
   */
  softshrink(lambda?: number): Result;
  /**
   * x moved towards 0 by lambda, and 0 where |x| <= lambda. As `torch.softshrink`. Default: `lambda` 0.5.
   */
  softshrink(options: { readonly lambda?: number }): Result;
  /**
   * x - tanh(x). As `torch.tanhshrink`.
   */
  tanhshrink(): Result;
  /**
   * The logarithm of the sigmoid. As `torch.nn.functional.logsigmoid`.
   */
  logsigmoid(): Result;
  /**
   * x where it is larger than the threshold, else the value. As `torch.threshold`.
   */
  threshold(threshold: number, value: number): Result;
  /**
   * x where it is larger than the threshold, else the value. As `torch.threshold`.
   */
  threshold(options: { readonly threshold: number; readonly value: number }): Result;
  /**
   * The hyperbolic tangent. As `torch.tanh`.
   */
  tanh(): Result;
  /**
   * 1 / (1 + exp(-x)). As `torch.sigmoid`.
   */
  sigmoid(): Result;
  /**
   * exp(x) divided by its sum along a dimension. As `torch.softmax`.
   */
  softmax(dim: number): Result;
  /**
   * exp(x) divided by its sum along a dimension. As `torch.softmax`.
   */
  softmax(options: { readonly dim: number }): Result;
  /**
   * The logarithm of `softmax`, precise for small probabilities. As `torch.log_softmax`.
   */
  logsoftmax(dim: number): Result;
  /**
   * The logarithm of `softmax`, precise for small probabilities. As `torch.log_softmax`.
   */
  logsoftmax(options: { readonly dim: number }): Result;
  /**
   * `softmax` of -x. As `torch.softmin`.
   */
  softmin(dim: number): Result;
  /**
   * `softmax` of -x. As `torch.softmin`.
   */
  softmin(options: { readonly dim: number }): Result;
  /**
   * Whether elements are equal. As `torch.eq`. No gradient flows.
   */
  eq(y: AnyTensor | OperandData): Result;
  /**
   * Whether elements differ. As `torch.ne`. No gradient flows.
   */
  ne(y: AnyTensor | OperandData): Result;
  /**
   * Whether elements of x are less. As `torch.lt`. No gradient flows.
   */
  lt(y: AnyTensor | OperandData): Result;
  /**
   * Whether elements of x are less or equal. As `torch.le`. No gradient flows.
   */
  le(y: AnyTensor | OperandData): Result;
  /**
   * Whether elements of x are greater. As `torch.gt`. No gradient flows.
   */
  gt(y: AnyTensor | OperandData): Result;
  /**
   * Whether elements of x are greater or equal. As `torch.ge`. No gradient flows.
   */
  ge(y: AnyTensor | OperandData): Result;
  /**
   * Whether two tensors have one shape and equal elements. As `torch.equal`. No gradient flows.
   */
  equal(y: AnyTensor | OperandData): boolean;
  /**
   * Whether |x - y| <= atol + rtol |y|; equal infinities are close, and with `nan` NaN and NaN. As `torch.isclose`.
   * No gradient flows. Default: `rtol` 0.00001, `atol` 0.00000001, `nan` false.
   */
  close(y: AnyTensor | OperandData, rtol?: number, atol?: number, nan?: boolean): Result;
  /**
   * Whether |x - y| <= atol + rtol |y|; equal infinities are close, and with `nan` NaN and NaN. As `torch.isclose`.
   * No gradient flows. Default: `rtol` 0.00001, `atol` 0.00000001, `nan` false.
   */
  close(y: AnyTensor | OperandData, options: { readonly rtol?: number; readonly atol?: number; readonly nan?: boolean }): Result;
  /**
   * Whether all elements are close: see `close`. As `torch.allclose`. No gradient flows. Default: `rtol` 0.00001,
   * `atol` 0.00000001, `nan` false.
   */
  allclose(y: AnyTensor | OperandData, rtol?: number, atol?: number, nan?: boolean): boolean;
  /**
   * Whether all elements are close: see `close`. As `torch.allclose`. No gradient flows. Default: `rtol` 0.00001,
   * `atol` 0.00000001, `nan` false.
   */
  allclose(y: AnyTensor | OperandData, options: { readonly rtol?: number; readonly atol?: number; readonly nan?: boolean }): boolean;
  /**
   * Whether elements are NaN. As `torch.isnan`. No gradient flows.
   */
  nan(): Result;
  /**
   * Whether elements are infinite. As `torch.isinf`. No gradient flows.
   */
  inf(): Result;
  /**
   * Whether elements are neither infinite nor NaN. As `torch.isfinite`. No gradient flows.
   */
  finite(): Result;
  /**
   * Whether elements are infinity. As `torch.isposinf`. No gradient flows.
   */
  posinf(): Result;
  /**
   * Whether elements are -infinity. As `torch.isneginf`. No gradient flows.
   */
  neginf(): Result;
  /**
   * Whether each element of x is an element of y. As `torch.isin`. No gradient flows.
   */
  isin(y: AnyTensor | OperandData): Result;
  /**
   * The sum over all elements or over dimensions. Booleans are counted. As `torch.sum`. Default: `keepdim` false.
   */
  sum(dim?: number | readonly number[] | null, keepdim?: boolean): Result;
  /**
   * The sum over all elements or over dimensions. Booleans are counted. As `torch.sum`. Default: `keepdim` false.
   */
  sum(options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): Result;
  /**
   * The mean over all elements or over dimensions. As `torch.mean`. Default: `keepdim` false.
   */
  mean(dim?: number | readonly number[] | null, keepdim?: boolean): Result;
  /**
   * The mean over all elements or over dimensions. As `torch.mean`. Default: `keepdim` false.
   */
  mean(options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): Result;
  /**
   * The product over all elements or over dimensions. As `torch.prod`. Default: `keepdim` false.
   */
  prod(dim?: number | readonly number[] | null, keepdim?: boolean): Result;
  /**
   * The product over all elements or over dimensions. As `torch.prod`. Default: `keepdim` false.
   */
  prod(options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): Result;
  /**
   * The largest element over dimensions. Equal ones share the gradient. As `torch.amax`. Default: `keepdim` false.
   */
  amax(dim?: number | readonly number[] | null, keepdim?: boolean): Result;
  /**
   * The largest element over dimensions. Equal ones share the gradient. As `torch.amax`. Default: `keepdim` false.
   */
  amax(options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): Result;
  /**
   * The smallest element over dimensions. Equal ones share the gradient. As `torch.amin`. Default: `keepdim` false.
   */
  amin(dim?: number | readonly number[] | null, keepdim?: boolean): Result;
  /**
   * The smallest element over dimensions. Equal ones share the gradient. As `torch.amin`. Default: `keepdim` false.
   */
  amin(options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): Result;
  /**
   * The smallest and the largest element over dimensions. As `torch.aminmax`. Default: `keepdim` false.
   */
  aminmax(dim?: number | readonly number[] | null, keepdim?: boolean): [Result, Result];
  /**
   * The smallest and the largest element over dimensions. As `torch.aminmax`. Default: `keepdim` false.
   */
  aminmax(options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): [Result, Result];
  /**
   * The largest elements along a dimension, and their indices. The gradient goes to the first of equal ones. As
   * `torch.max`. Default: `keepdim` false.
   */
  max(dim: number, keepdim?: boolean): [Result, Result];
  /**
   * The largest elements along a dimension, and their indices. The gradient goes to the first of equal ones. As
   * `torch.max`. Default: `keepdim` false.
   */
  max(options: { readonly dim: number; readonly keepdim?: boolean }): [Result, Result];
  /**
   * The smallest elements along a dimension, and their indices. The gradient goes to the first of equal ones. As
   * `torch.min`. Default: `keepdim` false.
   */
  min(dim: number, keepdim?: boolean): [Result, Result];
  /**
   * The smallest elements along a dimension, and their indices. The gradient goes to the first of equal ones. As
   * `torch.min`. Default: `keepdim` false.
   */
  min(options: { readonly dim: number; readonly keepdim?: boolean }): [Result, Result];
  /**
   * The index of the first largest element, of all or along a dimension. As `torch.argmax`. No gradient flows.
   * Default: `keepdim` false.
   */
  argmax(dim?: number | null, keepdim?: boolean): Result;
  /**
   * The index of the first largest element, of all or along a dimension. As `torch.argmax`. No gradient flows.
   * Default: `keepdim` false.
   */
  argmax(options: { readonly dim?: number | null; readonly keepdim?: boolean }): Result;
  /**
   * The index of the first smallest element, of all or along a dimension. As `torch.argmin`. No gradient flows.
   * Default: `keepdim` false.
   */
  argmin(dim?: number | null, keepdim?: boolean): Result;
  /**
   * The index of the first smallest element, of all or along a dimension. As `torch.argmin`. No gradient flows.
   * Default: `keepdim` false.
   */
  argmin(options: { readonly dim?: number | null; readonly keepdim?: boolean }): Result;
  /**
   * Whether all elements differ from 0. As `torch.all`. No gradient flows. Default: `keepdim` false.
   */
  all(dim?: number | readonly number[] | null, keepdim?: boolean): Result;
  /**
   * Whether all elements differ from 0. As `torch.all`. No gradient flows. Default: `keepdim` false.
   */
  all(options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): Result;
  /**
   * Whether one element differs from 0. As `torch.any`. No gradient flows. Default: `keepdim` false.
   */
  any(dim?: number | readonly number[] | null, keepdim?: boolean): Result;
  /**
   * Whether one element differs from 0. As `torch.any`. No gradient flows. Default: `keepdim` false.
   */
  any(options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): Result;
  /**
   * The sum without elements that are NaN. As `torch.nansum`. Default: `keepdim` false.
   */
  nansum(dim?: number | readonly number[] | null, keepdim?: boolean): Result;
  /**
   * The sum without elements that are NaN. As `torch.nansum`. Default: `keepdim` false.
   */
  nansum(options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): Result;
  /**
   * The mean without elements that are NaN. As `torch.nanmean`. Default: `keepdim` false.
   */
  nanmean(dim?: number | readonly number[] | null, keepdim?: boolean): Result;
  /**
   * The mean without elements that are NaN. As `torch.nanmean`. Default: `keepdim` false.
   */
  nanmean(options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): Result;
  /**
   * The logarithm of the sum of exponentials. As `torch.logsumexp`. Default: `keepdim` false.
   */
  logsumexp(dim: number | readonly number[], keepdim?: boolean): Result;
  /**
   * The logarithm of the sum of exponentials. As `torch.logsumexp`. Default: `keepdim` false.
   */
  logsumexp(options: { readonly dim: number | readonly number[]; readonly keepdim?: boolean }): Result;
  /**
   * Sums up to each element along a dimension. As `torch.cumsum`.
   */
  cumsum(dim: number): Result;
  /**
   * Sums up to each element along a dimension. As `torch.cumsum`.
   */
  cumsum(options: { readonly dim: number }): Result;
  /**
   * Products up to each element along a dimension. As `torch.cumprod`.
   */
  cumprod(dim: number): Result;
  /**
   * Products up to each element along a dimension. As `torch.cumprod`.
   */
  cumprod(options: { readonly dim: number }): Result;
  /**
   * The variance over all elements or over dimensions, with the divisor n - correction. As `torch.var`. Default:
   * `correction` 1, `keepdim` false.
   */
  variance(dim?: number | readonly number[] | null, correction?: number, keepdim?: boolean): Result;
  /**
   * The variance over all elements or over dimensions, with the divisor n - correction. As `torch.var`. Default:
   * `correction` 1, `keepdim` false.
   */
  variance(options: { readonly dim?: number | readonly number[] | null; readonly correction?: number; readonly keepdim?: boolean }): Result;
  /**
   * The square root of the variance. As `torch.std`. Default: `correction` 1, `keepdim` false.
   */
  std(dim?: number | readonly number[] | null, correction?: number, keepdim?: boolean): Result;
  /**
   * The square root of the variance. As `torch.std`. Default: `correction` 1, `keepdim` false.
   */
  std(options: { readonly dim?: number | readonly number[] | null; readonly correction?: number; readonly keepdim?: boolean }): Result;
  /**
   * The mean and the standard deviation, in the order of the k-api. As `torch.std_mean`. Default: `correction` 1,
   * `keepdim` false.
   */
  meanstd(dim?: number | readonly number[] | null, correction?: number, keepdim?: boolean): [Result, Result];
  /**
   * The mean and the standard deviation, in the order of the k-api. As `torch.std_mean`. Default: `correction` 1,
   * `keepdim` false.
   */
  meanstd(options: { readonly dim?: number | readonly number[] | null; readonly correction?: number; readonly keepdim?: boolean }): [Result, Result];
  /**
   * The mean and the variance, in the order of the k-api. As `torch.var_mean`. Default: `correction` 1, `keepdim`
   * false.
   */
  meanvar(dim?: number | readonly number[] | null, correction?: number, keepdim?: boolean): [Result, Result];
  /**
   * The mean and the variance, in the order of the k-api. As `torch.var_mean`. Default: `correction` 1, `keepdim`
   * false.
   */
  meanvar(options: { readonly dim?: number | readonly number[] | null; readonly correction?: number; readonly keepdim?: boolean }): [Result, Result];
  /**
   * The norm of order p over all elements or over dimensions. Order 0 counts the elements that differ from 0,
   * without a gradient. As `torch.linalg.vector_norm`. Default: `p` 2, `keepdim` false.
   */
  vnorm(p?: number, dim?: number | readonly number[] | null, keepdim?: boolean): Result;
  /**
   * The norm of order p over all elements or over dimensions. Order 0 counts the elements that differ from 0,
   * without a gradient. As `torch.linalg.vector_norm`. Default: `p` 2, `keepdim` false.
   */
  vnorm(options: { readonly p?: number; readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): Result;
  /**
   * The norm of order p of x - y: see `vnorm`. As `torch.dist`. Default: `p` 2.
   */
  dist(y: AnyTensor | OperandData, p?: number): Result;
  /**
   * The norm of order p of x - y: see `vnorm`. As `torch.dist`. Default: `p` 2.
   */
  dist(y: AnyTensor | OperandData, options: { readonly p?: number }): Result;
  /**
   * Parts of x along a dimension, each scaled down to a norm of order p of `maxnorm` if its norm is larger. As
   * `torch.renorm`.
   */
  renorm(p: number, dim: number, maxnorm: number): Result;
  /**
   * Parts of x along a dimension, each scaled down to a norm of order p of `maxnorm` if its norm is larger. As
   * `torch.renorm`.
   */
  renorm(options: { readonly p: number; readonly dim: number; readonly maxnorm: number }): Result;
  /**
   * The norm of order p of x - y + eps along the last dimension. x and y broadcast. As
   * `torch.nn.functional.pairwise_distance`. Default: `p` 2, `eps` 0.000001, `keepdim` false.
   */
  pairwise(y: AnyTensor | OperandData, p?: number, eps?: number, keepdim?: boolean): Result;
  /**
   * The norm of order p of x - y + eps along the last dimension. x and y broadcast. As
   * `torch.nn.functional.pairwise_distance`. Default: `p` 2, `eps` 0.000001, `keepdim` false.
   */
  pairwise(y: AnyTensor | OperandData, options: { readonly p?: number; readonly eps?: number; readonly keepdim?: boolean }): Result;
  /**
   * The cosine of the angle of x and y along a dimension; norms count as eps at least. x and y broadcast. As
   * `torch.nn.functional.cosine_similarity`. Default: `dim` 1, `eps` 0.00000001.
   */
  similar(y: AnyTensor | OperandData, dim?: number, eps?: number): Result;
  /**
   * The cosine of the angle of x and y along a dimension; norms count as eps at least. x and y broadcast. As
   * `torch.nn.functional.cosine_similarity`. Default: `dim` 1, `eps` 0.00000001.
   */
  similar(y: AnyTensor | OperandData, options: { readonly dim?: number; readonly eps?: number }): Result;
  /**
   * The distances of order p of every two rows of `x [n, d]`: `[n (n - 1) / 2]`, of the first row with all others
   * first. As `torch.nn.functional.pdist`. Default: `p` 2.
   */
  pdist(p?: number): Result;
  /**
   * The distances of order p of every two rows of `x [n, d]`: `[n (n - 1) / 2]`, of the first row with all others
   * first. As `torch.nn.functional.pdist`. Default: `p` 2.
   */
  pdist(options: { readonly p?: number }): Result;
  /**
   * Vectors along a dimension divided by their norm of order p, or by eps if that is larger. As
   * `torch.nn.functional.normalize`. Default: `p` 2, `dim` 1, `eps` 0.000000000001.
   */
  normalize(p?: number, dim?: number, eps?: number): Result;
  /**
   * Vectors along a dimension divided by their norm of order p, or by eps if that is larger. As
   * `torch.nn.functional.normalize`. Default: `p` 2, `dim` 1, `eps` 0.000000000001.
   */
  normalize(options: { readonly p?: number; readonly dim?: number; readonly eps?: number }): Result;
  /**
   * x minus the mean, divided by the deviation. A list of either is for the channels of `x [*, c, h, w]`.
   */
  zscore(mean: AnyTensor | OperandData, std: AnyTensor | OperandData): Result;
  /**
   * x divided by the root of its mean square over the last dimensions, which have the sizes in `shape`; times a
   * weight of that shape. As `torch.nn.functional.rms_norm`.
   */
  rmsnorm(shape: number | readonly number[], weight?: AnyTensor | OperandData | null, eps?: number | null): Result;
  /**
   * x divided by the root of its mean square over the last dimensions, which have the sizes in `shape`; times a
   * weight of that shape. As `torch.nn.functional.rms_norm`.
   */
  rmsnorm(options: { readonly shape: number | readonly number[]; readonly weight?: AnyTensor | OperandData | null; readonly eps?: number | null }): Result;
  /**
   * Each element of `x [n, c, *]` divided by (k + alpha m) to the power beta, with the mean m of the squares of
   * `size` channels around its own. As `torch.nn.functional.local_response_norm`. Default: `alpha` 0.0001, `beta`
   * 0.75, `k` 1.
   */
  localnorm(size: number, alpha?: number, beta?: number, k?: number): Result;
  /**
   * Each element of `x [n, c, *]` divided by (k + alpha m) to the power beta, with the mean m of the squares of
   * `size` channels around its own. As `torch.nn.functional.local_response_norm`. Default: `alpha` 0.0001, `beta`
   * 0.75, `k` 1.
   */
  localnorm(options: { readonly size: number; readonly alpha?: number; readonly beta?: number; readonly k?: number }): Result;
  /**
   * The most frequent elements along a dimension, and their last indices. The smallest one of several is taken. As
   * `torch.mode`. Default: `dim` -1, `keepdim` false.
   */
  mode(dim?: number, keepdim?: boolean): [Result, Result];
  /**
   * The most frequent elements along a dimension, and their last indices. The smallest one of several is taken. As
   * `torch.mode`. Default: `dim` -1, `keepdim` false.
   */
  mode(options: { readonly dim?: number; readonly keepdim?: boolean }): [Result, Result];
  /**
   * The different elements in ascending order, the index of each element of x among them, and how often each occurs.
   * As `torch.unique`. No gradient flows.
   */
  unique(): [Result, Result, Result];
  /**
   * Elements that differ from the one before, the index of each element of x among them, and how often each is
   * repeated. As `torch.unique_consecutive`. No gradient flows.
   */
  uniquec(): [Result, Result, Result];
  /**
   * How often each whole number from 0 occurs, or the sum of its weights; at least `bins` counts. As
   * `torch.bincount`. No gradient flows. Default: `bins` 0.
   */
  bincount(weight?: AnyTensor | OperandData | null, bins?: number): Result;
  /**
   * How often each whole number from 0 occurs, or the sum of its weights; at least `bins` counts. As
   * `torch.bincount`. No gradient flows. Default: `bins` 0.
   */
  bincount(weight: AnyTensor | OperandData | null, options: { readonly bins?: number }): Result;
  /**
   * How often each whole number from 0 occurs, or the sum of its weights; at least `bins` counts. As
   * `torch.bincount`. No gradient flows. Default: `bins` 0.
   */
  bincount(options: { readonly weight?: AnyTensor | OperandData | null; readonly bins?: number }): Result;
  /**
   * How many elements are in each of `bins` intervals from `low` to `high`; if these are equal, from the least to
   * the largest. As `torch.histc`. No gradient flows. Default: `bins` 100, `low` 0, `high` 0.
   */
  histc(bins?: number, low?: number, high?: number): Result;
  /**
   * How many elements are in each of `bins` intervals from `low` to `high`; if these are equal, from the least to
   * the largest. As `torch.histc`. No gradient flows. Default: `bins` 100, `low` 0, `high` 0.
   */
  histc(options: { readonly bins?: number; readonly low?: number; readonly high?: number }): Result;
  /**
   * Elements sorted along a dimension, and their indices. As `torch.sort`. Default: `dim` -1, `descending` false.
   */
  sort(dim?: number, descending?: boolean): [Result, Result];
  /**
   * Elements sorted along a dimension, and their indices. As `torch.sort`. Default: `dim` -1, `descending` false.
   */
  sort(options: { readonly dim?: number; readonly descending?: boolean }): [Result, Result];
  /**
   * The indices that sort a tensor along a dimension. As `torch.argsort`. No gradient flows. Default: `dim` -1,
   * `descending` false.
   */
  argsort(dim?: number, descending?: boolean): Result;
  /**
   * The indices that sort a tensor along a dimension. As `torch.argsort`. No gradient flows. Default: `dim` -1,
   * `descending` false.
   */
  argsort(options: { readonly dim?: number; readonly descending?: boolean }): Result;
  /**
   * Elements sorted along the first dimension. As `torch.msort`.
   */
  msort(): Result;
  /**
   * The k largest elements along a dimension in order, or the k smallest, and their indices. As `torch.topk`.
   * Default: `dim` -1, `largest` true.
   */
  topk(k: number, dim?: number, largest?: boolean): [Result, Result];
  /**
   * The k largest elements along a dimension in order, or the k smallest, and their indices. As `torch.topk`.
   * Default: `dim` -1, `largest` true.
   */
  topk(options: { readonly k: number; readonly dim?: number; readonly largest?: boolean }): [Result, Result];
  /**
   * The k-th smallest elements along a dimension, counted from 1, and their indices. As `torch.kthvalue`. Default:
   * `dim` -1, `keepdim` false.
   */
  kthvalue(k: number, dim?: number, keepdim?: boolean): [Result, Result];
  /**
   * The k-th smallest elements along a dimension, counted from 1, and their indices. As `torch.kthvalue`. Default:
   * `dim` -1, `keepdim` false.
   */
  kthvalue(options: { readonly k: number; readonly dim?: number; readonly keepdim?: boolean }): [Result, Result];
  /**
   * The medians along a dimension, and their indices: the lower one of two. With NaN, NaN is the median. As
   * `torch.median`. Default: `dim` -1, `keepdim` false.
   */
  median(dim?: number, keepdim?: boolean): [Result, Result];
  /**
   * The medians along a dimension, and their indices: the lower one of two. With NaN, NaN is the median. As
   * `torch.median`. Default: `dim` -1, `keepdim` false.
   */
  median(options: { readonly dim?: number; readonly keepdim?: boolean }): [Result, Result];
  /**
   * As `median`, without elements that are NaN. As `torch.nanmedian`. Default: `dim` -1, `keepdim` false.
   */
  nanmedian(dim?: number, keepdim?: boolean): [Result, Result];
  /**
   * As `median`, without elements that are NaN. As `torch.nanmedian`. Default: `dim` -1, `keepdim` false.
   */
  nanmedian(options: { readonly dim?: number; readonly keepdim?: boolean }): [Result, Result];
  /**
   * The product of matrices `[*, m, k]` and `[*, k, n]`; leading dimensions broadcast, and vectors are rows or
   * columns. As `torch.matmul`.
   */
  matmul(y: AnyTensor | OperandData): Result;
  /**
   * The product of two matrices. As `torch.mm`.
   */
  mm(y: AnyTensor | OperandData): Result;
  /**
   * The product of a matrix and a vector. As `torch.mv`.
   */
  mv(y: AnyTensor | OperandData): Result;
  /**
   * The products of two lists of matrices, `[b, m, k]` and `[b, k, n]`. As `torch.bmm`.
   */
  bmm(y: AnyTensor | OperandData): Result;
  /**
   * The sum of the products of two vectors. As `torch.dot`.
   */
  dot(y: AnyTensor | OperandData): Result;
  /**
   * The products of every element of x and every element of y, `[n, m]`. As `torch.outer`.
   */
  outer(y: AnyTensor | OperandData): Result;
  /**
   * x times y transposed.
   */
  mmt(y: AnyTensor | OperandData): Result;
  /**
   * x transposed times y.
   */
  mtm(y: AnyTensor | OperandData): Result;
  /**
   * beta z + alpha x y, of matrices x and y. As `torch.addmm`. Default: `beta` 1, `alpha` 1.
   */
  addmm(x: AnyTensor | OperandData, y: AnyTensor | OperandData, beta?: number, alpha?: number): Result;
  /**
   * beta z + alpha x y, of matrices x and y. As `torch.addmm`. Default: `beta` 1, `alpha` 1.
   */
  addmm(x: AnyTensor | OperandData, y: AnyTensor | OperandData, options: { readonly beta?: number; readonly alpha?: number }): Result;
  /**
   * beta z + alpha x y, of a matrix x and a vector y. As `torch.addmv`. Default: `beta` 1, `alpha` 1.
   */
  addmv(x: AnyTensor | OperandData, y: AnyTensor | OperandData, beta?: number, alpha?: number): Result;
  /**
   * beta z + alpha x y, of a matrix x and a vector y. As `torch.addmv`. Default: `beta` 1, `alpha` 1.
   */
  addmv(x: AnyTensor | OperandData, y: AnyTensor | OperandData, options: { readonly beta?: number; readonly alpha?: number }): Result;
  /**
   * beta z + alpha x y, of lists of matrices x and y. As `torch.baddbmm`. Default: `beta` 1, `alpha` 1.
   */
  baddbmm(x: AnyTensor | OperandData, y: AnyTensor | OperandData, beta?: number, alpha?: number): Result;
  /**
   * beta z + alpha x y, of lists of matrices x and y. As `torch.baddbmm`. Default: `beta` 1, `alpha` 1.
   */
  baddbmm(x: AnyTensor | OperandData, y: AnyTensor | OperandData, options: { readonly beta?: number; readonly alpha?: number }): Result;
  /**
   * beta z + alpha times the sum of the products of lists of matrices x and y. As `torch.addbmm`. Default: `beta` 1,
   * `alpha` 1.
   */
  addbmm(x: AnyTensor | OperandData, y: AnyTensor | OperandData, beta?: number, alpha?: number): Result;
  /**
   * beta z + alpha times the sum of the products of lists of matrices x and y. As `torch.addbmm`. Default: `beta` 1,
   * `alpha` 1.
   */
  addbmm(x: AnyTensor | OperandData, y: AnyTensor | OperandData, options: { readonly beta?: number; readonly alpha?: number }): Result;
  /**
   * beta z + alpha times the products of every element of x and every element of y. As `torch.addr`. Default: `beta`
   * 1, `alpha` 1.
   */
  addr(x: AnyTensor | OperandData, y: AnyTensor | OperandData, beta?: number, alpha?: number): Result;
  /**
   * beta z + alpha times the products of every element of x and every element of y. As `torch.addr`. Default: `beta`
   * 1, `alpha` 1.
   */
  addr(x: AnyTensor | OperandData, y: AnyTensor | OperandData, options: { readonly beta?: number; readonly alpha?: number }): Result;
  /**
   * Sums of products over dimensions `dim1` of x and `dim2` of y; without `dim2` over the last `dim1` of x and the
   * first of y. As `torch.tensordot`. Default: `dim1` 2.
   */
  tensordot(y: AnyTensor | OperandData, dim1?: number | readonly number[], dim2?: number | readonly number[] | null): Result;
  /**
   * Sums of products over dimensions `dim1` of x and `dim2` of y; without `dim2` over the last `dim1` of x and the
   * first of y. As `torch.tensordot`. Default: `dim1` 2.
   */
  tensordot(y: AnyTensor | OperandData, options: { readonly dim1?: number | readonly number[]; readonly dim2?: number | readonly number[] | null }): Result;
  /**
   * The cross products of vectors of 3 elements along a dimension. As `torch.linalg.cross`. Default: `dim` -1.
   */
  cross(y: AnyTensor | OperandData, dim?: number): Result;
  /**
   * The cross products of vectors of 3 elements along a dimension. As `torch.linalg.cross`. Default: `dim` -1.
   */
  cross(y: AnyTensor | OperandData, options: { readonly dim?: number }): Result;
  /**
   * Inputs `[*, i]` and `[*, j]` with a weight `[o, i, j]` and a bias `[o]`: `[*, o]`, linear in each input. As
   * `torch.nn.functional.bilinear`.
   */
  bilinear(y: AnyTensor | OperandData, weight: AnyTensor | OperandData, bias?: AnyTensor | OperandData | null): Result;
  /**
   * Inputs `[*, i]` and `[*, j]` with a weight `[o, i, j]` and a bias `[o]`: `[*, o]`, linear in each input. As
   * `torch.nn.functional.bilinear`.
   */
  bilinear(y: AnyTensor | OperandData, weight: AnyTensor | OperandData, options: { readonly bias?: AnyTensor | OperandData | null }): Result;
  /**
   * x `[*, in]` times a weight `[out, in]` transposed, plus a bias `[out]`. As `torch.nn.functional.linear`.
   */
  linear(weight: AnyTensor | OperandData, bias?: AnyTensor | OperandData | null): Result;
  /**
   * x `[*, in]` times a weight `[out, in]` transposed, plus a bias `[out]`. As `torch.nn.functional.linear`.
   */
  linear(weight: AnyTensor | OperandData, options: { readonly bias?: AnyTensor | OperandData | null }): Result;
  /**
   * The sum of the diagonal of a matrix. As `torch.trace`.
   */
  trace(): Result;
  /**
   * The diagonals of matrices in two dimensions, as the last dimension. A positive offset is above the main
   * diagonal. As `torch.diagonal`. Default: `offset` 0, `dim1` 0, `dim2` 1.
   */
  diagonal(offset?: number, dim1?: number, dim2?: number): Result;
  /**
   * The diagonals of matrices in two dimensions, as the last dimension. A positive offset is above the main
   * diagonal. As `torch.diagonal`. Default: `offset` 0, `dim1` 0, `dim2` 1.
   */
  diagonal(options: { readonly offset?: number; readonly dim1?: number; readonly dim2?: number }): Result;
  /**
   * The diagonal of a matrix; of a vector, the matrix with this diagonal. As `torch.diag`. Default: `offset` 0.
   */
  diag(offset?: number): Result;
  /**
   * The diagonal of a matrix; of a vector, the matrix with this diagonal. As `torch.diag`. Default: `offset` 0.
   */
  diag(options: { readonly offset?: number }): Result;
  /**
   * The square matrix whose diagonal has the elements in row-major order. As `torch.diagflat`. Default: `offset` 0.
   */
  diagflat(offset?: number): Result;
  /**
   * The square matrix whose diagonal has the elements in row-major order. As `torch.diagflat`. Default: `offset` 0.
   */
  diagflat(options: { readonly offset?: number }): Result;
  /**
   * The determinants of square matrices. Native engine alone. As `torch.det`.
   */
  det(): Result;
  /**
   * The logarithms of determinants; NaN for a negative one. Native engine alone. As `torch.logdet`.
   */
  logdet(): Result;
  /**
   * The signs of determinants, and the logarithms of their absolute values. Native engine alone. As `torch.slogdet`.
   */
  slogdet(): [Result, Result];
  /**
   * The ranks of matrices: singular values above both tolerances count. Native engine alone. As
   * `torch.linalg.matrix_rank`. No gradient flows. Default: `hermitian` false.
   */
  mrank(atol?: number | null, rtol?: number | null, hermitian?: boolean): Result;
  /**
   * The ranks of matrices: singular values above both tolerances count. Native engine alone. As
   * `torch.linalg.matrix_rank`. No gradient flows. Default: `hermitian` false.
   */
  mrank(options: { readonly atol?: number | null; readonly rtol?: number | null; readonly hermitian?: boolean }): Result;
  /**
   * The inverses of square matrices. Native engine alone. As `torch.linalg.inv`.
   */
  inverse(): Result;
  /**
   * The pseudo-inverses of matrices: singular values above both tolerances count. Native engine alone. As
   * `torch.linalg.pinv`. Default: `hermitian` false.
   */
  pinverse(atol?: number | null, rtol?: number | null, hermitian?: boolean): Result;
  /**
   * The pseudo-inverses of matrices: singular values above both tolerances count. Native engine alone. As
   * `torch.linalg.pinv`. Default: `hermitian` false.
   */
  pinverse(options: { readonly atol?: number | null; readonly rtol?: number | null; readonly hermitian?: boolean }): Result;
  /**
   * z of x z = y, for square matrices x and vectors or matrices y. Native engine alone. As `torch.linalg.solve`.
   */
  solve(y: AnyTensor | OperandData): Result;
  /**
   * z of x z = y for triangular x, or of z x = y unless `left`. Native engine alone. As
   * `torch.linalg.solve_triangular`. Default: `left` true, `unitriangular` false.
   */
  trisolve(y: AnyTensor | OperandData, upper: boolean, left?: boolean, unitriangular?: boolean): Result;
  /**
   * z of x z = y for triangular x, or of z x = y unless `left`. Native engine alone. As
   * `torch.linalg.solve_triangular`. Default: `left` true, `unitriangular` false.
   */
  trisolve(y: AnyTensor | OperandData, options: { readonly upper: boolean; readonly left?: boolean; readonly unitriangular?: boolean }): Result;
  /**
   * z of the least |x z - y|, the residuals, the rank of x, and no singular values. Native engine alone. As
   * `torch.linalg.lstsq`.
   */
  lstsq(y: AnyTensor | OperandData, rcond?: number | null): [Result, Result, Result, Result];
  /**
   * z of the least |x z - y|, the residuals, the rank of x, and no singular values. Native engine alone. As
   * `torch.linalg.lstsq`.
   */
  lstsq(y: AnyTensor | OperandData, options: { readonly rcond?: number | null }): [Result, Result, Result, Result];
  /**
   * The Cholesky factors of symmetric positive-definite matrices. Native engine alone. As `torch.linalg.cholesky`.
   * Default: `upper` false.
   */
  chol(upper?: boolean): Result;
  /**
   * The Cholesky factors of symmetric positive-definite matrices. Native engine alone. As `torch.linalg.cholesky`.
   * Default: `upper` false.
   */
  chol(options: { readonly upper?: boolean }): Result;
  /**
   * The Cholesky factors, and 0 or the order of the first minor that is not positive; with `check` an error. Native
   * engine alone. As `torch.linalg.cholesky_ex`. Default: `upper` false, `check` false.
   */
  cholx(upper?: boolean, check?: boolean): [Result, Result];
  /**
   * The Cholesky factors, and 0 or the order of the first minor that is not positive; with `check` an error. Native
   * engine alone. As `torch.linalg.cholesky_ex`. Default: `upper` false, `check` false.
   */
  cholx(options: { readonly upper?: boolean; readonly check?: boolean }): [Result, Result];
  /**
   * The inverses of matrices by their Cholesky factors. Native engine alone. As `torch.cholesky_inverse`. Default:
   * `upper` false.
   */
  cholinverse(upper?: boolean): Result;
  /**
   * The inverses of matrices by their Cholesky factors. Native engine alone. As `torch.cholesky_inverse`. Default:
   * `upper` false.
   */
  cholinverse(options: { readonly upper?: boolean }): Result;
  /**
   * z of x z = y, for matrices x with the Cholesky factors given second. Native engine alone. As
   * `torch.cholesky_solve`. Default: `upper` false.
   */
  cholsolve(x: AnyTensor | OperandData, upper?: boolean): Result;
  /**
   * z of x z = y, for matrices x with the Cholesky factors given second. Native engine alone. As
   * `torch.cholesky_solve`. Default: `upper` false.
   */
  cholsolve(x: AnyTensor | OperandData, options: { readonly upper?: boolean }): Result;
  /**
   * L and U in one matrix, and the pivots, counted from 1. Native engine alone. As `torch.linalg.lu_factor`.
   * Default: `pivot` true.
   */
  lu(pivot?: boolean): [Result, Result];
  /**
   * L and U in one matrix, and the pivots, counted from 1. Native engine alone. As `torch.linalg.lu_factor`.
   * Default: `pivot` true.
   */
  lu(options: { readonly pivot?: boolean }): [Result, Result];
  /**
   * As `lu`, and 0 or the number of the first pivot that is 0. With `check`, one such pivot is an error. Native
   * engine alone. As `torch.linalg.lu_factor_ex`. Default: `pivot` true, `check` false.
   */
  lux(pivot?: boolean, check?: boolean): [Result, Result, Result];
  /**
   * As `lu`, and 0 or the number of the first pivot that is 0. With `check`, one such pivot is an error. Native
   * engine alone. As `torch.linalg.lu_factor_ex`. Default: `pivot` true, `check` false.
   */
  lux(options: { readonly pivot?: boolean; readonly check?: boolean }): [Result, Result, Result];
  /**
   * The permutation and the factors L and U of the results of `lu`. Native engine alone. As `torch.lu_unpack`.
   * Default: `dataflag` true, `pivotflag` true.
   */
  lun(y: AnyTensor | OperandData, dataflag?: boolean, pivotflag?: boolean): [Result, Result, Result];
  /**
   * The permutation and the factors L and U of the results of `lu`. Native engine alone. As `torch.lu_unpack`.
   * Default: `dataflag` true, `pivotflag` true.
   */
  lun(y: AnyTensor | OperandData, options: { readonly dataflag?: boolean; readonly pivotflag?: boolean }): [Result, Result, Result];
  /**
   * w of x w = y, for matrices whose results of `lu` are given second and third. Native engine alone. As
   * `torch.lu_solve`.
   */
  lusolve(x: AnyTensor | OperandData, z: AnyTensor | OperandData): Result;
  /**
   * Orthogonal Q and upper triangular R, reduced unless `complete`. Native engine alone. As `torch.linalg.qr`.
   * Default: `complete` false.
   */
  qr(complete?: boolean): [Result, Result];
  /**
   * Orthogonal Q and upper triangular R, reduced unless `complete`. Native engine alone. As `torch.linalg.qr`.
   * Default: `complete` false.
   */
  qr(options: { readonly complete?: boolean }): [Result, Result];
  /**
   * The first columns of products of Householder matrices, by reflectors `[*, m, n]` and factors `[*, k]`. Native
   * engine alone. As `torch.linalg.householder_product`.
   */
  householder(y: AnyTensor | OperandData): Result;
  /**
   * U, singular values, and V transposed. Gradients flow with `full` false. Native engine alone. As
   * `torch.linalg.svd`. Default: `full` true.
   */
  svd(full?: boolean): [Result, Result, Result];
  /**
   * U, singular values, and V transposed. Gradients flow with `full` false. Native engine alone. As
   * `torch.linalg.svd`. Default: `full` true.
   */
  svd(options: { readonly full?: boolean }): [Result, Result, Result];
  /**
   * The singular values of matrices, the largest first. Native engine alone. As `torch.linalg.svdvals`.
   */
  svdvals(): Result;
  /**
   * Eigenvalues and eigenvectors of symmetric matrices, of which one triangle is read. Native engine alone. As
   * `torch.linalg.eigh`. Default: `upper` false.
   */
  eigh(upper?: boolean): [Result, Result];
  /**
   * Eigenvalues and eigenvectors of symmetric matrices, of which one triangle is read. Native engine alone. As
   * `torch.linalg.eigh`. Default: `upper` false.
   */
  eigh(options: { readonly upper?: boolean }): [Result, Result];
  /**
   * Eigenvalues of symmetric matrices, of which one triangle is read. Native engine alone. As
   * `torch.linalg.eigvalsh`. Default: `upper` false.
   */
  eigvalsh(upper?: boolean): Result;
  /**
   * Eigenvalues of symmetric matrices, of which one triangle is read. Native engine alone. As
   * `torch.linalg.eigvalsh`. Default: `upper` false.
   */
  eigvalsh(options: { readonly upper?: boolean }): Result;
  /**
   * Powers of square matrices. A negative one is of the inverse, which the native engine alone has. As
   * `torch.linalg.matrix_power`.
   */
  power(n: number): Result;
  /**
   * Powers of square matrices. A negative one is of the inverse, which the native engine alone has. As
   * `torch.linalg.matrix_power`.
   */
  power(options: { readonly n: number }): Result;
  /**
   * The Frobenius norm over two dimensions, by default the last two. As `torch.linalg.matrix_norm`. Default:
   * `keepdim` false.
   */
  fnorm(dim?: number | readonly number[] | null, keepdim?: boolean): Result;
  /**
   * The Frobenius norm over two dimensions, by default the last two. As `torch.linalg.matrix_norm`. Default:
   * `keepdim` false.
   */
  fnorm(options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): Result;
  /**
   * The sum of the singular values over two dimensions, by default the last two. Native engine alone. As
   * `torch.nuclear_norm`. Default: `keepdim` false.
   */
  nnorm(dim?: number | readonly number[] | null, keepdim?: boolean): Result;
  /**
   * The sum of the singular values over two dimensions, by default the last two. Native engine alone. As
   * `torch.nuclear_norm`. Default: `keepdim` false.
   */
  nnorm(options: { readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): Result;
  /**
   * The norm of order 1, 2, infinity or a negative one over two dimensions, by default the last. Order 2 is native
   * alone. As `torch.linalg.matrix_norm`. Default: `ord` 2, `keepdim` false.
   */
  mnorm(ord?: number, dim?: number | readonly number[] | null, keepdim?: boolean): Result;
  /**
   * The norm of order 1, 2, infinity or a negative one over two dimensions, by default the last. Order 2 is native
   * alone. As `torch.linalg.matrix_norm`. Default: `ord` 2, `keepdim` false.
   */
  mnorm(options: { readonly ord?: number; readonly dim?: number | readonly number[] | null; readonly keepdim?: boolean }): Result;
  /**
   * The convolution of sequences `[n, in, l]` with a weight `[out, in / groups, k]`, plus a bias `[out]`. As
   * `torch.conv1d`. Default: `stride` 1, `pad` 0, `dilate` 1, `groups` 1.
   */
  conv1d(weight: AnyTensor | OperandData, bias?: AnyTensor | OperandData | null, stride?: number | readonly number[], pad?: number | readonly number[], dilate?: number | readonly number[], groups?: number): Result;
  /**
   * The convolution of sequences `[n, in, l]` with a weight `[out, in / groups, k]`, plus a bias `[out]`. As
   * `torch.conv1d`. Default: `stride` 1, `pad` 0, `dilate` 1, `groups` 1.
   */
  conv1d(weight: AnyTensor | OperandData, bias: AnyTensor | OperandData | null, options: { readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly dilate?: number | readonly number[]; readonly groups?: number }): Result;
  /**
   * The convolution of sequences `[n, in, l]` with a weight `[out, in / groups, k]`, plus a bias `[out]`. As
   * `torch.conv1d`. Default: `stride` 1, `pad` 0, `dilate` 1, `groups` 1.
   */
  conv1d(weight: AnyTensor | OperandData, options: { readonly bias?: AnyTensor | OperandData | null; readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly dilate?: number | readonly number[]; readonly groups?: number }): Result;
  /**
   * The convolution of images `[n, in, h, w]` with a weight `[out, in / groups, kh, kw]`, plus a bias `[out]`. As
   * `torch.conv2d`. Default: `stride` 1, `pad` 0, `dilate` 1, `groups` 1.
   */
  conv2d(weight: AnyTensor | OperandData, bias?: AnyTensor | OperandData | null, stride?: number | readonly number[], pad?: number | readonly number[], dilate?: number | readonly number[], groups?: number): Result;
  /**
   * The convolution of images `[n, in, h, w]` with a weight `[out, in / groups, kh, kw]`, plus a bias `[out]`. As
   * `torch.conv2d`. Default: `stride` 1, `pad` 0, `dilate` 1, `groups` 1.
   */
  conv2d(weight: AnyTensor | OperandData, bias: AnyTensor | OperandData | null, options: { readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly dilate?: number | readonly number[]; readonly groups?: number }): Result;
  /**
   * The convolution of images `[n, in, h, w]` with a weight `[out, in / groups, kh, kw]`, plus a bias `[out]`. As
   * `torch.conv2d`. Default: `stride` 1, `pad` 0, `dilate` 1, `groups` 1.
   */
  conv2d(weight: AnyTensor | OperandData, options: { readonly bias?: AnyTensor | OperandData | null; readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly dilate?: number | readonly number[]; readonly groups?: number }): Result;
  /**
   * The convolution of volumes `[n, in, d, h, w]` with a weight `[out, in / groups, kd, kh, kw]`, plus a bias
   * `[out]`. As `torch.conv3d`. Default: `stride` 1, `pad` 0, `dilate` 1, `groups` 1.
   */
  conv3d(weight: AnyTensor | OperandData, bias?: AnyTensor | OperandData | null, stride?: number | readonly number[], pad?: number | readonly number[], dilate?: number | readonly number[], groups?: number): Result;
  /**
   * The convolution of volumes `[n, in, d, h, w]` with a weight `[out, in / groups, kd, kh, kw]`, plus a bias
   * `[out]`. As `torch.conv3d`. Default: `stride` 1, `pad` 0, `dilate` 1, `groups` 1.
   */
  conv3d(weight: AnyTensor | OperandData, bias: AnyTensor | OperandData | null, options: { readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly dilate?: number | readonly number[]; readonly groups?: number }): Result;
  /**
   * The convolution of volumes `[n, in, d, h, w]` with a weight `[out, in / groups, kd, kh, kw]`, plus a bias
   * `[out]`. As `torch.conv3d`. Default: `stride` 1, `pad` 0, `dilate` 1, `groups` 1.
   */
  conv3d(weight: AnyTensor | OperandData, options: { readonly bias?: AnyTensor | OperandData | null; readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly dilate?: number | readonly number[]; readonly groups?: number }): Result;
  /**
   * The transposed convolution of sequences `[n, in, l]` with a weight `[in, out / groups, k]`, plus a bias `[out]`.
   * As `torch.conv_transpose1d`. Default: `stride` 1, `pad` 0, `outpad` 0, `groups` 1, `dilate` 1.
   */
  convtranspose1d(weight: AnyTensor | OperandData, bias?: AnyTensor | OperandData | null, stride?: number | readonly number[], pad?: number | readonly number[], outpad?: number | readonly number[], groups?: number, dilate?: number | readonly number[]): Result;
  /**
   * The transposed convolution of sequences `[n, in, l]` with a weight `[in, out / groups, k]`, plus a bias `[out]`.
   * As `torch.conv_transpose1d`. Default: `stride` 1, `pad` 0, `outpad` 0, `groups` 1, `dilate` 1.
   */
  convtranspose1d(weight: AnyTensor | OperandData, bias: AnyTensor | OperandData | null, options: { readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly outpad?: number | readonly number[]; readonly groups?: number; readonly dilate?: number | readonly number[] }): Result;
  /**
   * The transposed convolution of sequences `[n, in, l]` with a weight `[in, out / groups, k]`, plus a bias `[out]`.
   * As `torch.conv_transpose1d`. Default: `stride` 1, `pad` 0, `outpad` 0, `groups` 1, `dilate` 1.
   */
  convtranspose1d(weight: AnyTensor | OperandData, options: { readonly bias?: AnyTensor | OperandData | null; readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly outpad?: number | readonly number[]; readonly groups?: number; readonly dilate?: number | readonly number[] }): Result;
  /**
   * The transposed convolution of images `[n, in, h, w]` with a weight `[in, out / groups, kh, kw]`, plus a bias
   * `[out]`. As `torch.conv_transpose2d`. Default: `stride` 1, `pad` 0, `outpad` 0, `groups` 1, `dilate` 1.
   */
  convtranspose2d(weight: AnyTensor | OperandData, bias?: AnyTensor | OperandData | null, stride?: number | readonly number[], pad?: number | readonly number[], outpad?: number | readonly number[], groups?: number, dilate?: number | readonly number[]): Result;
  /**
   * The transposed convolution of images `[n, in, h, w]` with a weight `[in, out / groups, kh, kw]`, plus a bias
   * `[out]`. As `torch.conv_transpose2d`. Default: `stride` 1, `pad` 0, `outpad` 0, `groups` 1, `dilate` 1.
   */
  convtranspose2d(weight: AnyTensor | OperandData, bias: AnyTensor | OperandData | null, options: { readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly outpad?: number | readonly number[]; readonly groups?: number; readonly dilate?: number | readonly number[] }): Result;
  /**
   * The transposed convolution of images `[n, in, h, w]` with a weight `[in, out / groups, kh, kw]`, plus a bias
   * `[out]`. As `torch.conv_transpose2d`. Default: `stride` 1, `pad` 0, `outpad` 0, `groups` 1, `dilate` 1.
   */
  convtranspose2d(weight: AnyTensor | OperandData, options: { readonly bias?: AnyTensor | OperandData | null; readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly outpad?: number | readonly number[]; readonly groups?: number; readonly dilate?: number | readonly number[] }): Result;
  /**
   * The transposed convolution of volumes `[n, in, d, h, w]` with a weight `[in, out / groups, kd, kh, kw]`, plus a
   * bias. As `torch.conv_transpose3d`. Default: `stride` 1, `pad` 0, `outpad` 0, `groups` 1, `dilate` 1.
   */
  convtranspose3d(weight: AnyTensor | OperandData, bias?: AnyTensor | OperandData | null, stride?: number | readonly number[], pad?: number | readonly number[], outpad?: number | readonly number[], groups?: number, dilate?: number | readonly number[]): Result;
  /**
   * The transposed convolution of volumes `[n, in, d, h, w]` with a weight `[in, out / groups, kd, kh, kw]`, plus a
   * bias. As `torch.conv_transpose3d`. Default: `stride` 1, `pad` 0, `outpad` 0, `groups` 1, `dilate` 1.
   */
  convtranspose3d(weight: AnyTensor | OperandData, bias: AnyTensor | OperandData | null, options: { readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly outpad?: number | readonly number[]; readonly groups?: number; readonly dilate?: number | readonly number[] }): Result;
  /**
   * The transposed convolution of volumes `[n, in, d, h, w]` with a weight `[in, out / groups, kd, kh, kw]`, plus a
   * bias. As `torch.conv_transpose3d`. Default: `stride` 1, `pad` 0, `outpad` 0, `groups` 1, `dilate` 1.
   */
  convtranspose3d(weight: AnyTensor | OperandData, options: { readonly bias?: AnyTensor | OperandData | null; readonly stride?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly outpad?: number | readonly number[]; readonly groups?: number; readonly dilate?: number | readonly number[] }): Result;
  /**
   * The windows of images `[n, c, h, w]` as columns `[n, c * kh * kw, positions]`. As `torch.nn.functional.unfold`.
   * Default: `dilate` 1, `pad` 0, `stride` 1.
   */
  unfold(size: number | readonly number[], dilate?: number | readonly number[], pad?: number | readonly number[], stride?: number | readonly number[]): Result;
  /**
   * The windows of images `[n, c, h, w]` as columns `[n, c * kh * kw, positions]`. As `torch.nn.functional.unfold`.
   * Default: `dilate` 1, `pad` 0, `stride` 1.
   */
  unfold(options: { readonly size: number | readonly number[]; readonly dilate?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly stride?: number | readonly number[] }): Result;
  /**
   * The sums of columns `[n, c * kh * kw, positions]` at the elements of images of size `out`: `[n, c, h, w]`. As
   * `torch.nn.functional.fold`. Default: `dilate` 1, `pad` 0, `stride` 1.
   */
  fold(out: number | readonly number[], size: number | readonly number[], dilate?: number | readonly number[], pad?: number | readonly number[], stride?: number | readonly number[]): Result;
  /**
   * The sums of columns `[n, c * kh * kw, positions]` at the elements of images of size `out`: `[n, c, h, w]`. As
   * `torch.nn.functional.fold`. Default: `dilate` 1, `pad` 0, `stride` 1.
   */
  fold(options: { readonly out: number | readonly number[]; readonly size: number | readonly number[]; readonly dilate?: number | readonly number[]; readonly pad?: number | readonly number[]; readonly stride?: number | readonly number[] }): Result;
  /**
   * x with elements added around the last dimensions: two amounts for each, the last dimension first; negative to
   * remove. As `torch.nn.functional.pad`. Default: `mode` constant, `value` 0.
   */
  pad(pad: number | readonly number[], mode?: "constant" | "reflect" | "replicate" | "circular", value?: number): Result;
  /**
   * x with elements added around the last dimensions: two amounts for each, the last dimension first; negative to
   * remove. As `torch.nn.functional.pad`. Default: `mode` constant, `value` 0.
   */
  pad(options: { readonly pad: number | readonly number[]; readonly mode?: "constant" | "reflect" | "replicate" | "circular"; readonly value?: number }): Result;
  /**
   * Images `[n, c, *]` in another size: one size or scale for all dimensions, or one for each. As
   * `torch.nn.functional.interpolate`. Default: `mode` nearest.
   */
  interpolate(size?: number | readonly number[] | null, scale?: number | readonly number[] | null, mode?: "nearest" | "linear" | "bilinear" | "bicubic" | "trilinear" | "area" | "nearestexact", align?: boolean | null, rescale?: boolean | null): Result;
  /**
   * Images `[n, c, *]` in another size: one size or scale for all dimensions, or one for each. As
   * `torch.nn.functional.interpolate`. Default: `mode` nearest.
   */
  interpolate(options: { readonly size?: number | readonly number[] | null; readonly scale?: number | readonly number[] | null; readonly mode?: "nearest" | "linear" | "bilinear" | "bicubic" | "trilinear" | "area" | "nearestexact"; readonly align?: boolean | null; readonly rescale?: boolean | null }): Result;
  /**
   * The largest element of each window of `[n, c, l]`. Stride: by default the size. As `torch.max_pool1d`. Default:
   * `pad` 0, `dilate` 1, `ceiling` false.
   */
  maxpool1d(size: number | readonly number[], stride?: number | readonly number[] | null, pad?: number | readonly number[], dilate?: number | readonly number[], ceiling?: boolean): Result;
  /**
   * The largest element of each window of `[n, c, l]`. Stride: by default the size. As `torch.max_pool1d`. Default:
   * `pad` 0, `dilate` 1, `ceiling` false.
   */
  maxpool1d(options: { readonly size: number | readonly number[]; readonly stride?: number | readonly number[] | null; readonly pad?: number | readonly number[]; readonly dilate?: number | readonly number[]; readonly ceiling?: boolean }): Result;
  /**
   * The largest element of each window of `[n, c, h, w]`. Stride: by default the size. As `torch.max_pool2d`.
   * Default: `pad` 0, `dilate` 1, `ceiling` false.
   */
  maxpool2d(size: number | readonly number[], stride?: number | readonly number[] | null, pad?: number | readonly number[], dilate?: number | readonly number[], ceiling?: boolean): Result;
  /**
   * The largest element of each window of `[n, c, h, w]`. Stride: by default the size. As `torch.max_pool2d`.
   * Default: `pad` 0, `dilate` 1, `ceiling` false.
   */
  maxpool2d(options: { readonly size: number | readonly number[]; readonly stride?: number | readonly number[] | null; readonly pad?: number | readonly number[]; readonly dilate?: number | readonly number[]; readonly ceiling?: boolean }): Result;
  /**
   * The largest element of each window of `[n, c, d, h, w]`. Stride: by default the size. As `torch.max_pool3d`.
   * Default: `pad` 0, `dilate` 1, `ceiling` false.
   */
  maxpool3d(size: number | readonly number[], stride?: number | readonly number[] | null, pad?: number | readonly number[], dilate?: number | readonly number[], ceiling?: boolean): Result;
  /**
   * The largest element of each window of `[n, c, d, h, w]`. Stride: by default the size. As `torch.max_pool3d`.
   * Default: `pad` 0, `dilate` 1, `ceiling` false.
   */
  maxpool3d(options: { readonly size: number | readonly number[]; readonly stride?: number | readonly number[] | null; readonly pad?: number | readonly number[]; readonly dilate?: number | readonly number[]; readonly ceiling?: boolean }): Result;
  /**
   * The mean of each window of `[n, c, l]`. Stride: by default the size. As `torch.avg_pool1d`. Default: `pad` 0,
   * `ceiling` false, `countpad` true.
   */
  avgpool1d(size: number | readonly number[], stride?: number | readonly number[] | null, pad?: number | readonly number[], ceiling?: boolean, countpad?: boolean, divisor?: number | null): Result;
  /**
   * The mean of each window of `[n, c, l]`. Stride: by default the size. As `torch.avg_pool1d`. Default: `pad` 0,
   * `ceiling` false, `countpad` true.
   */
  avgpool1d(options: { readonly size: number | readonly number[]; readonly stride?: number | readonly number[] | null; readonly pad?: number | readonly number[]; readonly ceiling?: boolean; readonly countpad?: boolean; readonly divisor?: number | null }): Result;
  /**
   * The mean of each window of `[n, c, h, w]`. Stride: by default the size. As `torch.nn.functional.avg_pool2d`.
   * Default: `pad` 0, `ceiling` false, `countpad` true.
   */
  avgpool2d(size: number | readonly number[], stride?: number | readonly number[] | null, pad?: number | readonly number[], ceiling?: boolean, countpad?: boolean, divisor?: number | null): Result;
  /**
   * The mean of each window of `[n, c, h, w]`. Stride: by default the size. As `torch.nn.functional.avg_pool2d`.
   * Default: `pad` 0, `ceiling` false, `countpad` true.
   */
  avgpool2d(options: { readonly size: number | readonly number[]; readonly stride?: number | readonly number[] | null; readonly pad?: number | readonly number[]; readonly ceiling?: boolean; readonly countpad?: boolean; readonly divisor?: number | null }): Result;
  /**
   * The mean of each window of `[n, c, d, h, w]`. Stride: by default the size. As `torch.nn.functional.avg_pool3d`.
   * Default: `pad` 0, `ceiling` false, `countpad` true.
   */
  avgpool3d(size: number | readonly number[], stride?: number | readonly number[] | null, pad?: number | readonly number[], ceiling?: boolean, countpad?: boolean, divisor?: number | null): Result;
  /**
   * The mean of each window of `[n, c, d, h, w]`. Stride: by default the size. As `torch.nn.functional.avg_pool3d`.
   * Default: `pad` 0, `ceiling` false, `countpad` true.
   */
  avgpool3d(options: { readonly size: number | readonly number[]; readonly stride?: number | readonly number[] | null; readonly pad?: number | readonly number[]; readonly ceiling?: boolean; readonly countpad?: boolean; readonly divisor?: number | null }): Result;
  /**
   * The largest element of each of so many parts of `[n, c, l]`. As `torch.nn.functional.adaptive_max_pool1d`.
   */
  adaptmax1d(size: number | readonly number[]): Result;
  /**
   * The largest element of each of so many parts of `[n, c, l]`. As `torch.nn.functional.adaptive_max_pool1d`.
   */
  adaptmax1d(options: { readonly size: number | readonly number[] }): Result;
  /**
   * The largest element of each of so many parts of `[n, c, h, w]`. As `torch.nn.functional.adaptive_max_pool2d`.
   */
  adaptmax2d(size: number | readonly number[]): Result;
  /**
   * The largest element of each of so many parts of `[n, c, h, w]`. As `torch.nn.functional.adaptive_max_pool2d`.
   */
  adaptmax2d(options: { readonly size: number | readonly number[] }): Result;
  /**
   * The largest element of each of so many parts of `[n, c, d, h, w]`. As `torch.nn.functional.adaptive_max_pool3d`.
   */
  adaptmax3d(size: number | readonly number[]): Result;
  /**
   * The largest element of each of so many parts of `[n, c, d, h, w]`. As `torch.nn.functional.adaptive_max_pool3d`.
   */
  adaptmax3d(options: { readonly size: number | readonly number[] }): Result;
  /**
   * The mean of each of so many parts of `[n, c, l]`. As `torch.adaptive_avg_pool1d`.
   */
  adaptavg1d(size: number | readonly number[]): Result;
  /**
   * The mean of each of so many parts of `[n, c, l]`. As `torch.adaptive_avg_pool1d`.
   */
  adaptavg1d(options: { readonly size: number | readonly number[] }): Result;
  /**
   * The mean of each of so many parts of `[n, c, h, w]`. As `torch.nn.functional.adaptive_avg_pool2d`.
   */
  adaptavg2d(size: number | readonly number[]): Result;
  /**
   * The mean of each of so many parts of `[n, c, h, w]`. As `torch.nn.functional.adaptive_avg_pool2d`.
   */
  adaptavg2d(options: { readonly size: number | readonly number[] }): Result;
  /**
   * The mean of each of so many parts of `[n, c, d, h, w]`. As `torch.nn.functional.adaptive_avg_pool3d`.
   */
  adaptavg3d(size: number | readonly number[]): Result;
  /**
   * The mean of each of so many parts of `[n, c, d, h, w]`. As `torch.nn.functional.adaptive_avg_pool3d`.
   */
  adaptavg3d(options: { readonly size: number | readonly number[] }): Result;
  /**
   * The norm of order p of each window of `[n, c, l]`. Stride: by default the size. As
   * `torch.nn.functional.lp_pool1d`. Default: `ceiling` false.
   */
  lppool1d(p: number, size: number | readonly number[], stride?: number | readonly number[] | null, ceiling?: boolean): Result;
  /**
   * The norm of order p of each window of `[n, c, l]`. Stride: by default the size. As
   * `torch.nn.functional.lp_pool1d`. Default: `ceiling` false.
   */
  lppool1d(options: { readonly p: number; readonly size: number | readonly number[]; readonly stride?: number | readonly number[] | null; readonly ceiling?: boolean }): Result;
  /**
   * The norm of order p of each window of `[n, c, h, w]`. Stride: by default the size. As
   * `torch.nn.functional.lp_pool2d`. Default: `ceiling` false.
   */
  lppool2d(p: number, size: number | readonly number[], stride?: number | readonly number[] | null, ceiling?: boolean): Result;
  /**
   * The norm of order p of each window of `[n, c, h, w]`. Stride: by default the size. As
   * `torch.nn.functional.lp_pool2d`. Default: `ceiling` false.
   */
  lppool2d(options: { readonly p: number; readonly size: number | readonly number[]; readonly stride?: number | readonly number[] | null; readonly ceiling?: boolean }): Result;
  /**
   * The largest element of windows of images at random distances, which samples `[n, c, 2]` in [0, 1) place, else
   * random ones. As `torch.nn.functional.fractional_max_pool2d`.
   */
  fmaxpool2d(size: number | readonly number[], outsize?: number | readonly number[] | null, ratio?: number | readonly number[] | null, samples?: AnyTensor | OperandData | null): Result;
  /**
   * The largest element of windows of images at random distances, which samples `[n, c, 2]` in [0, 1) place, else
   * random ones. As `torch.nn.functional.fractional_max_pool2d`.
   */
  fmaxpool2d(options: { readonly size: number | readonly number[]; readonly outsize?: number | readonly number[] | null; readonly ratio?: number | readonly number[] | null; readonly samples?: AnyTensor | OperandData | null }): Result;
  /**
   * The largest element of windows of volumes at random distances, which samples `[n, c, 3]` in [0, 1) place, else
   * random ones. As `torch.nn.functional.fractional_max_pool3d`.
   */
  fmaxpool3d(size: number | readonly number[], outsize?: number | readonly number[] | null, ratio?: number | readonly number[] | null, samples?: AnyTensor | OperandData | null): Result;
  /**
   * The largest element of windows of volumes at random distances, which samples `[n, c, 3]` in [0, 1) place, else
   * random ones. As `torch.nn.functional.fractional_max_pool3d`.
   */
  fmaxpool3d(options: { readonly size: number | readonly number[]; readonly outsize?: number | readonly number[] | null; readonly ratio?: number | readonly number[] | null; readonly samples?: AnyTensor | OperandData | null }): Result;
  /**
   * The elements in another shape; one size may be -1, which is computed. As `torch.reshape`.
   */
  reshape(shape: number | readonly number[]): Result;
  /**
   * The elements in another shape; one size may be -1, which is computed. As `torch.reshape`.
   */
  reshape(options: { readonly shape: number | readonly number[] }): Result;
  /**
   * Without dimensions of size 1: all of them, or the given ones. As `torch.squeeze`.
   */
  squeeze(dim?: number | readonly number[] | null): Result;
  /**
   * Without dimensions of size 1: all of them, or the given ones. As `torch.squeeze`.
   */
  squeeze(options: { readonly dim?: number | readonly number[] | null }): Result;
  /**
   * With a new dimension of size 1. As `torch.unsqueeze`.
   */
  unsqueeze(dim: number): Result;
  /**
   * With a new dimension of size 1. As `torch.unsqueeze`.
   */
  unsqueeze(options: { readonly dim: number }): Result;
  /**
   * Two dimensions exchanged, by default the last two. As `torch.transpose`. Default: `a` -1, `b` -2.
   */
  transpose(a?: number, b?: number): Result;
  /**
   * Two dimensions exchanged, by default the last two. As `torch.transpose`. Default: `a` -1, `b` -2.
   */
  transpose(options: { readonly a?: number; readonly b?: number }): Result;
  /**
   * The dimensions in another order. As `torch.permute`.
   */
  permute(dims: number | readonly number[]): Result;
  /**
   * The dimensions in another order. As `torch.permute`.
   */
  permute(options: { readonly dims: number | readonly number[] }): Result;
  /**
   * Dimensions of size 1 repeated; a size of -1 stays. As `torch.expand`.
   */
  expand(shape: number | readonly number[]): Result;
  /**
   * Dimensions of size 1 repeated; a size of -1 stays. As `torch.expand`.
   */
  expand(options: { readonly shape: number | readonly number[] }): Result;
  /**
   * `length` elements along a dimension from `start`. As `torch.narrow`.
   */
  narrow(dim: number, start: number, length: number): Result;
  /**
   * `length` elements along a dimension from `start`. As `torch.narrow`.
   */
  narrow(options: { readonly dim: number; readonly start: number; readonly length: number }): Result;
  /**
   * Reversed along dimensions. As `torch.flip`.
   */
  flip(dims: number | readonly number[]): Result;
  /**
   * Reversed along dimensions. As `torch.flip`.
   */
  flip(options: { readonly dims: number | readonly number[] }): Result;
  /**
   * Elements moved along a dimension; the last ones come first. As `torch.roll`.
   */
  roll(shift: number, dim: number): Result;
  /**
   * Elements moved along a dimension; the last ones come first. As `torch.roll`.
   */
  roll(options: { readonly shift: number; readonly dim: number }): Result;
  /**
   * Dimensions from the first to the last joined to one. As `torch.flatten`. Default: `first` 0, `last` -1.
   */
  flatten(first?: number, last?: number): Result;
  /**
   * Dimensions from the first to the last joined to one. As `torch.flatten`. Default: `first` 0, `last` -1.
   */
  flatten(options: { readonly first?: number; readonly last?: number }): Result;
  /**
   * The lower triangle of matrices, up to a diagonal; 0 elsewhere. As `torch.tril`. Default: `diagonal` 0.
   */
  tril(diagonal?: number): Result;
  /**
   * The lower triangle of matrices, up to a diagonal; 0 elsewhere. As `torch.tril`. Default: `diagonal` 0.
   */
  tril(options: { readonly diagonal?: number }): Result;
  /**
   * The upper triangle of matrices, from a diagonal; 0 elsewhere. As `torch.triu`. Default: `diagonal` 0.
   */
  triu(diagonal?: number): Result;
  /**
   * The upper triangle of matrices, from a diagonal; 0 elsewhere. As `torch.triu`. Default: `diagonal` 0.
   */
  triu(options: { readonly diagonal?: number }): Result;
  /**
   * A copy cut off from the graph. As `torch.detach`. No gradient flows.
   */
  detach(): Result;
  /**
   * Elements along a dimension at indices `[n]`. As `torch.index_select`.
   */
  indexselect(dim: number, indices: AnyTensor | OperandData): Result;
  /**
   * Elements along a dimension at indices `[n]`. As `torch.index_select`.
   */
  indexselect(options: { readonly dim: number; readonly indices: AnyTensor | OperandData }): Result;
  /**
   * The part of a tensor at one index of a dimension, without that dimension. As `torch.select`.
   */
  select(dim: number, index: number): Result;
  /**
   * The part of a tensor at one index of a dimension, without that dimension. As `torch.select`.
   */
  select(options: { readonly dim: number; readonly index: number }): Result;
  /**
   * The part at one index of a dimension, as `select`, or at several, as `indexselect`; negative ones count from the
   * last. As `torch.index_select`.
   */
  index(dim: number, indices: AnyTensor | OperandData): Result;
  /**
   * The part at one index of a dimension, as `select`, or at several, as `indexselect`; negative ones count from the
   * last. As `torch.index_select`.
   */
  index(options: { readonly dim: number; readonly indices: AnyTensor | OperandData }): Result;
  /**
   * At each position of the indices, the element with that index along a dimension. As `torch.gather`.
   */
  gather(dim: number, indices: AnyTensor | OperandData): Result;
  /**
   * At each position of the indices, the element with that index along a dimension. As `torch.gather`.
   */
  gather(options: { readonly dim: number; readonly indices: AnyTensor | OperandData }): Result;
  /**
   * x with each element of the source added at its index along a dimension. As `torch.scatter_add`.
   */
  scatteradd(dim: number, indices: AnyTensor | OperandData, source: AnyTensor | OperandData): Result;
  /**
   * x with each element of the source added at its index along a dimension. As `torch.scatter_add`.
   */
  scatteradd(options: { readonly dim: number; readonly indices: AnyTensor | OperandData; readonly source: AnyTensor | OperandData }): Result;
  /**
   * A value where the mask is true, else elements of x. As `torch.masked_fill`.
   */
  maskedfill(mask: AnyTensor | OperandData, value: number): Result;
  /**
   * A value where the mask is true, else elements of x. As `torch.masked_fill`.
   */
  maskedfill(mask: AnyTensor | OperandData, options: { readonly value: number }): Result;
  /**
   * Classes `[*]`, from 0 to n - 1, as rows `[*, n]` of zeros with a 1, of dtype long. As
   * `torch.nn.functional.one_hot`. No gradient flows.
   */
  onehot(n: number): Result;
  /**
   * Classes `[*]`, from 0 to n - 1, as rows `[*, n]` of zeros with a 1, of dtype long. As
   * `torch.nn.functional.one_hot`. No gradient flows.
   */
  onehot(options: { readonly n: number }): Result;
  /**
   * 1 with the probability that each element is, else 0. As `torch.bernoulli`. No gradient flows.
   */
  bernoulli(): Result;
  /**
   * `n` indices for each row of weights `[*, k]`, drawn in proportion to them. Without `replace` they differ. As
   * `torch.multinomial`. No gradient flows. Default: `n` 1, `replace` false.
   */
  multinomial(n?: number, replace?: boolean): Result;
  /**
   * `n` indices for each row of weights `[*, k]`, drawn in proportion to them. Without `replace` they differ. As
   * `torch.multinomial`. No gradient flows. Default: `n` 1, `replace` false.
   */
  multinomial(options: { readonly n?: number; readonly replace?: boolean }): Result;
  /**
   * Frequencies moved so that 0 is in the middle, along all dimensions or the given ones. As `torch.fft.fftshift`.
   */
  fftshift(dim?: number | readonly number[] | null): Result;
  /**
   * Frequencies moved so that 0 is in the middle, along all dimensions or the given ones. As `torch.fft.fftshift`.
   */
  fftshift(options: { readonly dim?: number | readonly number[] | null }): Result;
  /**
   * The inverse of `fftshift`. As `torch.fft.ifftshift`.
   */
  ifftshift(dim?: number | readonly number[] | null): Result;
  /**
   * The inverse of `fftshift`. As `torch.fft.ifftshift`.
   */
  ifftshift(options: { readonly dim?: number | readonly number[] | null }): Result;
  /** Cross entropy of these logits. As the function `ce`. */
  ce(target: Target, options?: LossOptionsOf["ce"]): Result;
  /** Negative log-likelihood of these log-probabilities. As the function `nll`. */
  nll(target: Target, options?: LossOptionsOf["nll"]): Result;
  /** Squared error. As the function `mse`. */
  mse(target: Target, options?: LossOptionsOf["mse"]): Result;
  /** Absolute error. As the function `l1`. */
  l1(target: Target, options?: LossOptionsOf["l1"]): Result;
  /** Squared error below `beta`, absolute error above. As the function `smoothl1`. */
  smoothl1(target: Target, options?: LossOptionsOf["smoothl1"]): Result;
  /** Binary cross entropy of these probabilities. As the function `bce`. */
  bce(target: Target, options?: LossOptionsOf["bce"]): Result;
  /** Binary cross entropy of these probabilities. As the function `bce`. */
  bce(target: Target, weight: Target, options?: LossOptionsOf["bce"]): Result;
  /** Binary cross entropy of these logits. As the function `bcewithlogits`. */
  bcewithlogits(target: Target, options?: LossOptionsOf["bcewithlogits"]): Result;
  /** Binary cross entropy of these logits. As the function `bcewithlogits`. */
  bcewithlogits(target: Target, weight: Target, options?: LossOptionsOf["bcewithlogits"]): Result;
  /** Half the squared error below `delta`, `delta` times the absolute error above. As the function `huber`. */
  huber(target: Target, options?: LossOptionsOf["huber"]): Result;
  /** Kullback-Leibler divergence of these log-probabilities. As the function `kl`. */
  kl(target: Target, options?: LossOptionsOf["kl"]): Result;
  /** Negative log-likelihood of counts by Poisson rates. As the function `poissonloss`. */
  poissonloss(target: Target, options?: LossOptionsOf["poissonloss"]): Result;
  /** These distances where the target is 1, and their hinge where it is -1. As the function `hinge`. */
  hinge(target: Target, options?: LossOptionsOf["hinge"]): Result;
  /** log(1 + exp(-target x)) of targets 1 and -1. As the function `softmargin`. */
  softmargin(target: Target, options?: LossOptionsOf["softmargin"]): Result;
  /** Margins between the labels of a row and its other classes. As the function `multilabel`. */
  multilabel(target: Target, options?: LossOptionsOf["multilabel"]): Result;
  /** Margins between the class of a row and the other classes. As the function `multimargin`. */
  multimargin(target: Target, options?: LossOptionsOf["multimargin"]): Result;
  /** Mean binary cross entropy of the classes of these logits. As the function `multisoft`. */
  multisoft(target: Target, options?: LossOptionsOf["multisoft"]): Result;
  /** 1 - cosine to rows with target 1, the excess of the cosine over the margin for -1. As the function `cosineloss`. */
  cosineloss(other: Target, target: Target, options?: LossOptionsOf["cosineloss"]): Result;
  /** Margin of a ranking: the target is 1 if the first is to be larger, -1 if the second. As the function `margin`. */
  margin(other: Target, target: Target, options?: LossOptionsOf["margin"]): Result;
  /** How much nearer the positive is than the negative, up to a margin. As the function `triplet`. */
  triplet(positive: Target, negative: Target, options?: LossOptionsOf["triplet"]): Result;
  /** Connectionist temporal classification of these log-probabilities. As the function `ctc`. */
  ctc(targets: Target, inputlengths: Target, targetlengths: Target, options?: LossOptionsOf["ctc"]): Result;
}

/** A function, and how many arguments its method takes. */
type Method = readonly [operation: (...args: never) => unknown, count: number];

/** The functions of the methods, by name. */
export const tensorMethods: readonly (readonly [name: string, ...Method])[] = [
  ["abs", elementwise.abs, 0],
  ["neg", elementwise.neg, 0],
  ["sign", elementwise.sign, 0],
  ["ceil", elementwise.ceil, 0],
  ["floor", elementwise.floor, 0],
  ["round", elementwise.round, 0],
  ["trunc", elementwise.trunc, 0],
  ["frac", elementwise.frac, 0],
  ["sqrt", elementwise.sqrt, 0],
  ["rsqrt", elementwise.rsqrt, 0],
  ["square", elementwise.square, 0],
  ["exp", elementwise.exp, 0],
  ["expm1", elementwise.expm1, 0],
  ["log", elementwise.log, 0],
  ["log1p", elementwise.log1p, 0],
  ["log2", elementwise.log2, 0],
  ["log10", elementwise.log10, 0],
  ["sin", elementwise.sin, 0],
  ["cos", elementwise.cos, 0],
  ["tan", elementwise.tan, 0],
  ["asin", elementwise.asin, 0],
  ["acos", elementwise.acos, 0],
  ["atan", elementwise.atan, 0],
  ["sinh", elementwise.sinh, 0],
  ["cosh", elementwise.cosh, 0],
  ["erf", elementwise.erf, 0],
  ["erfc", elementwise.erfc, 0],
  ["erfinv", elementwise.erfinv, 0],
  ["lgamma", elementwise.lgamma, 0],
  ["digamma", elementwise.digamma, 0],
  ["reciprocal", elementwise.reciprocal, 0],
  ["not", elementwise.not, 0],
  ["bitwisenot", elementwise.bitwisenot, 0],
  ["add", elementwise.add, 2],
  ["sub", elementwise.sub, 2],
  ["mul", elementwise.mul, 1],
  ["div", elementwise.div, 1],
  ["pow", elementwise.pow, 1],
  ["fpow", elementwise.fpow, 1],
  ["mvlgamma", elementwise.mvlgamma, 1],
  ["remainder", elementwise.remainder, 1],
  ["fmod", elementwise.fmod, 1],
  ["atan2", elementwise.atan2, 1],
  ["maximum", elementwise.maximum, 1],
  ["minimum", elementwise.minimum, 1],
  ["fmax", elementwise.fmax, 1],
  ["fmin", elementwise.fmin, 1],
  ["and", elementwise.and, 1],
  ["or", elementwise.or, 1],
  ["xor", elementwise.xor, 1],
  ["lerp", elementwise.lerp, 2],
  ["addcmul", elementwise.addcmul, 3],
  ["addcdiv", elementwise.addcdiv, 3],
  ["clamp", elementwise.clamp, 2],
  ["where", elementwise.where, 2],
  ["cast", elementwise.cast, 1],
  ["relu", activation.relu, 0],
  ["relu6", activation.relu6, 0],
  ["leakyrelu", activation.leakyrelu, 1],
  ["prelu", activation.prelu, 1],
  ["rrelu", activation.rrelu, 3],
  ["elu", activation.elu, 1],
  ["celu", activation.celu, 1],
  ["selu", activation.selu, 0],
  ["gelu", activation.gelu, 1],
  ["silu", activation.silu, 0],
  ["mish", activation.mish, 0],
  ["softplus", activation.softplus, 2],
  ["softsign", activation.softsign, 0],
  ["glu", activation.glu, 1],
  ["hardtanh", activation.hardtanh, 2],
  ["hardshrink", activation.hardshrink, 1],
  ["softshrink", activation.softshrink, 1],
  ["tanhshrink", activation.tanhshrink, 0],
  ["logsigmoid", activation.logsigmoid, 0],
  ["threshold", activation.threshold, 2],
  ["tanh", activation.tanh, 0],
  ["sigmoid", activation.sigmoid, 0],
  ["softmax", activation.softmax, 1],
  ["logsoftmax", activation.logsoftmax, 1],
  ["softmin", activation.softmin, 1],
  ["eq", comparison.eq, 1],
  ["ne", comparison.ne, 1],
  ["lt", comparison.lt, 1],
  ["le", comparison.le, 1],
  ["gt", comparison.gt, 1],
  ["ge", comparison.ge, 1],
  ["equal", comparison.equal, 1],
  ["close", comparison.close, 4],
  ["allclose", comparison.allclose, 4],
  ["nan", comparison.nan, 0],
  ["inf", comparison.inf, 0],
  ["finite", comparison.finite, 0],
  ["posinf", comparison.posinf, 0],
  ["neginf", comparison.neginf, 0],
  ["isin", comparison.isin, 1],
  ["sum", reduction.sum, 2],
  ["mean", reduction.mean, 2],
  ["prod", reduction.prod, 2],
  ["amax", reduction.amax, 2],
  ["amin", reduction.amin, 2],
  ["aminmax", reduction.aminmax, 2],
  ["max", reduction.max, 2],
  ["min", reduction.min, 2],
  ["argmax", reduction.argmax, 2],
  ["argmin", reduction.argmin, 2],
  ["all", reduction.all, 2],
  ["any", reduction.any, 2],
  ["nansum", reduction.nansum, 2],
  ["nanmean", reduction.nanmean, 2],
  ["logsumexp", reduction.logsumexp, 2],
  ["cumsum", reduction.cumsum, 1],
  ["cumprod", reduction.cumprod, 1],
  ["variance", statistics.variance, 3],
  ["std", statistics.std, 3],
  ["meanstd", statistics.meanstd, 3],
  ["meanvar", statistics.meanvar, 3],
  ["vnorm", statistics.vnorm, 3],
  ["dist", statistics.dist, 2],
  ["renorm", statistics.renorm, 3],
  ["pairwise", statistics.pairwise, 4],
  ["similar", statistics.similar, 3],
  ["pdist", statistics.pdist, 1],
  ["normalize", statistics.normalize, 3],
  ["zscore", statistics.zscore, 2],
  ["rmsnorm", statistics.rmsnorm, 3],
  ["localnorm", statistics.localnorm, 4],
  ["mode", counting.mode, 2],
  ["unique", counting.unique, 0],
  ["uniquec", counting.uniquec, 0],
  ["bincount", counting.bincount, 2],
  ["histc", counting.histc, 3],
  ["sort", sorting.sort, 2],
  ["argsort", sorting.argsort, 2],
  ["msort", sorting.msort, 0],
  ["topk", sorting.topk, 3],
  ["kthvalue", sorting.kthvalue, 3],
  ["median", sorting.median, 2],
  ["nanmedian", sorting.nanmedian, 2],
  ["matmul", matrix.matmul, 1],
  ["mm", matrix.mm, 1],
  ["mv", matrix.mv, 1],
  ["bmm", matrix.bmm, 1],
  ["dot", matrix.dot, 1],
  ["outer", matrix.outer, 1],
  ["mmt", matrix.mmt, 1],
  ["mtm", matrix.mtm, 1],
  ["addmm", matrix.addmm, 4],
  ["addmv", matrix.addmv, 4],
  ["baddbmm", matrix.baddbmm, 4],
  ["addbmm", matrix.addbmm, 4],
  ["addr", matrix.addr, 4],
  ["tensordot", matrix.tensordot, 3],
  ["cross", matrix.cross, 2],
  ["bilinear", matrix.bilinear, 3],
  ["linear", matrix.linear, 2],
  ["trace", matrix.trace, 0],
  ["diagonal", diagonal.diagonal, 3],
  ["diag", diagonal.diag, 1],
  ["diagflat", diagonal.diagflat, 1],
  ["det", linear_algebra.det, 0],
  ["logdet", linear_algebra.logdet, 0],
  ["slogdet", linear_algebra.slogdet, 0],
  ["mrank", linear_algebra.mrank, 3],
  ["inverse", linear_algebra.inverse, 0],
  ["pinverse", linear_algebra.pinverse, 3],
  ["solve", linear_algebra.solve, 1],
  ["trisolve", linear_algebra.trisolve, 4],
  ["lstsq", linear_algebra.lstsq, 2],
  ["chol", linear_algebra.chol, 1],
  ["cholx", linear_algebra.cholx, 2],
  ["cholinverse", linear_algebra.cholinverse, 1],
  ["cholsolve", linear_algebra.cholsolve, 2],
  ["lu", linear_algebra.lu, 1],
  ["lux", linear_algebra.lux, 2],
  ["lun", linear_algebra.lun, 3],
  ["lusolve", linear_algebra.lusolve, 2],
  ["qr", linear_algebra.qr, 1],
  ["householder", linear_algebra.householder, 1],
  ["svd", linear_algebra.svd, 1],
  ["svdvals", linear_algebra.svdvals, 0],
  ["eigh", linear_algebra.eigh, 1],
  ["eigvalsh", linear_algebra.eigvalsh, 1],
  ["power", linear_algebra.power, 1],
  ["fnorm", linear_algebra.fnorm, 2],
  ["nnorm", linear_algebra.nnorm, 2],
  ["mnorm", linear_algebra.mnorm, 3],
  ["conv1d", convolution.conv1d, 6],
  ["conv2d", convolution.conv2d, 6],
  ["conv3d", convolution.conv3d, 6],
  ["convtranspose1d", convolution.convtranspose1d, 7],
  ["convtranspose2d", convolution.convtranspose2d, 7],
  ["convtranspose3d", convolution.convtranspose3d, 7],
  ["unfold", convolution.unfold, 4],
  ["fold", convolution.fold, 5],
  ["pad", convolution.pad, 3],
  ["interpolate", convolution.interpolate, 5],
  ["maxpool1d", pooling.maxpool1d, 5],
  ["maxpool2d", pooling.maxpool2d, 5],
  ["maxpool3d", pooling.maxpool3d, 5],
  ["avgpool1d", pooling.avgpool1d, 6],
  ["avgpool2d", pooling.avgpool2d, 6],
  ["avgpool3d", pooling.avgpool3d, 6],
  ["adaptmax1d", pooling.adaptmax1d, 1],
  ["adaptmax2d", pooling.adaptmax2d, 1],
  ["adaptmax3d", pooling.adaptmax3d, 1],
  ["adaptavg1d", pooling.adaptavg1d, 1],
  ["adaptavg2d", pooling.adaptavg2d, 1],
  ["adaptavg3d", pooling.adaptavg3d, 1],
  ["lppool1d", pooling.lppool1d, 4],
  ["lppool2d", pooling.lppool2d, 4],
  ["fmaxpool2d", pooling.fmaxpool2d, 4],
  ["fmaxpool3d", pooling.fmaxpool3d, 4],
  ["reshape", shape.reshape, 1],
  ["squeeze", shape.squeeze, 1],
  ["unsqueeze", shape.unsqueeze, 1],
  ["transpose", shape.transpose, 2],
  ["permute", shape.permute, 1],
  ["expand", shape.expand, 1],
  ["narrow", shape.narrow, 3],
  ["flip", shape.flip, 1],
  ["roll", shape.roll, 2],
  ["flatten", shape.flatten, 2],
  ["tril", shape.tril, 1],
  ["triu", shape.triu, 1],
  ["detach", shape.detach, 0],
  ["indexselect", indexing.indexselect, 2],
  ["select", indexing.select, 2],
  ["index", indexing.index, 2],
  ["gather", indexing.gather, 2],
  ["scatteradd", indexing.scatteradd, 3],
  ["maskedfill", indexing.maskedfill, 2],
  ["onehot", indexing.onehot, 1],
  ["bernoulli", sampling.bernoulli, 0],
  ["multinomial", sampling.multinomial, 2],
  ["fftshift", spectral.fftshift, 1],
  ["ifftshift", spectral.ifftshift, 1],
  ["ce", losses.ce, 2],
  ["nll", losses.nll, 2],
  ["mse", losses.mse, 2],
  ["l1", losses.l1, 2],
  ["smoothl1", losses.smoothl1, 2],
  ["bce", losses.bce, 3],
  ["bcewithlogits", losses.bcewithlogits, 3],
  ["huber", losses.huber, 2],
  ["kl", losses.kl, 2],
  ["poissonloss", losses.poissonloss, 2],
  ["hinge", losses.hinge, 2],
  ["softmargin", losses.softmargin, 2],
  ["multilabel", losses.multilabel, 2],
  ["multimargin", losses.multimargin, 2],
  ["multisoft", losses.multisoft, 2],
  ["cosineloss", losses.cosineloss, 3],
  ["margin", losses.margin, 3],
  ["triplet", losses.triplet, 3],
  ["ctc", losses.ctc, 4],
];
