//! The types of elements, and how a number of one becomes a number of another.

use std::cmp::Ordering;

use half::{bf16, f16};

/// A type of elements.
pub(crate) trait Element: Copy {
    /// The nearest `float`.
    fn to_f32(self) -> f32;
    /// The nearest `double`; exact but for a `long` beyond ±2^53.
    fn to_f64(self) -> f64;

    /// The number if a `float` can hold it, else its neighbour with an odd last bit.
    ///
    /// Rounding the result to 16 bits equals rounding the number itself, because both are on one side of every tie. Two
    /// bits more than the target are enough (Boldo and Melquiond 2008, "Emulation of a FMA and correctly rounded sums:
    /// proved algorithms using rounding to odd"). Here there are 13 or 16, also for subnormal numbers. By way of the
    /// nearest `float` it would not be: 1 + 2^-8 + 2^-40 is more than half way from 1 to the next bfloat16, its nearest
    /// `float` is not.
    fn to_odd(self) -> f32 {
        self.to_f32()
    }
}

/// The odd neighbour of a number, from the nearest neighbour and the order of their magnitudes.
fn odd(nearest: f32, size: Ordering) -> f32 {
    match size {
        Ordering::Equal => nearest,
        Ordering::Less => f32::from_bits(nearest.to_bits() | 1),
        // The neighbour towards zero. Infinity becomes the largest number, which is odd.
        Ordering::Greater => f32::from_bits((nearest.to_bits() - 1) | 1),
    }
}

impl Element for f32 {
    fn to_f32(self) -> f32 {
        self
    }
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Element for f64 {
    fn to_f32(self) -> f32 {
        self as f32
    }
    fn to_f64(self) -> f64 {
        self
    }
    fn to_odd(self) -> f32 {
        let nearest = self as f32;
        // NaN does not compare and stays NaN.
        odd(nearest, f64::from(nearest.abs()).partial_cmp(&self.abs()).unwrap_or(Ordering::Equal))
    }
}

impl Element for i64 {
    fn to_f32(self) -> f32 {
        self as f32
    }
    fn to_f64(self) -> f64 {
        self as f64
    }
    fn to_odd(self) -> f32 {
        let nearest = self as f32;
        odd(nearest, (nearest.abs() as u128).cmp(&u128::from(self.unsigned_abs())))
    }
}

impl Element for f16 {
    fn to_f32(self) -> f32 {
        f32::from(self)
    }
    fn to_f64(self) -> f64 {
        f64::from(f32::from(self))
    }
}

impl Element for bf16 {
    fn to_f32(self) -> f32 {
        f32::from(self)
    }
    fn to_f64(self) -> f64 {
        f64::from(f32::from(self))
    }
}

impl Element for bool {
    fn to_f32(self) -> f32 {
        f32::from(u8::from(self))
    }
    fn to_f64(self) -> f64 {
        f64::from(u8::from(self))
    }
}
