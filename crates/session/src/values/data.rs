//! Plain numbers on their way into or out of a tensor.

use std::borrow::Cow;

use half::{bf16, f16};
use stepwell_optim::fallible::{collected, copied, with_capacity};
use stepwell_optim::{ArenaArray, Buffer, Code, Error, Number, Result, Scalar};

use crate::values::dtype::Dtype;
use crate::values::element::Element;

/// Elements of a tensor in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Elements of a [`Dtype::Float`] tensor.
    Float(Vec<f32>),
    /// Elements of a [`Dtype::Double`] tensor.
    Double(Vec<f64>),
    /// Elements of a [`Dtype::Half`] tensor.
    Half(Vec<f16>),
    /// Elements of a [`Dtype::BFloat16`] tensor.
    BFloat16(Vec<bf16>),
    /// Elements of a [`Dtype::Long`] tensor.
    Long(Vec<i64>),
    /// Elements of a [`Dtype::Bool`] tensor.
    Bool(Vec<bool>),
}

impl Data {
    /// The element type.
    pub fn dtype(&self) -> Dtype {
        match self {
            Data::Float(_) => Dtype::Float,
            Data::Double(_) => Dtype::Double,
            Data::Half(_) => Dtype::Half,
            Data::BFloat16(_) => Dtype::BFloat16,
            Data::Long(_) => Dtype::Long,
            Data::Bool(_) => Dtype::Bool,
        }
    }

    /// No elements of a type.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn empty(dtype: Dtype) -> Self {
        match dtype {
            Dtype::Float => Data::Float(Vec::new()),
            Dtype::Double => Data::Double(Vec::new()),
            Dtype::Half => Data::Half(Vec::new()),
            Dtype::BFloat16 => Data::BFloat16(Vec::new()),
            Dtype::Long => Data::Long(Vec::new()),
            Dtype::Bool => Data::Bool(Vec::new()),
        }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            Data::Float(v) => v.len(),
            Data::Double(v) => v.len(),
            Data::Half(v) => v.len(),
            Data::BFloat16(v) => v.len(),
            Data::Long(v) => v.len(),
            Data::Bool(v) => v.len(),
        }
    }

    /// True without elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Converts the numbers to another dtype. Each is rounded once, to the nearest, ties to even. Only whole numbers
    /// within ±2^53 become `long`; every number but 0 becomes true.
    ///
    /// # Errors
    /// [`Code::Dtype`] for a number that cannot be a `long`; [`Code::Memory`].
    pub fn cast(self, dtype: Dtype) -> Result<Data> {
        if self.dtype() == dtype { Ok(self) } else { self.converted(dtype) }
    }

    /// As [`Data::cast`], of elements that may be borrowed.
    pub(crate) fn cast_shared(data: Cow<'_, Data>, dtype: Dtype) -> Result<Cow<'_, Data>> {
        if data.dtype() == dtype { Ok(data) } else { data.converted(dtype).map(Cow::Owned) }
    }

    /// As [`Data::cast`], always in memory of its own.
    fn converted(&self, dtype: Dtype) -> Result<Data> {
        fn convert<T: Element>(elements: &[T], dtype: Dtype) -> Result<Data> {
            let elements = elements.iter().copied();
            Ok(match dtype {
                Dtype::Float => Data::Float(collected(elements.map(T::to_f32))?),
                Dtype::Double => Data::Double(collected(elements.map(T::to_f64))?),
                Dtype::Half => Data::Half(collected(elements.map(|x| f16::from_f32(x.to_odd())))?),
                Dtype::BFloat16 => Data::BFloat16(collected(elements.map(|x| bf16::from_f32(x.to_odd())))?),
                Dtype::Long => {
                    let mut numbers = with_capacity(elements.len())?;
                    for x in elements {
                        numbers.push(long(x)?);
                    }
                    Data::Long(numbers)
                }
                Dtype::Bool => Data::Bool(collected(elements.map(|x| x.to_f64() != 0.0))?),
            })
        }
        /// Of a type whose numbers are all doubles. In WebAssembly by way of these, which is half as much code.
        fn convert_exact<T: Element>(elements: &[T], dtype: Dtype) -> Result<Data> {
            if cfg!(not(target_family = "wasm")) {
                return convert(elements, dtype);
            }
            Data::Double(collected(elements.iter().copied().map(T::to_f64))?).cast(dtype)
        }
        fn long<T: Element>(x: T) -> Result<i64> {
            const EXACT: f64 = 9_007_199_254_740_992.0;
            let x = x.to_f64();
            if x.fract() == 0.0 && x.abs() <= EXACT {
                Ok(x as i64)
            } else {
                let given = Number(x);
                Err(Error::new(
                    Code::Dtype,
                    format_args!("expected whole numbers within ±2^53 for dtype long, given {given}"),
                ))
            }
        }
        match self {
            Data::Double(v) => convert(v, dtype),
            Data::Long(v) => convert(v, dtype),
            Data::Float(v) => convert_exact(v, dtype),
            Data::Half(v) => convert_exact(v, dtype),
            Data::BFloat16(v) => convert_exact(v, dtype),
            Data::Bool(v) => convert_exact(v, dtype),
        }
    }
}

/// Borrowed elements, of a type that can carry a gradient.
#[derive(Clone, Copy, Debug)]
pub enum Slice<'a> {
    /// Elements of a [`Dtype::Float`] tensor.
    Float(&'a [f32]),
    /// Elements of a [`Dtype::Double`] tensor.
    Double(&'a [f64]),
}

impl Slice<'_> {
    /// The element type.
    pub fn dtype(self) -> Dtype {
        match self {
            Slice::Float(_) => Dtype::Float,
            Slice::Double(_) => Dtype::Double,
        }
    }

    /// A copy.
    ///
    /// # Errors
    /// [`Code::Memory`]
    pub fn to_data(self) -> Result<Data> {
        Ok(match self {
            Slice::Float(elements) => Data::Float(copied(elements)?),
            Slice::Double(elements) => Data::Double(copied(elements)?),
        })
    }
}

/// Borrowed elements, mutable.
#[derive(Debug)]
pub enum SliceMut<'a> {
    /// Elements of a [`Dtype::Float`] tensor.
    Float(&'a mut [f32]),
    /// Elements of a [`Dtype::Double`] tensor.
    Double(&'a mut [f64]),
}

impl SliceMut<'_> {
    /// Copies all elements.
    ///
    /// # Errors
    /// As [`SliceMut::check`].
    pub fn copy_from(self, data: &Data) -> Result<()> {
        self.check(data.dtype(), data.len())?;
        match (self, data) {
            (SliceMut::Float(to), Data::Float(from)) => to.copy_from_slice(from),
            (SliceMut::Double(to), Data::Double(from)) => to.copy_from_slice(from),
            _ => {}
        }
        Ok(())
    }

    /// Fails unless it is of this dtype and length.
    pub fn check(&self, dtype: Dtype, length: usize) -> Result<()> {
        let (own, expected) = match self {
            SliceMut::Float(to) => (Dtype::Float, to.len()),
            SliceMut::Double(to) => (Dtype::Double, to.len()),
        };
        if dtype != own {
            let (expected, given) = (own.name(), dtype.name());
            return Err(Error::new(Code::Dtype, format_args!("expected elements of dtype {expected}, given {given}")));
        }
        if length != expected {
            return Err(Error::new(Code::Shape, format_args!("expected {expected} elements, given {length}")));
        }
        Ok(())
    }
}

/// A type of elements that can carry a gradient and that formulas run on.
pub trait Differentiable: Scalar {
    /// The dtype of this type.
    const DTYPE: Dtype;
    /// Elements of this type.
    fn slice(elements: &[Self]) -> Slice<'_>;
    /// Mutable elements of this type.
    fn slice_mut(elements: &mut [Self]) -> SliceMut<'_>;
    /// `Data` of these elements.
    fn data(elements: Vec<Self>) -> Data;
}

impl Differentiable for f32 {
    const DTYPE: Dtype = Dtype::Float;
    fn slice(elements: &[f32]) -> Slice<'_> {
        Slice::Float(elements)
    }
    fn slice_mut(elements: &mut [f32]) -> SliceMut<'_> {
        SliceMut::Float(elements)
    }
    fn data(elements: Vec<f32>) -> Data {
        Data::Float(elements)
    }
}

impl Differentiable for f64 {
    const DTYPE: Dtype = Dtype::Double;
    fn slice(elements: &[f64]) -> Slice<'_> {
        Slice::Double(elements)
    }
    fn slice_mut(elements: &mut [f64]) -> SliceMut<'_> {
        SliceMut::Double(elements)
    }
    fn data(elements: Vec<f64>) -> Data {
        Data::Double(elements)
    }
}

impl TryFrom<&Buffer> for Data {
    type Error = Error;

    /// A copy.
    ///
    /// # Errors
    /// [`Code::Memory`]
    fn try_from(buffer: &Buffer) -> Result<Self> {
        Ok(match buffer {
            Buffer::Float(elements) => Data::Float(copied(elements)?),
            Buffer::Double(elements) => Data::Double(copied(elements)?),
            Buffer::BFloat16(elements) => Data::BFloat16(copied(elements)?),
        })
    }
}

impl Data {
    /// A copy as the state buffer with this index.
    ///
    /// # Errors
    /// [`Code::Dtype`] for half, long and bool, which state buffers do not have; [`Code::Memory`].
    pub fn to_buffer(&self, buffer_index: usize) -> Result<Buffer> {
        match self {
            Data::Float(elements) => ArenaArray::copy_of(elements, buffer_index).map(Buffer::Float),
            Data::Double(elements) => ArenaArray::copy_of(elements, buffer_index).map(Buffer::Double),
            Data::BFloat16(elements) => ArenaArray::copy_of(elements, buffer_index).map(Buffer::BFloat16),
            Data::Half(_) | Data::Long(_) | Data::Bool(_) => {
                let message =
                    format_args!("expected a state buffer of float, double or bfloat16, given {}", self.dtype().name());
                Err(Error::new(Code::Dtype, message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use half::{bf16, f16};

    use crate::values::data::Data;
    use crate::values::dtype::Dtype;

    /// The bits of a number as `half` or `bfloat16`.
    fn bits(data: Data, dtype: Dtype) -> u16 {
        match data.cast(dtype).unwrap() {
            Data::Half(v) => v[0].to_bits(),
            Data::BFloat16(v) => v[0].to_bits(),
            other => panic!("{other:?}"),
        }
    }

    /// All midpoints of neighbours, and the doubles next to them, where rounding changes.
    #[test]
    fn every_tie_and_its_sides_round_as_they_must() {
        for (dtype, infinity, widen) in [
            (Dtype::Half, f16::INFINITY.to_bits(), (|b| f64::from(f16::from_bits(b))) as fn(u16) -> f64),
            (Dtype::BFloat16, bf16::INFINITY.to_bits(), |b| f64::from(bf16::from_bits(b))),
        ] {
            for low in 0..infinity {
                let high = low + 1;
                let (a, b) = (widen(low), widen(high));
                // Above the largest number the tie is at the value of a continued exponent range.
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
