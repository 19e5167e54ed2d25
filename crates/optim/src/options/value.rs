//! Values of options, and their kinds.

use std::fmt;

use crate::number::Number;

/// An option's value, or what a caller gave for one.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// An option that is left out after all.
    Undefined,
    /// A switch.
    Flag(bool),
    /// A whole number that was checked to be one.
    Integer(i64),
    /// A number.
    Float(f64),
    /// A word.
    Word(String),
    /// Several numbers, as in PyTorch's `betas`.
    List(Vec<f64>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Undefined => f.write_str("undefined"),
            Value::Flag(flag) => write!(f, "boolean {flag}"),
            Value::Integer(number) => write!(f, "{number}"),
            Value::Float(number) => Number(*number).fmt(f),
            Value::Word(word) => write!(f, "string \"{word}\""),
            Value::List(list) if list.len() > 8 => write!(f, "list of {}", list.len()),
            Value::List(list) => {
                let list: Vec<_> = list.iter().copied().map(Number).collect();
                write!(f, "list {list:?}")
            }
        }
    }
}

/// What kind of value an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
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

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Float => f.write_str("a finite number"),
            Kind::Integer => f.write_str("a whole number"),
            Kind::Flag => f.write_str("a boolean"),
            Kind::Word(words) => write!(f, "one of \"{}\"", words.join("\", \"")),
            Kind::Sizes => f.write_str("a whole number or a list of them"),
            Kind::Numbers => f.write_str("a finite number or a list of them"),
        }
    }
}
