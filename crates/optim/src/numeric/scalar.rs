//! The floating-point types that the formulas run on.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use crate::numeric::stochastic_rounding::round_stochastically;

/// A type of which every pattern of bits is a value, so that a buffer may be filled byte by byte.
///
/// # Safety
/// As said; and it needs no drop.
pub unsafe trait Plain: Copy + Send + Sync + 'static {}

// SAFETY: every pattern of bits is a number or not a number.
unsafe impl Plain for f32 {}
// SAFETY: as above.
unsafe impl Plain for f64 {}
// SAFETY: as above.
unsafe impl Plain for half::f16 {}
// SAFETY: as above.
unsafe impl Plain for half::bf16 {}

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
    /// True if parameters and state of 16 bits are computed with in this type.
    const WIDENS: bool;
    /// From 16 bits; both slices have one length. Only for a type that [`Scalar::WIDENS`].
    fn widen<H: Reduced>(narrow: &[H], wide: &mut [Self]);
    /// Rounds to 16 bits, to the nearest and of two to the even one. As [`Scalar::widen`].
    fn narrow<H: Reduced>(wide: &[Self], narrow: &mut [H]);
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
            fn widen<H: Reduced>($from: &[H], $to: &mut [Self]) {
                $widen
            }
            #[cfg_attr(target_family = "wasm", inline(never))]
            #[cfg_attr(not(target_family = "wasm"), inline(always))]
            fn narrow<H: Reduced>($from: &[Self], $to: &mut [H]) {
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

/// A floating-point type of 16 bits. Slices of one length are converted, element by element.
pub trait Reduced: Copy {
    /// Exact.
    fn widen(from: &[Self], to: &mut [f32]);
    /// To the nearest and of two to the even one.
    fn narrow(from: &[f32], to: &mut [Self]);
}

impl Reduced for f16 {
    /// With the machine's own instructions, where it has some.
    #[inline(always)]
    fn widen(from: &[Self], to: &mut [f32]) {
        from.convert_to_f32_slice(to);
    }
    #[inline(always)]
    fn narrow(from: &[f32], to: &mut [Self]) {
        to.convert_from_f32_slice(from);
    }
}

impl Reduced for bf16 {
    /// A loop that no index can leave becomes vector instructions everywhere; that of `convert_to_f32_slice` does not.
    #[inline(always)]
    fn widen(from: &[Self], to: &mut [f32]) {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = from.to_f32());
    }
    #[inline(always)]
    fn narrow(from: &[f32], to: &mut [Self]) {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = bf16::from_f32(*from));
    }
}
