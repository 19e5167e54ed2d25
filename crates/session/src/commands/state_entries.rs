//! Entries of a state, with errors that name the attribute.

use stepwell_optim::{Code, Error, Result};

use crate::values::numbers::array;
use crate::values::value::Value;

pub(crate) type Entries = [(String, Value)];

/// Numbers as a list, or as the typed array that JSON-like tools make of one.
pub(crate) fn numbers(entries: &Entries, key: &str) -> Result<Vec<f64>> {
    let given = entry(entries, key)?;
    match array(given)?.filter(|array| array.shape.len() == 1) {
        Some(array) => array.doubles(),
        None => Err(malformed(key, "a list of numbers", given)),
    }
}

pub(crate) fn find<'a>(entries: &'a Entries, key: &str) -> Option<&'a Value> {
    entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

pub(crate) fn entry<'a>(entries: &'a Entries, key: &str) -> Result<&'a Value> {
    find(entries, key).ok_or_else(|| Error::new(Code::Format, format_args!("unable to find state attribute: {key}")))
}

pub(crate) fn flag(entries: &Entries, key: &str) -> Result<Option<bool>> {
    match find(entries, key) {
        None => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(other) => Err(malformed(key, "a boolean", other)),
    }
}

pub(crate) fn list<'a>(entries: &'a Entries, key: &str) -> Result<&'a [Value]> {
    match entry(entries, key)? {
        Value::Array(list) => Ok(list),
        other => Err(malformed(key, "a list", other)),
    }
}

pub(crate) fn dictionary<'a>(key: &str, given: &'a Value) -> Result<&'a Entries> {
    match given {
        Value::Object(entries) => Ok(entries),
        other => Err(malformed(key, "a dictionary", other)),
    }
}

pub(crate) fn text<'a>(entries: &'a Entries, key: &str) -> Result<&'a str> {
    match entry(entries, key)? {
        Value::String(text) => Ok(text),
        other => Err(malformed(key, "a string", other)),
    }
}

pub(crate) fn whole(entries: &Entries, key: &str, most: u64) -> Result<u64> {
    match entry(entries, key)? {
        Value::Number(x) if x.fract() == 0.0 && (0.0..=most as f64).contains(x) => Ok(*x as u64),
        other => Err(malformed(key, &format!("a whole number from 0 to {most}"), other)),
    }
}

pub(crate) fn malformed(key: &str, expected: &str, given: &Value) -> Error {
    Error::new(Code::Format, format_args!("state attribute {key}: expected {expected}, given {given}"))
}
