//! Arguments and results of calls, in the words of JSON.

use std::fmt;

use stepwell_optim::{Brief, Number, joined};

use crate::values::data::Data;
use crate::values::handle::Handle;

/// An argument or a result of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`, or an argument that is left out.
    Null,
    /// `undefined`, in a list or among arguments. Bindings leave it out of objects.
    Undefined,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A string.
    String(String),
    /// A handle, which the session has not checked yet.
    Handle(Handle),
    /// The bytes of a file.
    #[cfg(not(target_arch = "wasm32"))]
    Bytes(Vec<u8>),
    /// Numbers of one dtype with a shape.
    NumericArray(NumericArray),
    /// A rectangular list of plain numbers, which have no dtype of their own. They are held as doubles.
    Numbers(NumericArray),
    /// An array.
    Array(Vec<Value>),
    /// An object, with its entries in order.
    Object(Vec<(String, Value)>),
}

/// Elements in row-major order, with their shape.
#[derive(Clone, Debug, PartialEq)]
pub struct NumericArray {
    /// The elements.
    pub data: Data,
    /// Sizes of the dimensions; without any for a single number.
    pub shape: Vec<usize>,
}

/// The handles among values, in lists and objects too.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn handles_in(values: &[Value]) -> Vec<Handle> {
    fn add(value: &Value, handles: &mut Vec<Handle>) {
        match value {
            Value::Handle(handle) => handles.push(*handle),
            Value::Array(list) => list.iter().for_each(|item| add(item, handles)),
            Value::Object(entries) => entries.iter().for_each(|(_, item)| add(item, handles)),
            _ => {}
        }
    }
    let mut handles = Vec::new();
    values.iter().for_each(|value| add(value, &mut handles));
    handles
}

impl Value {
    /// A string.
    pub fn string(text: impl Into<String>) -> Self {
        Value::String(text.into())
    }

    /// An array of strings.
    pub fn strings<S: Into<String>>(texts: impl IntoIterator<Item = S>) -> Self {
        let mut list = Vec::new();
        for text in texts {
            list.push(Value::string(text));
        }
        Value::Array(list)
    }

    /// An array of sizes.
    pub fn sizes(sizes: &[usize]) -> Self {
        Value::Array(sizes.iter().map(|size| Value::Number(*size as f64)).collect())
    }

    /// An object.
    pub fn object<S: Into<String>>(entries: impl IntoIterator<Item = (S, Value)>) -> Self {
        // `collect` would be more code for each kind of entries.
        let mut list = Vec::new();
        for (key, value) in entries {
            list.push((key.into(), value));
        }
        Value::Object(list)
    }
}

/// A dictionary that is made entry by entry.
///
/// Its functions are calls of a few instructions in WebAssembly; a list of entries is many times that.
pub(crate) struct Entries(Vec<(String, Value)>);

impl Entries {
    #[inline(never)]
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    #[inline(never)]
    pub(crate) fn add(&mut self, key: &str, value: Value) {
        self.0.push((key.to_owned(), value));
    }

    #[inline(never)]
    pub(crate) fn text(&mut self, key: &str, text: &str) {
        self.add(key, Value::string(text));
    }

    #[inline(never)]
    pub(crate) fn number(&mut self, key: &str, number: f64) {
        self.add(key, Value::Number(number));
    }

    #[inline(never)]
    pub(crate) fn flag(&mut self, key: &str, flag: bool) {
        self.add(key, Value::Bool(flag));
    }

    pub(crate) fn value(self) -> Value {
        Value::Object(self.0)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Value::Bool(flag)
    }
}

/// The value as messages show it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Undefined => f.write_str("undefined"),
            Value::Bool(flag) => write!(f, "boolean {flag}"),
            Value::Number(number) => write!(f, "number {}", Number(*number)),
            Value::String(text) => write!(f, "string \"{text}\""),
            Value::Handle(handle) => match handle.kind() {
                Some(kind) => write!(f, "{kind} handle"),
                None => f.write_str("an invalid handle"),
            },
            #[cfg(not(target_arch = "wasm32"))]
            Value::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Value::NumericArray(array) => {
                write!(f, "array of {} elements of dtype {}", array.data.len(), array.data.dtype().name())
            }
            Value::Array(list) => write!(f, "list of {}", list.len()),
            Value::Numbers(array) => write!(f, "list of {}", array.shape.first().unwrap_or(&0)),
            Value::Object(entries) => {
                // There may be a hundred thousand of them.
                let keys: Vec<_> = entries.iter().take(20).map(|(key, _)| key.as_str()).collect();
                let mut text = joined(&keys, ", ");
                if keys.len() < entries.len() {
                    text.push_str(", ...");
                }
                write!(f, "dictionary of {{{}}}", Brief(&text))
            }
        }
    }
}
