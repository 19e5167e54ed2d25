//! Plain numbers on their way into or out of a tensor.

use std::borrow::Cow;

use half::{bf16, f16};
use stepwell_optim::fallible::{collected, copied, with_capacity};
use stepwell_optim::{Buffer, Code, Elements, Error, Number, Result, Scalar};

use crate::element::Element;

/// The element type of a tensor. Named as the k-api names it; PyTorch's names are accepted too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// 32-bit floating point.
    Float,
    /// 64-bit floating point.
    Double,
    /// 16-bit floating point of IEEE 754: 11 significant bits, numbers up to 65504.
    Half,
    /// The upper 16 bits of a `float`: 8 significant bits, the range of `float`.
    BFloat16,
    /// 64-bit integer.
    Long,
}

impl Dtype {
    /// Every dtype.
    pub const ALL: [Dtype; 5] = [Dtype::Float, Dtype::Double, Dtype::Half, Dtype::BFloat16, Dtype::Long];

    /// The name in the k-api's words, and in PyTorch's.
    fn names(self) -> [&'static str; 2] {
        match self {
            Dtype::Float => ["float", "float32"],
            Dtype::Double => ["double", "float64"],
            Dtype::Half => ["half", "float16"],
            Dtype::BFloat16 => ["bfloat16", "bfloat16"],
            Dtype::Long => ["long", "int64"],
        }
    }

    /// Parses a name.
    pub fn parse(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|dtype| dtype.names().contains(&name)).ok_or_else(|| {
            Error::new(Code::Dtype, format!("unknown dtype `{name}`, expected one of {}", Self::known()))
        })
    }

    /// The names of all, for messages.
    pub(crate) fn known() -> String {
        Self::ALL.map(Dtype::name).join(", ")
    }

    /// The name in the k-api's words.
    pub fn name(self) -> &'static str {
        self.names()[0]
    }

    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            Dtype::Half | Dtype::BFloat16 => 2,
            Dtype::Float => 4,
            Dtype::Double | Dtype::Long => 8,
        }
    }

    /// True for the types that can carry a gradient.
    pub fn is_floating(self) -> bool {
        self != Dtype::Long
    }

    /// True for floating point of 16 bits, which PyTorch calls reduced: numbers leave a session as `float`, which holds
    /// all of them, and norms are taken in it.
    pub fn is_reduced(self) -> bool {
        matches!(self, Dtype::Half | Dtype::BFloat16)
    }
}

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
        }
    }

    /// True without elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same numbers as another type, each rounded once, to the nearest and in a tie to the even one. A fraction or a
    /// number beyond ±2^53 is no `long`.
    ///
    /// # Errors
    /// [`Code::Dtype`] for what is no `long`; [`Code::Memory`].
    pub fn cast(self, dtype: Dtype) -> Result<Data> {
        if self.dtype() == dtype { Ok(self) } else { self.converted(dtype) }
    }

    /// As [`Data::cast`], of elements that somebody else has.
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
                    format!("expected whole numbers within ±2^53 for dtype long, given {given}"),
                ))
            }
        }
        match self {
            Data::Double(v) => convert(v, dtype),
            Data::Long(v) => convert(v, dtype),
            Data::Float(v) => convert_exact(v, dtype),
            Data::Half(v) => convert_exact(v, dtype),
            Data::BFloat16(v) => convert_exact(v, dtype),
        }
    }
}

/// Elements that somebody else owns, of a type that can carry a gradient.
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

/// The same to be written.
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
            return Err(Error::new(Code::Dtype, format!("expected elements of dtype {expected}, given {given}")));
        }
        if length != expected {
            return Err(Error::new(Code::Shape, format!("expected {expected} elements, given {length}")));
        }
        Ok(())
    }
}

/// A type of elements that can carry a gradient and that formulas run on.
pub trait Differentiable: Scalar {
    /// The same as a value.
    const DTYPE: Dtype;
    /// Elements of this type.
    fn slice(elements: &[Self]) -> Slice<'_>;
    /// The same to be written.
    fn slice_mut(elements: &mut [Self]) -> SliceMut<'_>;
    /// A list of them.
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
    /// A copy as a state buffer.
    ///
    /// # Errors
    /// [`Code::Dtype`] for a type that no state has; [`Code::Memory`].
    pub fn to_buffer(&self) -> Result<Buffer> {
        match self {
            Data::Float(elements) => Elements::copy_of(elements).map(Buffer::Float),
            Data::Double(elements) => Elements::copy_of(elements).map(Buffer::Double),
            Data::BFloat16(elements) => Elements::copy_of(elements).map(Buffer::BFloat16),
            Data::Half(_) | Data::Long(_) => {
                let message =
                    format!("expected a state buffer of float, double or bfloat16, given {}", self.dtype().name());
                Err(Error::new(Code::Dtype, message))
            }
        }
    }
}
