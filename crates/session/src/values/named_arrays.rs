//! Plain data with arrays apart: each array is replaced by its name, and comes back by it.
//!
//! In the place of an array stands `{"$tensor": name}`. A key that begins with `$` gets another one in front.

use std::collections::HashSet;

use stepwell_optim::{Brief, Code, Error, Result};

use crate::values::value::{NumericArray, Value};

/// Key of an object that stands for an array.
const TENSOR: &str = "$tensor";
const ESCAPE: char = '$';

/// An array that was taken out of a value.
pub(crate) struct NamedArray {
    pub(crate) name: String,
    pub(crate) array: NumericArray,
}

/// An object that stands for the array of a name.
pub(crate) fn reference(name: &str) -> Value {
    Value::object([(TENSOR, Value::string(name))])
}

/// The name of the array that a value stands for; `None` for any other value.
pub(crate) fn referenced(value: &Value) -> Option<&str> {
    match value {
        Value::Object(entries) => match entries.as_slice() {
            [(key, Value::String(name))] if key == TENSOR => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// Fails if two places of a value stand for one array: a small file would become any number of large objects.
pub(crate) fn check_unique(value: &Value) -> Result<()> {
    fn check<'a>(value: &'a Value, names: &mut HashSet<&'a str>) -> Result<()> {
        if let Some(name) = referenced(value) {
            let message = format_args!("tensor `{}` is named twice", Brief(name));
            return if names.insert(name) { Ok(()) } else { Err(Error::new(Code::Format, message)) };
        }
        match value {
            Value::Array(list) => list.iter().try_for_each(|item| check(item, names)),
            Value::Object(entries) => entries.iter().try_for_each(|(_, item)| check(item, names)),
            _ => Ok(()),
        }
    }
    check(value, &mut HashSet::new())
}

/// Takes the arrays out of a value. Their names are `name` with the keys on the way to them, divided by dots.
pub(crate) fn take(value: &mut Value, name: &str, taken: &mut Vec<NamedArray>) {
    match value {
        Value::NumericArray(_) => {
            if let Value::NumericArray(array) = std::mem::replace(value, reference(name)) {
                taken.push(NamedArray { name: name.to_owned(), array });
            }
        }
        Value::Array(list) => {
            for (i, item) in list.iter_mut().enumerate() {
                take(item, &format!("{name}.{i}"), taken);
            }
        }
        Value::Object(entries) => {
            for (key, item) in entries {
                take(item, &format!("{name}.{key}"), taken);
                if key.starts_with(ESCAPE) {
                    key.insert(0, ESCAPE);
                }
            }
        }
        _ => {}
    }
}

/// Puts the arrays back. `array` finds the array of a name.
///
/// # Errors
/// [`Code::Format`] for a key that this release does not know, and the errors of `array`.
pub(crate) fn put(value: &mut Value, array: &mut dyn FnMut(&str) -> Result<NumericArray>) -> Result<()> {
    if let Some(name) = referenced(value) {
        *value = Value::NumericArray(array(name)?);
        return Ok(());
    }
    match value {
        Value::Array(list) => list.iter_mut().try_for_each(|item| put(item, array)),
        Value::Object(entries) => {
            for (key, item) in entries {
                if key.starts_with(ESCAPE) {
                    if !key[1..].starts_with(ESCAPE) {
                        return Err(Error::new(Code::Format, format_args!("unknown key `{}`", Brief(key))));
                    }
                    key.remove(0);
                }
                put(item, array)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::data::Data;

    #[test]
    fn arrays_come_back_by_their_names() {
        let array = |x: f32| Value::NumericArray(NumericArray { data: Data::Float(vec![x]), shape: vec![1] });
        let before = Value::object([
            ("a", Value::Array(vec![array(1.0), Value::Null])),
            ("$tensor", Value::string("not a name")),
            ("$b", Value::object([("$tensor", Value::string("also not")), ("$$c", array(2.0))])),
        ]);
        let (mut value, mut taken) = (before.clone(), Vec::new());
        take(&mut value, "run", &mut taken);
        let names: Vec<_> = taken.iter().map(|named| &*named.name).collect();
        assert_eq!(names, ["run.a.0", "run.$b.$$c"]);
        assert_ne!(value, before);
        put(&mut value, &mut |name| {
            let found = taken.iter().find(|named| named.name == name);
            found.map(|named| named.array.clone()).ok_or_else(|| Error::new(Code::Format, name))
        })
        .expect("all are there");
        assert_eq!(value, before);
        let twice = Value::Array(vec![reference("a"), Value::object([("b", reference("a"))])]);
        assert!(check_unique(&twice).is_err_and(|error| error.to_string() == "tensor `a` is named twice"));
        assert!(check_unique(&Value::Array(vec![reference("a"), reference("b")])).is_ok());
        let mut unknown = Value::object([("$later", Value::Null)]);
        assert!(put(&mut unknown, &mut |name| Err(Error::new(Code::Format, name))).is_err());
    }
}
