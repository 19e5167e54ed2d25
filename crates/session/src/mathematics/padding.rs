//! Elements around a tensor.

use stepwell_optim::fallible::collected;
use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::engine::primitives::Primitive;
use crate::mathematics::calculation::Calculation;
use crate::mathematics::tensor_math::TensorMath;
use crate::values::data::Data;

/// The elements that are added.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fill {
    /// One number.
    Constant(f64),
    /// The elements of the tensor, mirrored at its first and last one.
    Reflect,
    /// The first and the last element.
    Replicate,
    /// The elements of the other end.
    Circular,
}

impl Fill {
    /// The words of the fills, of which the first one is the default.
    pub(crate) const WORDS: &[&str] = &["constant", "reflect", "replicate", "circular"];

    /// The fill of a word; a constant has the value.
    pub(crate) fn of(word: &str, value: f64) -> Self {
        match word {
            "reflect" => Fill::Reflect,
            "replicate" => Fill::Replicate,
            "circular" => Fill::Circular,
            _ => Fill::Constant(value),
        }
    }

    /// The index in the tensor of an element at `position`, which may be before or beyond it. `kept` is the range of the tensor
    /// that stays.
    fn source(self, position: i64, size: i64, kept: [i64; 2]) -> i64 {
        match self {
            Fill::Reflect if position >= size => 2 * (size - 1) - position,
            Fill::Reflect => position.abs(),
            Fill::Replicate => position.clamp(0, size - 1),
            Fill::Circular => kept[0] + (position - kept[0]).rem_euclid((kept[1] - kept[0]).max(1)),
            Fill::Constant(_) => position,
        }
    }

    /// The most elements that can be added at an end of a dimension.
    fn limit(self, size: i64) -> i64 {
        match self {
            Fill::Reflect => size - 1,
            Fill::Circular => size,
            Fill::Replicate if size == 0 => 0,
            _ => i64::MAX,
        }
    }
}

/// The tensor with elements added at both ends of dimensions; `amounts` has two numbers for each, the last dimension
/// first. Negative numbers remove elements.
pub(crate) fn pad<E: Engine>(engine: &E, x: &E::Tensor, amounts: &[i64], fill: Fill) -> Result<E::Tensor> {
    let shape = engine.shape(x)?;
    let rank = shape.len();
    if !amounts.len().is_multiple_of(2) || amounts.len() > 2 * rank {
        let message =
            format_args!("expected two amounts for each of the last dimensions of shape {shape:?}, given {amounts:?}");
        return Err(Error::new(Code::Shape, message));
    }
    let mut padded = x.clone();
    let mut sizes = shape.clone();
    for (i, pair) in amounts.chunks_exact(2).enumerate() {
        let (dim, before, behind) = (rank - 1 - i, pair[0], pair[1]);
        if pair == [0, 0] {
            continue;
        }
        let size = shape[dim] as i64;
        let total = size.checked_add(before).and_then(|sum| sum.checked_add(behind));
        let is_possible =
            before.max(behind) <= fill.limit(size) && total >= Some(0) && before.min(0) + behind.min(0) >= -size;
        let Some(total) = total.filter(|_| is_possible) else {
            let message =
                format_args!("expected amounts that dimension {dim} of shape {shape:?} allows, given {amounts:?}");
            return Err(Error::new(Code::Shape, message));
        };
        sizes[dim] = usize::try_from(total).unwrap_or(usize::MAX);
        engine.check_memory(&sizes, engine.dtype(x)?)?;
        padded = match fill {
            Fill::Constant(value) => surrounded(engine, &padded, dim, [before, behind], value)?,
            _ => {
                let kept = [(-before).max(0), size + behind.min(0)];
                let sources = (0..sizes[dim]).map(|i| fill.source(i as i64 - before, size, kept));
                let indices = Data::Long(collected(sources)?);
                let indices = engine.tensor(&indices, &[sizes[dim]], engine.device(x)?)?;
                engine.primitive(Primitive::IndexSelect(dim), &[&padded, &indices])?
            }
        };
    }
    Ok(padded)
}

/// A number added at both ends of a dimension. Negative amounts remove at most its elements.
fn surrounded<E: Engine>(engine: &E, x: &E::Tensor, dim: usize, amounts: [i64; 2], value: f64) -> Result<E::Tensor> {
    let mut shape = engine.shape(x)?;
    let cut = amounts.map(|amount| amount.min(0).unsigned_abs() as usize);
    let kept = if cut == [0, 0] { x.clone() } else { engine.slice(x, dim, cut[0], shape[dim] - cut[0] - cut[1])? };
    let c = Calculation::new(engine);
    let kept = c.input(&kept);
    let [before, behind] = amounts.map(|amount| {
        shape[dim] = amount.max(0) as usize;
        c.expand(c.number(kept, value), &shape)
    });
    c.result(c.cat(dim, &[before, kept, behind]))
}
