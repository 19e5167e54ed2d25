//! Values and kinds of options.

use std::fmt;

use crate::joined::joined;
use crate::number::Number;

/// A value of an option, checked or as a caller gave it.
#[derive(Clone, Debug, PartialEq)]
pub enum OptionValue {
    /// No value.
    Null,
    /// An option that is left out.
    Undefined,
    /// A boolean.
    Flag(bool),
    /// A whole number, checked.
    Integer(i64),
    /// A number.
    Float(f64),
    /// A word.
    Word(String),
    /// A list of numbers, as PyTorch's `betas`.
    List(Vec<f64>),
}

impl fmt::Display for OptionValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OptionValue::Null => f.write_str("null"),
            OptionValue::Undefined => f.write_str("undefined"),
            OptionValue::Flag(flag) => write!(f, "boolean {flag}"),
            OptionValue::Integer(number) => write!(f, "{number}"),
            OptionValue::Float(number) => Number(*number).fmt(f),
            OptionValue::Word(word) => write!(f, "string \"{word}\""),
            OptionValue::List(list) if list.len() > 8 => write!(f, "list of {}", list.len()),
            OptionValue::List(list) => {
                let list: Vec<_> = list.iter().copied().map(Number).collect();
                write!(f, "list {list:?}")
            }
        }
    }
}

/// The kind of value that an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// A finite number.
    Float,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
    /// One whole number, or one for each dimension.
    Sizes,
    /// One finite number for all parameter groups, or one for each.
    Numbers,
}

impl fmt::Display for OptionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OptionKind::Float => f.write_str("a finite number"),
            OptionKind::Integer => f.write_str("a whole number"),
            OptionKind::Flag => f.write_str("a boolean"),
            OptionKind::Word(words) => write!(f, "one of \"{}\"", joined(words, "\", \"")),
            OptionKind::Sizes => f.write_str("a whole number or a list of them"),
            OptionKind::Numbers => f.write_str("a finite number or a list of them"),
        }
    }
}
