//! Values whose type is known at run time: what JavaScript passes in and gets back.

use std::fmt;

use stepwell_optim::{Brief, Number};

use crate::values::data::Data;
use crate::values::handle::Handle;

/// A value on its way in or out.
#[derive(Clone, Debug, PartialEq)]
pub enum Dynamic {
    /// `null`, or an argument that is left out.
    Null,
    /// `undefined`, where it stands in a list or among arguments; in a dictionary it is nothing at all.
    Undefined,
    /// A boolean.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A string.
    Text(String),
    /// A handle, as its owner holds it; not yet known to be valid.
    Handle(Handle),
    /// Numbers of one type with a shape.
    Array(Array),
    /// An array.
    List(Vec<Dynamic>),
    /// An object, its keys in order.
    Dictionary(Vec<(String, Dynamic)>),
}

/// Elements in row-major order, with their shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// The elements.
    pub data: Data,
    /// Sizes of the dimensions; without any for a single number.
    pub shape: Vec<usize>,
}

impl Dynamic {
    /// A string.
    pub fn text(text: impl Into<String>) -> Self {
        Dynamic::Text(text.into())
    }

    /// A list of strings.
    pub fn texts<S: Into<String>>(texts: impl IntoIterator<Item = S>) -> Self {
        let mut list = Vec::new();
        for text in texts {
            list.push(Dynamic::text(text));
        }
        Dynamic::List(list)
    }

    /// A list of numbers.
    pub fn sizes(sizes: &[usize]) -> Self {
        Dynamic::List(sizes.iter().map(|size| Dynamic::Number(*size as f64)).collect())
    }

    /// A dictionary.
    pub fn dictionary<S: Into<String>>(entries: impl IntoIterator<Item = (S, Dynamic)>) -> Self {
        // `collect` would be more code for each kind of entries.
        let mut list = Vec::new();
        for (key, value) in entries {
            list.push((key.into(), value));
        }
        Dynamic::Dictionary(list)
    }
}

/// What was given, for messages.
impl fmt::Display for Dynamic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dynamic::Null => f.write_str("null"),
            Dynamic::Undefined => f.write_str("undefined"),
            Dynamic::Flag(flag) => write!(f, "boolean {flag}"),
            Dynamic::Number(number) => write!(f, "number {}", Number(*number)),
            Dynamic::Text(text) => write!(f, "string \"{text}\""),
            Dynamic::Handle(handle) => match handle.kind() {
                Some(kind) => write!(f, "{kind} handle"),
                None => f.write_str("something that is no handle"),
            },
            Dynamic::Array(array) => {
                write!(f, "array of {} elements of dtype {}", array.data.len(), array.data.dtype().name())
            }
            Dynamic::List(list) => write!(f, "list of {}", list.len()),
            Dynamic::Dictionary(entries) => {
                // There may be a hundred thousand of them.
                let keys: Vec<_> = entries.iter().take(20).map(|(key, _)| key.as_str()).collect();
                let mut text = keys.join(", ");
                if keys.len() < entries.len() {
                    text.push_str(", ...");
                }
                write!(f, "dictionary of {{{}}}", Brief(&text))
            }
        }
    }
}
