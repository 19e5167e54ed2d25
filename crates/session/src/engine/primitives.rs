//! The primitives: operations that every engine implements, and of which the session composes all others.
//!
//! Semantics are torch 2.11's. The session checks shapes, dtypes and devices before the call: an engine may rely on each
//! sentence "expects". Dimensions are counted from 0 and below the rank; a tensor without dimensions has rank 0. All inputs
//! are on one device. Outputs are new tensors and may share memory with an input: see [`Engine::unshared`](crate::Engine::unshared).
//!
//! Inputs named `a` and `b` have one dtype and broadcast: shapes are aligned at the last dimension. A dimension of size 1, or a
//! missing one, repeats. The gradient of a repeated input is summed over the repeated positions.
//!
//! Gradients flow into floating inputs only. "No gradient" means that the output does not require one. Every primitive is
//! one loop over the elements of its output, or one reduction along dimensions, so that a shader can express it.

use crate::engine::operations::{Pooling, Window};
use crate::values::dtype::Dtype;

/// A primitive with its parameters. [`Engine::apply`](crate::Engine::apply) applies it to inputs.
#[derive(Clone, Debug, PartialEq)]
pub enum Primitive {
    /// `[x]` -> `[y]` of equal shape and dtype.
    Unary(Unary),
    /// `[a, b]` -> `[y]` of the broadcast shape and of their dtype.
    Binary(Binary),
    /// `[a, b]` of any one dtype -> `[y]`, a `bool` of the broadcast shape. No gradient. A comparison with NaN is false,
    /// except for [`Compare::Ne`], which is true. `false` is less than `true`.
    Compare(Compare),
    /// `[condition, a, b]` -> `[y]` of the broadcast shape of all three: `a` where `condition` (a `bool`) is true, else `b`.
    /// The gradient of the input that is not chosen is exactly 0, even if the other one is NaN.
    Where,
    /// `[x]` -> `[y]`, reduced over `dims`: distinct, ascending. Without dims it is `x` itself, also for rank 0. A reduced
    /// dimension has size 1 in the output if `keepdim`, and is removed otherwise.
    Reduce {
        /// The function.
        reduction: Reduce,
        /// The dimensions that are reduced.
        dims: Vec<usize>,
        /// Whether reduced dimensions stay, of size 1.
        keepdim: bool,
    },
    /// `[x]` -> `[y]`, a `long`: the first index along `dim` of the largest element, or of the smallest. NaN counts as both.
    /// No gradient. Expects float, double, half, bfloat16 or long, and at least one element along `dim`.
    ArgReduce {
        /// The largest, else the smallest.
        largest: bool,
        /// The dimension that is searched.
        dim: usize,
        /// Whether `dim` stays, of size 1.
        keepdim: bool,
    },
    /// `[a [*, m, k], b [*, k, n]]` -> `[y [*, m, n]]`: matrix products; the leading dimensions broadcast. Both have at
    /// least 2 dimensions and one dtype: floating or long. A sum over k = 0 is 0.
    MatMul,
    /// `[x]` -> `[y]`: the elements in row-major order in another shape with as many elements.
    Reshape(Vec<usize>),
    /// `[x]` -> `[y]`: dimension i of the output is dimension `dims[i]` of the input; `dims` is a permutation.
    Permute(Vec<usize>),
    /// `[x]` -> `[y]` broadcast to this shape.
    Expand(Vec<usize>),
    /// `[x]` -> `[y]`: `length` elements along `dim`, at `start`, `start + step`, ...; all are within the dimension.
    /// `step` is at least 1. The gradient is 0 elsewhere.
    Slice {
        /// The dimension.
        dim: usize,
        /// The first index.
        start: usize,
        /// How many; may be 0.
        length: usize,
        /// The distance of two indices; at least 1.
        step: usize,
    },
    /// `[x]` -> `[y0, y1, ..]`: parts along `dim` of these sizes, whose sum is the dimension's. At least one; a size may be 0.
    /// Rank at least 1. The gradients of the parts are joined, with 0 for a part that has no gradient.
    Split {
        /// The dimension.
        dim: usize,
        /// The size of each part.
        sizes: Vec<usize>,
    },
    /// `[x]` -> `[y]`, reversed along these dimensions.
    Flip(Vec<usize>),
    /// `[x0, x1, ..]` -> `[y]`, joined along this dimension. At least one input; all have one dtype, one rank of at least 1,
    /// and equal sizes elsewhere.
    Cat(usize),
    /// `[x, indices [n]]` -> `[y]`: element i along this dimension is element `indices[i]` of `x`. The gradient is summed
    /// into the selected elements, in order. Indices are `long`.
    ///
    /// # Errors
    /// `ERR_ARGUMENT` for an index that is not in 0..size, which only the engine sees: "expected indices from 0 to 3, given 7".
    IndexSelect(usize),
    /// `[x, indices]` -> `[y]` of the shape of `indices`: at each position, the element of `x` whose index along this
    /// dimension is taken from `indices`. Both have one rank, which may be 0 (then dimension 0 counts as size 1), and
    /// `indices` is at most as large elsewhere. The gradient is added into the gathered elements.
    ///
    /// # Errors
    /// As for [`Primitive::IndexSelect`].
    Gather(usize),
    /// `[x, indices, source]` -> `[y]`: `x` plus, for each position of `indices`, that element of `source`, added where the
    /// index along this dimension is taken from `indices`. Ranks as for [`Primitive::Gather`]; `indices` is at most as large
    /// as `source` everywhere, and as `x` elsewhere than this dimension. Terms are added in row-major order of `indices`.
    /// Gradients: of `x` the output's, of `source` the gathered output's, 0 where `indices` has no position.
    ///
    /// # Errors
    /// As for [`Primitive::IndexSelect`].
    ScatterAdd(usize),
    /// `[x]` -> `[y]` of equal shape and dtype: sums or products up to each element along the dimension. Rank 0: `x`. Floating
    /// or long. The gradient of a product is exact also where `x` is 0.
    Cumulative {
        /// The function.
        kind: Cumulative,
        /// The dimension.
        dim: usize,
    },
    /// `[x]` -> `[values, indices]`: sorted along `dim`, stable also if descending; `indices` is `long`. NaN is greater than
    /// every number. Rank 0: `x` and 0. The gradient of `values` goes to the elements where they were. Any dtype but `bool`.
    Sort {
        /// The dimension.
        dim: usize,
        /// The largest first.
        descending: bool,
    },
    /// `[x]` -> `[y]`: exp(x - m) / sum of exp(x - m) along this dimension, with m the maximum. Floating. Rank 0: 1.
    Softmax(usize),
    /// `[x]` -> `[y]`: the logarithm of [`Primitive::Softmax`], as x - m - log of sum of exp(x - m). Floating. Rank 0: 0.
    LogSoftmax(usize),
    /// `[x]` -> `[y]`: log of sum of exp(x) over `dims`, about the maximum, where an infinite maximum counts as 0. Floating.
    /// `dims` and `keepdim` as for [`Primitive::Reduce`]. Over no elements -infinity.
    LogSumExp {
        /// The dimensions that are reduced.
        dims: Vec<usize>,
        /// Whether reduced dimensions stay, of size 1.
        keepdim: bool,
    },
    /// `[x [n, in, h, w], weight [out, in / groups, kh, kw]]`, or with `bias [out]` -> `[y [n, out, h', w']]`: at each position
    /// of the window, the sum of its elements times the weight, plus the bias. Floating. The kernel fits into the padded image.
    Conv2d {
        /// How the kernel moves.
        window: Window,
        /// Groups of channels that do not see each other.
        groups: usize,
    },
    /// `[x [n, in, h, w], weight [in, out / groups, kh, kw]]`, or with `bias [out]` -> `[y [n, out, h', w']]`: the gradient of
    /// [`Primitive::Conv2d`] of an image of the output's size, plus the bias. Floating.
    ConvTranspose2d {
        /// How the kernel moves over the output.
        window: Window,
        /// Groups of channels that do not see each other.
        groups: usize,
        /// Height and width of the output.
        size: [usize; 2],
    },
    /// `[x [n, c, h, w]]` -> `[y [n, c, h', w']]`: the largest element or the mean of each window. Floating. The sizes after `n` are
    /// at least 1. NaN is the largest. The gradient of the largest goes to the first of equal elements.
    Pool2d(Pooling),
    /// `[x]` -> `[y]` of this dtype; of an equal dtype `x` itself. To floating rounded to the nearest; from `bool` 0 or 1. To
    /// `bool` x != 0, so NaN is true. To `long` truncated; NaN and numbers beyond its range give a number that depends on the
    /// machine. The gradient flows between floating dtypes, converted to the input's.
    Cast(Dtype),
}

/// Functions of one argument. "Floating" and "long" say which dtypes the session passes. A gradient formula is given if it
/// is not the derivative everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// |x|. Floating, long. Gradient sign(x).
    Abs,
    /// -x. Floating, long (wrapping).
    Neg,
    /// -1, 0 or 1; 0 for NaN. Floating, long. Gradient 0.
    Sign,
    /// The least whole number >= x. Floating. Gradient 0.
    Ceil,
    /// The greatest whole number <= x. Floating. Gradient 0.
    Floor,
    /// The nearest whole number, in a tie the even one. Floating. Gradient 0.
    Round,
    /// Towards 0. Floating. Gradient 0.
    Trunc,
    /// The square root. Floating. Gradient g / (2 y).
    Sqrt,
    /// 1 / sqrt(x). Floating. Gradient -g y³ / 2.
    Rsqrt,
    /// Floating.
    Exp,
    /// exp(x) - 1. Floating.
    Expm1,
    /// The natural logarithm. Floating.
    Log,
    /// log(1 + x). Floating.
    Log1p,
    /// Floating.
    Log2,
    /// Floating.
    Log10,
    /// Floating.
    Sin,
    /// Floating.
    Cos,
    /// Floating. Gradient g (1 + y²).
    Tan,
    /// Floating.
    Asin,
    /// Floating.
    Acos,
    /// Floating.
    Atan,
    /// Floating.
    Sinh,
    /// Floating.
    Cosh,
    /// Floating. Gradient g (1 - y²).
    Tanh,
    /// 1 / (1 + exp(-x)). Floating. Gradient g y (1 - y).
    Sigmoid,
    /// max(x, 0), NaN for NaN. Floating, long. Gradient 0 at x = 0.
    Relu,
    /// The error function. Floating.
    Erf,
    /// 1 - erf(x). Floating.
    Erfc,
    /// The inverse of the error function: ±infinity at ±1, NaN beyond. Floating. Gradient g sqrt(pi) / 2 exp(y²).
    Erfinv,
    /// log |gamma(x)|. Floating. Gradient g digamma(x).
    Lgamma,
    /// The derivative of lgamma: -infinity at 0 and +infinity at -0, NaN at negative whole numbers. Floating. The gradient
    /// is g trigamma(x).
    Digamma,
    /// Logical not of a `bool`; bitwise not of a `long`. No gradient.
    Not,
}

/// Functions of two arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// Floating, long (wrapping); of `bool` logical or.
    Add,
    /// Floating, long (wrapping).
    Sub,
    /// Floating, long (wrapping); of `bool` logical and.
    Mul,
    /// Floating. Gradients g / b, and -g (a / b) / b.
    Div,
    /// a to the power b. Floating, long. Of `long`: b < 0 gives 0, except that a = 1 gives 1 and a = -1 gives ±1. Gradients
    /// g b a^(b - 1), which is 0 where b = 0; and g y log(a), which is 0 where a = 0 and b >= 0.
    Pow,
    /// The larger, NaN if one is NaN. Floating, long, bool. Gradient of a: 0 where a < b, g / 2 where a = b, else g, so that
    /// with a NaN both inputs get g. Gradient of b likewise.
    Maximum,
    /// The smaller, NaN if one is NaN. Floating, long, bool. Gradients as for [`Binary::Maximum`].
    Minimum,
    /// a - b floor(a / b), with the sign of b. Floating, long. Gradients g, and -g floor(a / b). Of `long`: the session has
    /// not checked b; 0 is `ERR_ARGUMENT` "expected a divisor other than 0".
    Remainder,
    /// a - b trunc(a / b), with the sign of a. Floating, long. Gradients g, and -g trunc(a / b). 0 as for
    /// [`Binary::Remainder`].
    Fmod,
    /// The angle of the point (b, a), in (-pi, pi]. Floating. Gradients g b / (a² + b²), and -g a / (a² + b²); 0 where both
    /// are 0.
    Atan2,
    /// Logical of `bool`, bitwise of `long`. No gradient.
    And,
    /// Logical of `bool`, bitwise of `long`. No gradient.
    Or,
    /// Logical of `bool`, bitwise of `long`. No gradient.
    Xor,
}

/// A function of each element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elementwise {
    /// Of one tensor.
    Unary(Unary),
    /// Of two tensors.
    Binary(Binary),
}

/// Comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// a = b
    Eq,
    /// a != b
    Ne,
    /// a < b
    Lt,
    /// a <= b
    Le,
    /// a > b
    Gt,
    /// a >= b
    Ge,
}

/// Reductions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduce {
    /// Floating, long (wrapping). Over no elements 0.
    Sum,
    /// Floating. Over no elements NaN.
    Mean,
    /// Floating, long (wrapping). Over no elements 1. The gradient is exact also where elements are 0.
    Prod,
    /// The largest; NaN if there is one. Floating, long, bool. At least one element. Equal largest elements share the
    /// gradient evenly.
    Amax,
    /// The smallest, as [`Reduce::Amax`].
    Amin,
    /// Whether all are true. `bool` only. Over no elements true. No gradient.
    All,
    /// Whether one is true. `bool` only. Over no elements false. No gradient.
    Any,
}

/// Cumulative functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cumulative {
    /// Sums.
    Sum,
    /// Products.
    Prod,
}
