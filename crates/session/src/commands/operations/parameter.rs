//! Kinds and defaults of arguments, and results of operations.

use crate::engine::Engine;
use crate::mathematics::interpolation;
use crate::mathematics::padding::Fill;
use crate::values::value::Value;

/// The kind of an argument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A tensor, a number, or an array of numbers.
    Tensor,
    /// A list of these.
    Tensors,
    /// A number.
    Number,
    /// A whole number.
    Whole,
    /// A boolean.
    Flag,
    /// A dimension; negative ones count from the last.
    Dim,
    /// One dimension or several.
    Dims,
    /// Sizes of dimensions.
    Sizes,
    /// One number or several.
    Numbers,
    /// The word of a [`Fill`](crate::mathematics::padding::Fill).
    Fill,
    /// The word of a mode of interpolation.
    Mode,
    /// The name of a dtype.
    Dtype,
}

impl Kind {
    /// The words that an argument may be; none for kinds that are not words.
    pub(crate) fn words(self) -> &'static [&'static str] {
        match self {
            Kind::Fill => Fill::WORDS,
            Kind::Mode => interpolation::MODES,
            _ => &[],
        }
    }
}

/// The value of an argument that is left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Default {
    /// It has to be given.
    Required,
    /// The function decides.
    Absent,
    /// A number, whole or not.
    Number(f64),
    /// A boolean.
    Flag(bool),
    /// A word.
    Word(&'static str),
}

/// An argument of an operation.
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) default: Default,
}

impl Parameter {
    /// Whether a dictionary in its place names it and the ones after it.
    pub(crate) fn is_named(&self) -> bool {
        !matches!(self.kind, Kind::Tensor | Kind::Tensors)
    }
}

/// The result of an operation.
pub(crate) enum Output<E: Engine> {
    /// A tensor.
    One(E::Tensor),
    /// Several tensors, in a list.
    Several(Vec<E::Tensor>),
    /// Plain data.
    Plain(Value),
}
