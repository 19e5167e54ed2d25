//! Plain numbers on their way into or out of a tensor.

use stepwell_optim::{Code, Error, Result};

/// The element type of a tensor. Named as the k-api names it; PyTorch's names are accepted too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// 32-bit floating point: `float`, `float32`.
    Float,
    /// 64-bit floating point: `double`, `float64`.
    Double,
    /// 64-bit integer: `long`, `int64`.
    Long,
}

impl Dtype {
    /// Parses a name.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "float" | "float32" => Ok(Dtype::Float),
            "double" | "float64" => Ok(Dtype::Double),
            "long" | "int64" => Ok(Dtype::Long),
            _ => Err(Error::new(Code::Dtype, format!("unknown dtype `{name}`, expected float, double or long"))),
        }
    }

    /// The name in the k-api's words.
    pub fn name(self) -> &'static str {
        match self {
            Dtype::Float => "float",
            Dtype::Double => "double",
            Dtype::Long => "long",
        }
    }

    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            Dtype::Float => 4,
            Dtype::Double | Dtype::Long => 8,
        }
    }

    /// True for the types that can carry a gradient.
    pub fn is_floating(self) -> bool {
        self != Dtype::Long
    }
}

/// Elements of a tensor in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Elements of a [`Dtype::Float`] tensor.
    Float(Vec<f32>),
    /// Elements of a [`Dtype::Double`] tensor.
    Double(Vec<f64>),
    /// Elements of a [`Dtype::Long`] tensor.
    Long(Vec<i64>),
}

impl Data {
    /// The element type.
    pub fn dtype(&self) -> Dtype {
        match self {
            Data::Float(_) => Dtype::Float,
            Data::Double(_) => Dtype::Double,
            Data::Long(_) => Dtype::Long,
        }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            Data::Float(v) => v.len(),
            Data::Double(v) => v.len(),
            Data::Long(v) => v.len(),
        }
    }

    /// True without elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same numbers as another type. A fraction or a number beyond ±2^53 is no `long`.
    pub fn cast(self, dtype: Dtype) -> Result<Data> {
        fn long(x: f64) -> Result<i64> {
            const EXACT: f64 = 9_007_199_254_740_992.0;
            if x.fract() == 0.0 && x.abs() <= EXACT {
                Ok(x as i64)
            } else {
                Err(Error::new(Code::Dtype, format!("expected whole numbers within ±2^53 for dtype long, given {x}")))
            }
        }
        Ok(match (self, dtype) {
            (Data::Float(v), Dtype::Double) => Data::Double(v.into_iter().map(f64::from).collect()),
            (Data::Float(v), Dtype::Long) => {
                Data::Long(v.into_iter().map(|x| long(f64::from(x))).collect::<Result<_>>()?)
            }
            (Data::Double(v), Dtype::Float) => Data::Float(v.into_iter().map(|x| x as f32).collect()),
            (Data::Double(v), Dtype::Long) => Data::Long(v.into_iter().map(long).collect::<Result<_>>()?),
            (Data::Long(v), Dtype::Float) => Data::Float(v.into_iter().map(|x| x as f32).collect()),
            (Data::Long(v), Dtype::Double) => Data::Double(v.into_iter().map(|x| x as f64).collect()),
            (same, _) => same,
        })
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
    pub fn to_data(self) -> Data {
        match self {
            Slice::Float(elements) => Data::Float(elements.to_vec()),
            Slice::Double(elements) => Data::Double(elements.to_vec()),
        }
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
