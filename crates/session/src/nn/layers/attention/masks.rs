//! Masks of attention, as one tensor that is added to the scores.
//!
//! A mask of dtype `bool` is true where a query must not attend to a key. A mask of floating point is added, as in PyTorch.

use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Primitive, Reduce};
use crate::mathematics::calculation::{Calculation, Node};
use crate::mathematics::tensor_math::{TensorMath, expected_dtype};
use crate::values::data::Data;
use crate::values::dtype::Dtype;

/// An input that may be left out: `None` for one of shape `[0]`.
pub(crate) fn given<'a, E: Engine>(engine: &E, inputs: &'a [E::Tensor], index: usize) -> Result<Option<&'a E::Tensor>> {
    match inputs.get(index) {
        Some(input) if engine.shape(input)? == [0] => Ok(None),
        other => Ok(other),
    }
}

/// The sizes of an attention.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) batch: usize,
    pub(crate) heads: usize,
    pub(crate) queries: usize,
    /// Keys of the input, which masks cover.
    pub(crate) keys: usize,
    /// Keys after these, which no mask hides.
    pub(crate) more_keys: usize,
}

/// Masks that hide keys from queries.
#[derive(Clone, Copy)]
pub(crate) struct Masks<'a, T> {
    /// `[queries, keys]`, or `[batch * heads, queries, keys]`.
    pub(crate) mask: Option<&'a T>,
    /// `[batch, keys]`.
    pub(crate) padding: Option<&'a T>,
    /// Whether a query does not attend to later keys.
    pub(crate) causal: bool,
}

/// A sum of masks that broadcasts to `[batch, heads, queries, keys]`.
pub(crate) struct Added<T> {
    pub(crate) scores: T,
    /// Where a query has no key, `[.., 1]`: its scores are unmasked, so that they are not NaN. `None` if each has one.
    pub(crate) without_keys: Option<T>,
}

impl<T: Clone> Masks<'_, T> {
    /// The sum of the masks, with the dtype and on the device of `like`; `None` without masks.
    pub(crate) fn added<E: Engine<Tensor = T>>(&self, engine: &E, sizes: Sizes, like: &T) -> Result<Option<Added<T>>> {
        let Sizes { batch, heads, queries, keys, more_keys } = sizes;
        let c = Calculation::new(engine);
        let mut terms = Vec::new();
        if let Some(mask) = self.mask {
            let (found, each) = (engine.shape(mask)?, [batch * heads, queries, keys]);
            let shape = match found.len() {
                3 if found == each => [batch, heads, queries, keys],
                _ if found == each[1..] => [1, 1, queries, keys],
                _ => {
                    let message =
                        format_args!("expected a mask of shape {:?} or {each:?}, given {found:?}", &each[1..]);
                    return Err(Error::new(Code::Shape, message));
                }
            };
            terms.push(c.with_shape(as_added(&c, engine, mask, like)?, &shape));
        }
        if let Some(padding) = self.padding {
            let (found, expected) = (engine.shape(padding)?, [batch, keys]);
            if found != expected && !(batch == 1 && found == [keys]) {
                let message = format_args!("expected a mask of padding of shape {expected:?}, given {found:?}");
                return Err(Error::new(Code::Shape, message));
            }
            terms.push(c.with_shape(as_added(&c, engine, padding, like)?, &[batch, 1, 1, keys]));
        }
        let may_hide_all = !terms.is_empty() && keys > 0 && more_keys == 0;
        if self.causal {
            terms.push(c.output(later_keys(engine, queries, keys, like)));
        }
        let Some(mut scores) = terms.pop() else { return Ok(None) };
        for term in terms {
            scores = c.binary(Binary::Add, scores, term);
        }
        if more_keys > 0 {
            let mut shape = engine.shape(&c.result(scores)?)?;
            let last = shape.len() - 1;
            shape[last] = more_keys;
            let zero = c.output(engine.number_like(like, 0.0));
            scores = c.cat(last, &[scores, c.primitive(Primitive::Expand(shape), &[zero])]);
        }
        let mut without_keys = None;
        if may_hide_all {
            let best =
                c.primitive(Primitive::Reduce { reduction: Reduce::Amax, dims: vec![3], keepdim: true }, &[scores]);
            let without = c.with(best, &|best| engine.compare_number(Compare::Eq, best, f64::NEG_INFINITY));
            scores = c.number_where(without, 0.0, scores);
            without_keys = Some(c.result(without)?);
        }
        Ok(Some(Added { scores: c.result(scores)?, without_keys }))
    }
}

/// A mask that is added: -infinity where a mask of `bool` is true.
fn as_added<E: Engine>(c: &Calculation<'_, E>, engine: &E, mask: &E::Tensor, like: &E::Tensor) -> Result<Node> {
    match (engine.dtype(mask)?, engine.dtype(like)?) {
        (Dtype::Bool, _) => {
            let zero = c.output(engine.number_like(like, 0.0));
            Ok(c.number_where(c.input(mask), f64::NEG_INFINITY, zero))
        }
        (found, expected) if found == expected => Ok(c.input(mask)),
        (found, expected) => Err(expected_dtype(&format!("a mask of dtype bool or {}", expected.name()), found)),
    }
}

/// -infinity where the key comes later than the query, `[queries, keys]`.
fn later_keys<E: Engine>(engine: &E, queries: usize, keys: usize, like: &E::Tensor) -> Result<E::Tensor> {
    let dtype = engine.dtype(like)?;
    engine.check_memory(&[queries, keys], Dtype::Double)?;
    let element = |i: usize| if i % keys > i / keys { f64::NEG_INFINITY } else { 0.0 };
    let mask = Data::Double((0..queries * keys).map(element).collect()).cast(dtype)?;
    engine.tensor(&mask, &[queries, keys], engine.device(like)?)
}
