//! The floating-point types that the formulas run on.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::{Buffer, View};

/// A floating-point type of parameters, gradients and state.
pub trait Scalar:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Send
    + Sync
    + 'static
{
    /// Rounds to this type.
    fn from_f64(x: f64) -> Self;
    /// Exact for both types.
    fn to_f64(self) -> f64;
    /// Square root.
    fn square_root(self) -> Self;
    /// The buffer's elements, if they are of this type.
    fn of_buffer(buffer: &mut Buffer) -> Option<&mut [Self]>;
    /// The view's parameter and gradient, if they are of this type.
    fn of_view<'a>(view: &'a mut View<'_>) -> Option<(&'a mut [Self], &'a [Self])>;
    /// A buffer of this type.
    fn into_buffer(elements: Vec<Self>) -> Buffer;
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
            fn of_buffer(buffer: &mut Buffer) -> Option<&mut [Self]> {
                if let Buffer::$variant(elements) = buffer { Some(elements) } else { None }
            }
            fn of_view<'a>(view: &'a mut View<'_>) -> Option<(&'a mut [Self], &'a [Self])> {
                if let View::$variant(parameter, gradient) = view { Some((parameter, gradient)) } else { None }
            }
            fn into_buffer(elements: Vec<Self>) -> Buffer {
                Buffer::$variant(elements)
            }
        }
    };
}

scalar!(f32, Float);
scalar!(f64, Double);
