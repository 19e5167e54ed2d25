//! Plain data as values of options, and back.

use stepwell_optim::{Code, Error, OptionValue, Result, Results};

use crate::values::numbers::{Numbers, array};
use crate::values::value::Dynamic;

/// Numbers of one dimension.
fn flat(given: &Dynamic) -> Result<Option<Numbers<'_>>> {
    Ok(array(given)?.filter(|array| array.shape.len() == 1))
}

/// An option's value as the tables take it; `None` for what no option can be.
///
/// # Errors
/// [`Code::Memory`]
pub(crate) fn option_value(given: &Dynamic) -> Result<Option<OptionValue>> {
    Ok(Some(match given {
        Dynamic::Null => OptionValue::Null,
        Dynamic::Flag(flag) => OptionValue::Flag(*flag),
        Dynamic::Number(number) => OptionValue::Float(*number),
        Dynamic::Text(text) => OptionValue::Word(text.clone()),
        Dynamic::List(_) | Dynamic::Array(_) => match flat(given)? {
            Some(array) => OptionValue::List(array.doubles()?),
            None => return Ok(None),
        },
        Dynamic::Undefined => OptionValue::Undefined,
        Dynamic::Handle(_) | Dynamic::Dictionary(_) => return Ok(None),
    }))
}

/// The options of a list, in the order of their positions.
pub(crate) fn positional_options(owner: &str, given: &[Dynamic]) -> Result<Vec<OptionValue>> {
    let value = |given: &Dynamic| {
        option_value(given)?
            .ok_or_else(|| Error::new(Code::OptionType, format!("{owner}: expected an option, given {given}")))
    };
    given.iter().map(value).values()
}

/// The named options of a dictionary.
pub(crate) fn named_options(entries: Vec<(String, Dynamic)>) -> Result<Vec<(String, OptionValue)>> {
    entries
        .into_iter()
        .map(|(name, given)| match option_value(&given)? {
            Some(value) => Ok((name, value)),
            None => Err(Error::new(Code::OptionType, format!("option {name}: no option can be a {given}"))),
        })
        .values()
}

/// Fails for a key that a state does not have.
pub(crate) fn check_keys(owner: &str, entries: &[(String, Dynamic)], known: &[&str]) -> Result<()> {
    for (key, _) in entries {
        if !known.contains(&key.as_str()) {
            let known = known.join(", ");
            return Err(Error::new(Code::Format, format!("{owner}: unknown key `{key}`, expected some of {known}")));
        }
    }
    Ok(())
}

/// A value as JavaScript sees it.
pub(crate) fn dynamic(value: &OptionValue) -> Dynamic {
    match value {
        OptionValue::Null | OptionValue::Undefined => Dynamic::Null,
        OptionValue::Flag(flag) => Dynamic::Flag(*flag),
        OptionValue::Integer(number) => Dynamic::Number(*number as f64),
        OptionValue::Float(number) => Dynamic::Number(*number),
        OptionValue::Word(word) => Dynamic::text(word),
        OptionValue::List(list) => Dynamic::List(list.iter().map(|x| Dynamic::Number(*x)).collect()),
    }
}
