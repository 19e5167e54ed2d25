//! Plain numbers on their way into or out of a tensor.

use half::{bf16, f16};
use stepwell_optim::{Code, Error, Result};

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
    pub fn cast(self, dtype: Dtype) -> Result<Data> {
        fn convert<T: Element>(elements: Vec<T>, dtype: Dtype) -> Result<Data> {
            let elements = elements.into_iter();
            Ok(match dtype {
                Dtype::Float => Data::Float(elements.map(T::to_f32).collect()),
                Dtype::Double => Data::Double(elements.map(T::to_f64).collect()),
                Dtype::Half => Data::Half(elements.map(|x| f16::from_f32(x.to_odd())).collect()),
                Dtype::BFloat16 => Data::BFloat16(elements.map(|x| bf16::from_f32(x.to_odd())).collect()),
                Dtype::Long => Data::Long(elements.map(long).collect::<Result<_>>()?),
            })
        }
        fn long<T: Element>(x: T) -> Result<i64> {
            const EXACT: f64 = 9_007_199_254_740_992.0;
            let x = x.to_f64();
            if x.fract() == 0.0 && x.abs() <= EXACT {
                Ok(x as i64)
            } else {
                Err(Error::new(Code::Dtype, format!("expected whole numbers within ±2^53 for dtype long, given {x}")))
            }
        }
        match self {
            same if same.dtype() == dtype => Ok(same),
            Data::Float(v) => convert(v, dtype),
            Data::Double(v) => convert(v, dtype),
            Data::Half(v) => convert(v, dtype),
            Data::BFloat16(v) => convert(v, dtype),
            Data::Long(v) => convert(v, dtype),
        }
    }
}
