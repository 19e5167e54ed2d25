//! The floating-point types that the formulas run on.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::memory::Plain;
use crate::{Buffer, Elements, Result};

/// A floating-point type of parameters, gradients and state.
pub trait Scalar:
    Plain
    + Debug
    + Default
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// Rounds to this type.
    fn from_f64(x: f64) -> Self;
    /// Exact for both types.
    fn to_f64(self) -> f64;
    /// Square root.
    fn square_root(self) -> Self;
    /// A buffer of this type.
    ///
    /// # Errors
    /// [`Code::Memory`](crate::Code::Memory)
    fn buffer(elements: &[Self]) -> Result<Buffer>;
}

macro_rules! scalar {
    ($type:ty, $variant:ident) => {
        impl Scalar for $type {
            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $type
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn square_root(self) -> Self {
                self.sqrt()
            }
            fn buffer(elements: &[Self]) -> Result<Buffer> {
                Elements::copy_of(elements).map(Buffer::$variant)
            }
        }
    };
}

scalar!(f32, Float);
scalar!(f64, Double);
