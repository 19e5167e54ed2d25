//! The element types, and the functions of real numbers that the operations need.

use stepwell_optim::{Result, Scalar};
use stepwell_session::Dtype;

use crate::elements::buffer::Buffer;
use crate::error::dtype_error;
use crate::matrix::Product;
use crate::memory::CountedVec;

/// An element type of tensors.
pub(crate) trait Element: Copy + Default + PartialOrd + 'static {
    const DTYPE: Dtype;
    /// The elements of a buffer. Fails if they have another type.
    fn slice(buffer: &Buffer) -> Result<&[Self]>;
    /// The elements of a buffer, mutable. Fails if they have another type.
    fn slice_mut(buffer: &mut Buffer) -> Result<&mut [Self]>;
    /// A buffer of these elements.
    fn into_buffer(elements: CountedVec<Self>) -> Buffer;
}

/// An element type of floating point.
pub(crate) trait Real: Element + Scalar + Product {
    const ZERO: Self;
    const ONE: Self;
    const NEG_INFINITY: Self;

    fn exp(self) -> Self;
    fn ln(self) -> Self;
    fn ln_1p(self) -> Self;
    fn tanh(self) -> Self;
    fn erf(self) -> Self;
    fn abs(self) -> Self;
    fn is_nan(self) -> bool;

    /// The larger of the two; NaN if `self` is NaN.
    #[inline(always)]
    fn clamp_min(self, minimum: Self) -> Self {
        if self < minimum { minimum } else { self }
    }
}

macro_rules! element {
    ($type:ty, $variant:ident) => {
        impl Element for $type {
            const DTYPE: Dtype = Dtype::$variant;

            fn slice(buffer: &Buffer) -> Result<&[Self]> {
                match buffer {
                    Buffer::$variant(elements) => Ok(elements),
                    other => Err(dtype_error(Self::DTYPE.name(), other.dtype())),
                }
            }

            fn slice_mut(buffer: &mut Buffer) -> Result<&mut [Self]> {
                match buffer {
                    Buffer::$variant(elements) => Ok(elements),
                    other => Err(dtype_error(Self::DTYPE.name(), other.dtype())),
                }
            }

            fn into_buffer(elements: CountedVec<Self>) -> Buffer {
                Buffer::$variant(elements)
            }
        }
    };
}

macro_rules! real {
    ($type:ident, [$exp:ident, $ln:ident, $ln_1p:ident, $tanh:ident, $erf:ident]) => {
        impl Real for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NEG_INFINITY: Self = $type::NEG_INFINITY;

            #[inline(always)]
            fn exp(self) -> Self {
                libm::$exp(self)
            }
            #[inline(always)]
            fn ln(self) -> Self {
                libm::$ln(self)
            }
            #[inline(always)]
            fn ln_1p(self) -> Self {
                libm::$ln_1p(self)
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                libm::$tanh(self)
            }
            #[inline(always)]
            fn erf(self) -> Self {
                libm::$erf(self)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $type::abs(self)
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                $type::is_nan(self)
            }
        }
    };
}

element!(f32, Float);
element!(f64, Double);
element!(i64, Long);
element!(bool, Bool);
real!(f32, [expf, logf, log1pf, tanhf, erff]);
real!(f64, [exp, log, log1p, tanh, erf]);

/// Evaluates an expression with `T` as the floating-point type of a dtype. Fails for other dtypes.
macro_rules! with_real {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            stepwell_session::Dtype::Float => {
                type $T = f32;
                $body
            }
            stepwell_session::Dtype::Double => {
                type $T = f64;
                $body
            }
            other => Err(crate::error::dtype_error("float or double", other)),
        }
    };
}
pub(crate) use with_real;
