//! The Rust types that an option can have.

use crate::options::value::{Kind, Value};

/// A Rust type that an option can have.
pub trait OptionType: Sized {
    /// The type as the table states it.
    const KIND: Kind;
    /// True if `null` is a value.
    const NULLABLE: bool = false;
    /// From a checked value.
    fn from_value(value: &Value) -> Option<Self>;
    /// To a value.
    fn into_value(self) -> Value;
}

impl OptionType for f64 {
    const KIND: Kind = Kind::Float;
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Float(x) = value { Some(*x) } else { None }
    }
    fn into_value(self) -> Value {
        Value::Float(self)
    }
}

impl OptionType for i64 {
    const KIND: Kind = Kind::Integer;
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Integer(x) = value { Some(*x) } else { None }
    }
    fn into_value(self) -> Value {
        Value::Integer(self)
    }
}

impl OptionType for bool {
    const KIND: Kind = Kind::Flag;
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::Flag(x) = value { Some(*x) } else { None }
    }
    fn into_value(self) -> Value {
        Value::Flag(self)
    }
}

/// One number for all dimensions, or one for each.
impl OptionType for Vec<usize> {
    const KIND: Kind = Kind::Sizes;
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::List(list) = value { Some(list.iter().map(|x| *x as usize).collect()) } else { None }
    }
    fn into_value(self) -> Value {
        Value::List(self.into_iter().map(|x| x as f64).collect())
    }
}

/// One number for all groups, or one for each.
impl OptionType for Vec<f64> {
    const KIND: Kind = Kind::Numbers;
    fn from_value(value: &Value) -> Option<Self> {
        if let Value::List(list) = value { Some(list.clone()) } else { None }
    }
    fn into_value(self) -> Value {
        Value::List(self)
    }
}

impl<T: OptionType> OptionType for Option<T> {
    const KIND: Kind = T::KIND;
    const NULLABLE: bool = true;
    fn from_value(value: &Value) -> Option<Self> {
        if *value == Value::Null { Some(None) } else { T::from_value(value).map(Some) }
    }
    fn into_value(self) -> Value {
        self.map_or(Value::Null, T::into_value)
    }
}

/// A whole number of an option as a count of things in memory. Where addresses have 32 bits, what is beyond them becomes
/// the largest, which no memory holds; so does a negative number, which the limit of the option refuses.
pub fn count(whole: i64) -> usize {
    usize::try_from(whole).unwrap_or(usize::MAX)
}
