//! The floating-point types of the formulas.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use crate::numeric::stochastic_rounding::round_stochastically;

/// A type whose every bit pattern is a valid value, so that a buffer may be filled bytewise.
///
/// # Safety
/// Every bit pattern must be a valid value, and the type must not need a drop.
pub unsafe trait Pod: Copy + Send + Sync + 'static {}

// SAFETY: every bit pattern is a number or a NaN.
unsafe impl Pod for f32 {}
// SAFETY: as above.
unsafe impl Pod for f64 {}
// SAFETY: as above.
unsafe impl Pod for half::f16 {}
// SAFETY: as above.
unsafe impl Pod for half::bf16 {}

/// A floating-point type of parameters, gradients and state.
pub trait Scalar:
    Pod
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
    /// Converts exactly.
    fn to_f64(self) -> f64;
    /// Square root.
    fn square_root(self) -> Self;
    /// True for f32, in which the formulas compute parameters and state of 16 bits.
    const WIDENS: bool;
    /// Converts from 16 bits, exactly. Both slices have one length. Only for a type that [`Scalar::WIDENS`].
    fn widen<H: SixteenBit>(narrow: &[H], wide: &mut [Self]);
    /// Rounds to 16 bits, to nearest, ties to even. As [`Scalar::widen`].
    fn narrow<H: SixteenBit>(wide: &[Self], narrow: &mut [H]);
    /// Rounds to 16 bits by [`round_stochastically`]. As [`Scalar::widen`].
    fn narrow_stochastically(wide: &[Self], weights: &[Self], first: usize, narrow: &mut [bf16]);
}

macro_rules! scalar {
    (
        $type:ty, $widens:literal,
        |$from:ident, $to:ident, $weights:ident, $first:ident| $widen:expr, $narrow:expr, $narrow_stochastically:expr
    ) => {
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
            const WIDENS: bool = $widens;
            #[cfg_attr(target_family = "wasm", inline(never))]
            #[cfg_attr(not(target_family = "wasm"), inline(always))]
            fn widen<H: SixteenBit>($from: &[H], $to: &mut [Self]) {
                $widen
            }
            #[cfg_attr(target_family = "wasm", inline(never))]
            #[cfg_attr(not(target_family = "wasm"), inline(always))]
            fn narrow<H: SixteenBit>($from: &[Self], $to: &mut [H]) {
                $narrow
            }
            #[cfg_attr(target_family = "wasm", inline(never))]
            #[cfg_attr(not(target_family = "wasm"), inline(always))]
            fn narrow_stochastically($from: &[Self], $weights: &[Self], $first: usize, $to: &mut [bf16]) {
                $narrow_stochastically
            }
        }
    };
}

scalar!(
    f32,
    true,
    |from, to, weights, first| H::widen(from, to),
    H::narrow(from, to),
    round_stochastically(from, weights, first, to)
);
scalar!(f64, false, |_from, _to, _weights, _first| (), (), ());

/// A 16-bit floating-point type. Slices of one length are converted element by element.
pub trait SixteenBit: Copy {
    /// Converts exactly.
    fn widen(from: &[Self], to: &mut [f32]);
    /// Rounds to nearest, ties to even.
    fn narrow(from: &[f32], to: &mut [Self]);
}

impl SixteenBit for f16 {
    /// Uses the conversion instructions of the machine, if it has them.
    #[inline(always)]
    fn widen(from: &[Self], to: &mut [f32]) {
        from.convert_to_f32_slice(to);
    }
    #[inline(always)]
    fn narrow(from: &[f32], to: &mut [Self]) {
        to.convert_from_f32_slice(from);
    }
}

impl SixteenBit for bf16 {
    /// This loop has no bounds checks and vectorizes on all targets; the loop of `convert_to_f32_slice` does not.
    #[inline(always)]
    fn widen(from: &[Self], to: &mut [f32]) {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = from.to_f32());
    }
    #[inline(always)]
    fn narrow(from: &[f32], to: &mut [Self]) {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = bf16::from_f32(*from));
    }
}
