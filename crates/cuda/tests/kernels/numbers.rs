//! Element types of the tests, and numbers that are hard to get right.

use half::{bf16, f16};
use stepwell_optim::{Element, View};

/// A type of parameters and gradients.
pub(crate) trait TestElement: Copy + Default + 'static {
    const ELEMENT: Element;
    fn of(number: f64) -> Self;
    fn view<'a>(parameter: &'a mut [Self], gradient: &'a mut [Self]) -> View<'a>;
}

macro_rules! element {
    ($type:ty, $element:ident, $of:expr) => {
        impl TestElement for $type {
            const ELEMENT: Element = Element::$element;
            fn of(number: f64) -> Self {
                $of(number)
            }
            fn view<'a>(parameter: &'a mut [Self], gradient: &'a mut [Self]) -> View<'a> {
                View::$element(parameter, gradient)
            }
        }
    };
}

element!(f32, Float, |number| number as f32);
element!(f64, Double, |number| number);
element!(f16, Half, f16::from_f64);
element!(bf16, BFloat16, bf16::from_f64);

/// The kind of numbers in an array.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Numbers {
    /// Near 1, of both signs.
    Ordinary,
    /// Finite: zeros of both signs, denormals, and numbers whose squares overflow or underflow. Some arrays are zero.
    Extreme,
    /// As `Extreme`, with infinities and NaN.
    Special,
}

const EXTREME: [f64; 12] = [0.0, -0.0, 1e-45, -1e-40, 6e-8, 3e-5, 65504.0, 65519.0, 1e-30, -3e30, 3.4e38, 1e-320];
const SPECIAL: [f64; 3] = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN];

impl Numbers {
    /// The number with an index in an array with this seed.
    pub(crate) fn number(self, seed: u64, index: usize) -> f64 {
        let bits = hash(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ index as u64);
        let ordinary = (bits >> 11) as f64 / (1_u64 << 52) as f64 - 1.0;
        let choice = (bits & 0x7ff) as usize;
        match self {
            Numbers::Ordinary => ordinary,
            Numbers::Extreme | Numbers::Special if seed % 7 == 3 => ordinary * 0.0,
            // Squares are below the range in which sums of f32 are accurate.
            Numbers::Extreme | Numbers::Special if seed % 5 == 2 => ordinary * 1e-18,
            Numbers::Special if choice < 12 => SPECIAL[choice % 3],
            Numbers::Extreme | Numbers::Special if choice < 300 => EXTREME[choice % 12],
            // Sums of the squares of some arrays overflow or underflow.
            Numbers::Extreme | Numbers::Special => ordinary * [1.0, 1e-3, 1e-18, 1e18, 1e5][(seed % 5) as usize],
        }
    }
}

/// SplitMix64, <https://prng.di.unimi.it/splitmix64.c>.
pub(crate) fn hash(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
