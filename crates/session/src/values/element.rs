//! The types of elements, and how a number of one becomes a number of another.

use std::cmp::Ordering;

use half::{bf16, f16};

/// A type of elements.
pub(crate) trait Element: Copy {
    /// The nearest `float`.
    fn to_f32(self) -> f32;
    /// The nearest `double`; exact but for a `long` beyond ±2^53.
    fn to_f64(self) -> f64;

    /// This number where a `float` can be it, else the neighbour that is odd in its last bit.
    ///
    /// Rounding that to 16 bits is rounding the number itself, for it lies on the same side of every tie. Boldo and
    /// Melquiond 2008, "Emulation of a FMA and correctly rounded sums: proved algorithms using rounding to odd", needs two
    /// bits more than the target for it; here there are 13 or 16, also for subnormal numbers. By way of the nearest `float`
    /// it would not be: 1 + 2^-8 + 2^-40 is more than half way from 1 to the next bfloat16, its nearest `float` is not.
    fn to_odd(self) -> f32 {
        self.to_f32()
    }
}

/// Of the two neighbours of a number the odd one, by the nearer of them and how its size compares with the number's.
fn odd(nearest: f32, size: Ordering) -> f32 {
    match size {
        Ordering::Equal => nearest,
        Ordering::Less => f32::from_bits(nearest.to_bits() | 1),
        // Towards zero first. Infinity becomes the largest number, which is odd.
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
        // Nothing compares with NaN, which stays what it is.
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

#[cfg(test)]
mod tests {
    use half::{bf16, f16};

    use crate::{Data, Dtype};

    /// The bits of a number as `half` or `bfloat16`.
    fn bits(data: Data, dtype: Dtype) -> u16 {
        match data.cast(dtype).unwrap() {
            Data::Half(v) => v[0].to_bits(),
            Data::BFloat16(v) => v[0].to_bits(),
            other => panic!("{other:?}"),
        }
    }

    /// All midpoints of neighbours, and the doubles beside them: nothing rounds elsewhere than there.
    #[test]
    fn every_tie_and_its_sides_round_as_they_must() {
        for (dtype, infinity, widen) in [
            (Dtype::Half, f16::INFINITY.to_bits(), (|b| f64::from(f16::from_bits(b))) as fn(u16) -> f64),
            (Dtype::BFloat16, bf16::INFINITY.to_bits(), |b| f64::from(bf16::from_bits(b))),
        ] {
            for low in 0..infinity {
                let high = low + 1;
                let (a, b) = (widen(low), widen(high));
                // Beyond the largest number ties are where they would be if exponents went on.
                let next = if high == infinity { a + (a - widen(low - 1)) } else { b };
                let tie = (a + next) / 2.0;
                let even = if low % 2 == 0 { low } else { high };
                for (x, expected) in [(a, low), (tie.next_down(), low), (tie, even), (tie.next_up(), high)] {
                    assert_eq!(bits(Data::Double(vec![x]), dtype), expected, "{x:e} as {dtype:?}");
                    assert_eq!(bits(Data::Double(vec![-x]), dtype), expected | 0x8000, "{:e} as {dtype:?}", -x);
                    if f64::from(x as f32) == x {
                        assert_eq!(bits(Data::Float(vec![x as f32]), dtype), expected, "float {x:e} as {dtype:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn large_whole_numbers_round_once() {
        let tie = (1i64 << 62) + (1 << 54);
        for (x, expected) in [(tie - 1, 1i64 << 62), (tie, 1 << 62), (tie + 1, (1 << 62) + (1 << 55))] {
            let expected = bf16::from_f64(expected as f64).to_bits();
            assert_eq!(bits(Data::Long(vec![x]), Dtype::BFloat16), expected, "{x}");
            assert_eq!(bits(Data::Long(vec![-x]), Dtype::BFloat16), expected | 0x8000, "{x}");
        }
        assert_eq!(bits(Data::Long(vec![i64::MIN]), Dtype::BFloat16), 0xdf00);
        assert_eq!(bits(Data::Long(vec![2049, 0]), Dtype::Half), f16::from_f32(2048.0).to_bits());
        assert_eq!(bits(Data::Long(vec![i64::MAX]), Dtype::Half), f16::INFINITY.to_bits());
    }

    #[test]
    fn what_is_no_number_stays_so() {
        for dtype in [Dtype::Half, Dtype::BFloat16] {
            let same = |x: f64| Data::Double(vec![x]).cast(dtype).unwrap().cast(Dtype::Double).unwrap();
            assert_eq!(same(f64::NEG_INFINITY), Data::Double(vec![f64::NEG_INFINITY]));
            assert!(matches!(same(f64::NAN), Data::Double(v) if v[0].is_nan()));
        }
    }
}
