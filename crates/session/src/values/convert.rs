//! Plain data as values of options, and back.

use stepwell_optim::{Code, Error, OptionSpec, OptionValue, Result, Results, joined};

use crate::values::numbers::{Numbers, array};
use crate::values::value::Value;

/// Numbers of one dimension.
fn flat(given: &Value) -> Result<Option<Numbers<'_>>> {
    Ok(array(given)?.filter(|array| array.shape.len() == 1))
}

/// The value of an option; `None` for a handle, an object or nested arrays.
///
/// # Errors
/// [`Code::Memory`]
pub(crate) fn option_value(given: &Value) -> Result<Option<OptionValue>> {
    Ok(Some(match given {
        Value::Null => OptionValue::Null,
        Value::Bool(flag) => OptionValue::Flag(*flag),
        Value::Number(number) => OptionValue::Float(*number),
        Value::String(text) => OptionValue::Word(text.clone()),
        Value::Array(_) | Value::NumericArray(_) | Value::Numbers(_) => match flat(given)? {
            Some(array) => OptionValue::List(array.doubles()?),
            None => return Ok(None),
        },
        Value::Undefined => OptionValue::Undefined,
        Value::Handle(_) | Value::Object(_) => return Ok(None),
        #[cfg(not(target_arch = "wasm32"))]
        Value::Bytes(_) => return Ok(None),
    }))
}

/// The options of a list, in the order of their positions.
pub(crate) fn positional_options(owner: &str, given: &[Value]) -> Result<Vec<OptionValue>> {
    let value = |given: &Value| {
        option_value(given)?
            .ok_or_else(|| Error::new(Code::OptionType, format_args!("{owner}: expected an option, given {given}")))
    };
    given.iter().map(value).values()
}

/// The named options of a dictionary.
pub(crate) fn named_options(entries: Vec<(String, Value)>) -> Result<Vec<(String, OptionValue)>> {
    entries
        .into_iter()
        .map(|(name, given)| match option_value(&given)? {
            Some(value) => Ok((name, value)),
            None => Err(Error::new(
                Code::OptionType,
                format_args!("option {name}: expected a number, boolean, string or list of numbers, given {given}"),
            )),
        })
        .values()
}

/// Names options that were taken before the others in the error of an unknown one: `", only"`.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn also_known(error: Error, taken: &str) -> Error {
    if error.code() == Code::OptionUnknown { error.followed_by(taken) } else { error }
}

/// Fails for a key that a state does not have.
pub(crate) fn check_keys(owner: &str, entries: &[(String, Value)], known: &[&str]) -> Result<()> {
    for (key, _) in entries {
        if !known.contains(&key.as_str()) {
            let known = joined(known, ", ");
            return Err(Error::new(
                Code::Format,
                format_args!("{owner}: unknown key `{key}`, expected some of {known}"),
            ));
        }
    }
    Ok(())
}

/// Values of options by name.
pub(crate) fn option_entries(specs: &[OptionSpec], values: &[OptionValue]) -> Value {
    Value::object(specs.iter().zip(values).map(|(spec, value)| (spec.name, to_value(value))))
}

/// The value of an option as text for a message.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn plain_text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(list) => format!("[{}]", list.iter().map(plain_text).collect::<Vec<_>>().join(", ")),
        other => format!("{other:?}"),
    }
}

/// A value as JavaScript sees it.
pub(crate) fn to_value(value: &OptionValue) -> Value {
    match value {
        OptionValue::Null | OptionValue::Undefined => Value::Null,
        OptionValue::Flag(flag) => Value::Bool(*flag),
        OptionValue::Integer(number) => Value::Number(*number as f64),
        OptionValue::Float(number) => Value::Number(*number),
        OptionValue::Word(word) => Value::string(word),
        OptionValue::List(list) => Value::Array(list.iter().map(|x| Value::Number(*x)).collect()),
    }
}
