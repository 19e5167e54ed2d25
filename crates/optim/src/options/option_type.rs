//! The Rust types of options.

use crate::options::value::{OptionKind, OptionValue};

/// A Rust type of an option.
pub trait OptionType: Sized {
    /// The kind of its values.
    const KIND: OptionKind;
    /// True if `null` is a value.
    const NULLABLE: bool = false;
    /// Converts from a checked value.
    fn from_value(value: &OptionValue) -> Option<Self>;
    /// Converts to a value.
    fn into_value(self) -> OptionValue;
}

impl OptionType for f64 {
    const KIND: OptionKind = OptionKind::Float;
    fn from_value(value: &OptionValue) -> Option<Self> {
        if let OptionValue::Float(x) = value { Some(*x) } else { None }
    }
    fn into_value(self) -> OptionValue {
        OptionValue::Float(self)
    }
}

impl OptionType for i64 {
    const KIND: OptionKind = OptionKind::Integer;
    fn from_value(value: &OptionValue) -> Option<Self> {
        if let OptionValue::Integer(x) = value { Some(*x) } else { None }
    }
    fn into_value(self) -> OptionValue {
        OptionValue::Integer(self)
    }
}

impl OptionType for bool {
    const KIND: OptionKind = OptionKind::Flag;
    fn from_value(value: &OptionValue) -> Option<Self> {
        if let OptionValue::Flag(x) = value { Some(*x) } else { None }
    }
    fn into_value(self) -> OptionValue {
        OptionValue::Flag(self)
    }
}

/// One number for all dimensions, or one for each.
impl OptionType for Vec<usize> {
    const KIND: OptionKind = OptionKind::Sizes;
    fn from_value(value: &OptionValue) -> Option<Self> {
        if let OptionValue::List(list) = value { Some(list.iter().map(|x| *x as usize).collect()) } else { None }
    }
    fn into_value(self) -> OptionValue {
        OptionValue::List(self.into_iter().map(|x| x as f64).collect())
    }
}

/// One whole number or several, which may be negative.
impl OptionType for Vec<i64> {
    const KIND: OptionKind = OptionKind::Sizes;
    fn from_value(value: &OptionValue) -> Option<Self> {
        if let OptionValue::List(list) = value { Some(list.iter().map(|x| *x as i64).collect()) } else { None }
    }
    fn into_value(self) -> OptionValue {
        OptionValue::List(self.into_iter().map(|x| x as f64).collect())
    }
}

/// One number for all groups, or one for each.
impl OptionType for Vec<f64> {
    const KIND: OptionKind = OptionKind::Numbers;
    fn from_value(value: &OptionValue) -> Option<Self> {
        if let OptionValue::List(list) = value { Some(list.clone()) } else { None }
    }
    fn into_value(self) -> OptionValue {
        OptionValue::List(self)
    }
}

impl<T: OptionType> OptionType for Option<T> {
    const KIND: OptionKind = T::KIND;
    const NULLABLE: bool = true;
    fn from_value(value: &OptionValue) -> Option<Self> {
        if *value == OptionValue::Null { Some(None) } else { T::from_value(value).map(Some) }
    }
    fn into_value(self) -> OptionValue {
        self.map_or(OptionValue::Null, T::into_value)
    }
}

/// Converts a whole number to a count. A number beyond the address space becomes `usize::MAX`, which no memory holds.
/// So does a negative number, which the limit of the option rejects.
pub fn count(whole: i64) -> usize {
    usize::try_from(whole).unwrap_or(usize::MAX)
}
