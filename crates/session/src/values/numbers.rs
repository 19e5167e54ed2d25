//! Numbers with a shape, out of plain data.

use std::borrow::Cow;

use stepwell_optim::fallible::{copied, push};
use stepwell_optim::{Code, Error, Number, Result};

use crate::values::data::Data;
use crate::values::dtype::Dtype;
use crate::values::value::{NumericArray, Value};

/// Maximum number of dimensions of a tensor and of nested arrays. Most operations of libtorch support 64.
const MAX_DIMENSIONS: usize = 64;

/// Fails for a shape of more dimensions than a tensor can have.
pub(crate) fn check_dimensions(count: usize) -> Result<()> {
    if count <= MAX_DIMENSIONS {
        return Ok(());
    }
    Err(Error::new(Code::Shape, format_args!("expected a shape of at most {MAX_DIMENSIONS} dimensions, given {count}")))
}

/// Fails for an empty tensor whose sizes, without zeros, multiply to more than 2^31 - 1. In WebAssembly sizes have 32
/// bits.
pub(crate) fn check_empty(shape: &[usize]) -> Result<()> {
    let (mut product, mut is_empty) = (1.0, false);
    for size in shape {
        if *size == 0 {
            is_empty = true;
        } else {
            product *= *size as f64;
        }
    }
    if !is_empty || product <= f64::from(i32::MAX) {
        return Ok(());
    }
    let message = "expected sizes of an empty tensor that multiply to at most 2147483647 without its zeros";
    Err(Error::new(Code::Shape, message))
}

/// A size that memory can have. In WebAssembly sizes have 32 bits.
///
/// # Errors
/// [`Code::Memory`] for one that it cannot have, and `misfit` for a negative number.
pub(crate) fn size_of(given: i64, misfit: impl FnOnce() -> Error) -> Result<usize> {
    usize::try_from(given).map_err(|_| match given {
        0.. => Error::new(Code::Memory, format_args!("expected a size that memory has, given {given}")),
        _ => misfit(),
    })
}

/// The size of a dimension.
pub(crate) fn size(x: f64) -> Result<usize> {
    if x.fract() == 0.0 && (0.0..=9_007_199_254_740_991.0).contains(&x) {
        Ok(x as usize)
    } else {
        Err(Error::new(Code::Shape, format_args!("expected whole numbers >= 0 in a shape, given {}", Number(x))))
    }
}

impl Value {
    /// A rectangular list of plain numbers as bindings pass it: the elements, the sizes of its dimensions, and the count of these.
    /// `None` if the three do not agree.
    pub fn plain_numbers(mut numbers: Vec<f64>) -> Option<Self> {
        let rank = numbers.pop()? as usize;
        let count = numbers.len().checked_sub(rank)?;
        if rank == 0 || rank > MAX_DIMENSIONS {
            return None;
        }
        let (mut shape, mut product) = (Vec::with_capacity(rank), 1usize);
        for length in &numbers[count..] {
            shape.push(*length as usize);
            product = product.checked_mul(*length as usize)?;
        }
        numbers.truncate(count);
        (product == count).then_some(Value::Numbers(NumericArray { data: Data::Double(numbers), shape }))
    }
}

/// Numbers with their shape, borrowed from an argument or converted from it.
pub(crate) struct Numbers<'a> {
    pub(crate) data: Cow<'a, Data>,
    pub(crate) shape: Vec<usize>,
}

impl<'a> Numbers<'a> {
    /// The numbers as another type.
    pub(crate) fn cast(self, dtype: Dtype) -> Result<Cow<'a, Data>> {
        Data::cast_shared(self.data, dtype)
    }

    /// The numbers as a list.
    pub(crate) fn doubles(self) -> Result<Vec<f64>> {
        match self.cast(Dtype::Double)? {
            Cow::Owned(Data::Double(numbers)) => Ok(numbers),
            Cow::Borrowed(Data::Double(numbers)) => copied(numbers),
            _ => Err(Error::new(Code::Internal, "numbers of another dtype than double")),
        }
    }
}

/// The elements of nested lists, or one element, with their shape; `None` for anything else, or if the lists are ragged.
///
/// # Errors
/// [`Code::Memory`]
pub(crate) fn nested<T>(given: &Value, element: &dyn Fn(&Value) -> Option<T>) -> Result<Option<(Vec<T>, Vec<usize>)>> {
    /// False if it is not such a list.
    fn collect<T>(
        given: &Value,
        element: &dyn Fn(&Value) -> Option<T>,
        depth: usize,
        shape: &mut Vec<usize>,
        out: &mut Vec<T>,
    ) -> Result<bool> {
        match given {
            Value::Array(list) if depth < MAX_DIMENSIONS => {
                if out.is_empty() && depth == shape.len() {
                    shape.push(list.len());
                } else if shape.get(depth) != Some(&list.len()) {
                    return Ok(false);
                }
                for item in list {
                    if !collect(item, element, depth + 1, shape, out)? {
                        return Ok(false);
                    }
                }
            }
            other => match element(other) {
                Some(found) if depth == shape.len() => push(out, found)?,
                _ => return Ok(false),
            },
        }
        Ok(true)
    }
    let (mut shape, mut elements) = (Vec::new(), Vec::new());
    let is_even =
        collect(given, element, 0, &mut shape, &mut elements)? && elements.len() == shape.iter().product::<usize>();
    Ok(is_even.then_some((elements, shape)))
}

/// Numbers with their shape, out of a number, nested lists or a typed array; `None` if it is something else, or ragged.
///
/// # Errors
/// [`Code::Memory`]
pub(crate) fn array(given: &Value) -> Result<Option<Numbers<'_>>> {
    match given {
        Value::NumericArray(NumericArray { data, shape }) | Value::Numbers(NumericArray { data, shape }) => {
            return Ok(Some(Numbers { data: Cow::Borrowed(data), shape: shape.clone() }));
        }
        Value::Object(entries) => return shaped(entries),
        _ => {}
    }
    let number = |given: &Value| if let Value::Number(x) = given { Some(*x) } else { None };
    let found = nested(given, &number)?;
    Ok(found.map(|(numbers, shape)| Numbers { data: Cow::Owned(Data::Double(numbers)), shape }))
}

/// A tensor as [`Value::NumericArray`] leaves and comes back: a typed array under `data`, its `shape`, and the `dtype` where the
/// array's own is another.
fn shaped(entries: &[(String, Value)]) -> Result<Option<Numbers<'_>>> {
    let entry = |key| entries.iter().find(|(name, _)| name == key).map(|(_, value)| value);
    let (Some(Value::NumericArray(NumericArray { data, .. })), Some(Value::Array(sizes))) =
        (entry("data"), entry("shape"))
    else {
        return Ok(None);
    };
    let (dtype, keys) = match entry("dtype") {
        None => (data.dtype(), 2),
        Some(Value::String(name)) => match Dtype::parse(name) {
            Ok(dtype) => (dtype, 3),
            Err(_) => return Ok(None),
        },
        Some(_) => return Ok(None),
    };
    if check_dimensions(sizes.len()).is_err() {
        return Ok(None);
    }
    let sizes = sizes.iter().map(|item| if let Value::Number(x) = item { size(*x).ok() } else { None });
    let Some(shape) = sizes.collect::<Option<Vec<usize>>>() else { return Ok(None) };
    let count = shape.iter().try_fold(1usize, |product, size| product.checked_mul(*size));
    if check_empty(&shape).is_err() {
        return Ok(None);
    }
    if entries.len() != keys || count != Some(data.len()) {
        return Ok(None);
    }
    match Data::cast_shared(Cow::Borrowed(data), dtype) {
        Ok(data) => Ok(Some(Numbers { data, shape })),
        Err(error) if error.code() == Code::Memory => Err(error),
        Err(_) => Ok(None),
    }
}
