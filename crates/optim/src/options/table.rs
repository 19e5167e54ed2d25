//! Option tables: one row declares an option, and everything else about it is derived from the row.

use std::fmt;

use crate::error::{Code, Error, Result};
use crate::joined::joined;
use crate::number::Number;
use crate::options::option_type::OptionType;
use crate::options::value::{OptionKind, OptionValue};

/// The range of a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// Any finite number.
    Finite,
    /// At least this.
    AtLeast(f64),
    /// More than this.
    Above(f64),
    /// At least the first, and less than the second.
    HalfOpen(f64, f64),
    /// More than the first, and less than the second.
    Open(f64, f64),
    /// At least the first, and at most the second.
    Closed(f64, f64),
}

impl Limit {
    fn admits(self, x: f64) -> bool {
        match self {
            Limit::Finite => true,
            Limit::AtLeast(low) => x >= low,
            Limit::Above(low) => x > low,
            Limit::HalfOpen(low, high) => x >= low && x < high,
            Limit::Open(low, high) => x > low && x < high,
            Limit::Closed(low, high) => x >= low && x <= high,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = Number;
        match *self {
            Limit::Finite => Ok(()),
            Limit::AtLeast(low) => write!(f, " >= {}", n(low)),
            Limit::Above(low) => write!(f, " > {}", n(low)),
            Limit::HalfOpen(low, high) => write!(f, " in [{}, {})", n(low), n(high)),
            Limit::Open(low, high) => write!(f, " in ({}, {})", n(low), n(high)),
            Limit::Closed(low, high) => write!(f, " in [{}, {}]", n(low), n(high)),
        }
    }
}

/// One row of an option table.
pub struct OptionSpec {
    /// The name in the k-api.
    pub name: &'static str,
    /// The name in PyTorch, which is accepted, too; `betas[0]` is the first element of the list `betas`.
    pub alias: Option<&'static str>,
    /// One sentence.
    pub doc: &'static str,
    /// The type.
    pub kind: OptionKind,
    /// True if `null` is a value.
    pub nullable: bool,
    /// The range of a number, or of each number of a list.
    pub limit: Limit,
    /// The default; `None` for a required option.
    pub default: fn() -> Option<OptionValue>,
    /// True for an extension, an option that the k-api does not have. It is set by name only, comes after the
    /// positional options, and is reported only if it was changed.
    pub extension: bool,
}

impl OptionSpec {
    /// Converts and checks a value. `owner` is the optimizer or module, for messages.
    fn check(&self, owner: &str, given: &OptionValue) -> Result<OptionValue> {
        let value = match (self.kind, given) {
            (_, OptionValue::Null) if self.nullable => return Ok(OptionValue::Null),
            (OptionKind::Flag, OptionValue::Flag(flag)) => return Ok(OptionValue::Flag(*flag)),
            (OptionKind::Word(words), OptionValue::Word(word)) if words.contains(&word.as_str()) => {
                return Ok(given.clone());
            }
            (OptionKind::Word(_), OptionValue::Word(_)) => return Err(self.refuse(Code::OptionRange, owner, given)),
            (OptionKind::Float, OptionValue::Integer(x)) => OptionValue::Float(*x as f64),
            (OptionKind::Float, OptionValue::Float(_)) | (OptionKind::Integer, OptionValue::Integer(_)) => {
                given.clone()
            }
            (OptionKind::Integer, OptionValue::Float(x)) if is_whole(*x) => OptionValue::Integer(*x as i64),
            (OptionKind::Sizes, OptionValue::Integer(x)) => OptionValue::List(vec![*x as f64]),
            (OptionKind::Sizes, OptionValue::Float(x)) if is_whole(*x) => OptionValue::List(vec![*x]),
            (OptionKind::Sizes, OptionValue::List(list)) if !list.is_empty() && list.iter().all(|x| is_whole(*x)) => {
                given.clone()
            }
            (OptionKind::Numbers, OptionValue::Integer(x)) => OptionValue::List(vec![*x as f64]),
            (OptionKind::Numbers, OptionValue::Float(x)) => OptionValue::List(vec![*x]),
            (OptionKind::Numbers, OptionValue::List(list)) if !list.is_empty() => given.clone(),
            _ => return Err(self.refuse(Code::OptionType, owner, given)),
        };
        let fits = |x: f64| x.is_finite() && self.limit.admits(x);
        let admitted = match &value {
            OptionValue::Float(x) => fits(*x),
            OptionValue::Integer(x) => fits(*x as f64),
            OptionValue::List(list) => list.iter().all(|x| fits(*x)),
            _ => true,
        };
        if admitted { Ok(value) } else { Err(self.refuse(Code::OptionRange, owner, given)) }
    }

    fn refuse(&self, code: Code, owner: &str, given: &dyn fmt::Display) -> Error {
        let or_null = if self.nullable { " or null" } else { "" };
        let message =
            format_args!("{owner} {}: expected {}{}{or_null}, given {given}", self.name, self.kind, self.limit);
        Error::new(code, message)
    }
}

fn is_whole(x: f64) -> bool {
    const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_992.0;
    x.fract() == 0.0 && x.abs() <= MAX_EXACT_INTEGER
}

/// A sentence of a table; empty in WebAssembly, whose texts the SDK has.
pub const fn documentation(text: &'static str) -> &'static str {
    if cfg!(target_family = "wasm") { "" } else { text }
}

/// The name of a PyTorch class, if there is one; empty in WebAssembly.
pub(crate) const fn torch_class(name: Option<&'static str>) -> Option<&'static str> {
    match name {
        Some(name) => Some(documentation(name)),
        None => None,
    }
}

/// The name of a field without `r#`, by which Rust marks a keyword.
pub const fn plain_name(field: &'static str) -> &'static str {
    if let [b'r', b'#', name @ ..] = field.as_bytes()
        && let Ok(name) = std::str::from_utf8(name)
    {
        return name;
    }
    field
}

/// The defaults of a table; `Null` for a required option.
pub fn defaults(specs: &[OptionSpec]) -> Vec<OptionValue> {
    specs.iter().map(|spec| (spec.default)().unwrap_or(OptionValue::Null)).collect()
}

/// The options with a position: all except extensions.
pub fn positional(specs: &[OptionSpec]) -> &[OptionSpec] {
    let count = specs.iter().take_while(|spec| !spec.extension).count();
    &specs[..count]
}

/// The first extension whose value is not the default.
pub fn first_changed_extension<'a>(specs: &'a [OptionSpec], values: &[OptionValue]) -> Option<&'a OptionSpec> {
    let changed =
        |(spec, value): &(&OptionSpec, &OptionValue)| spec.extension && (spec.default)().as_ref() != Some(*value);
    specs.iter().zip(values).find(changed).map(|(spec, _)| spec)
}

/// Sets positional and named options in a copy of `base`. `owner` is the optimizer or module, for messages.
///
/// # Errors
/// - [`Code::Argument`] for too many positional options, an option given twice, or a missing option that is required
/// - [`Code::OptionUnknown`] for an unknown name
/// - [`Code::OptionType`] for a wrong type
/// - [`Code::OptionRange`] for a number out of range
pub fn parse(
    owner: &str,
    specs: &[OptionSpec],
    base: &[OptionValue],
    positional: &[OptionValue],
    named: &[(String, OptionValue)],
) -> Result<Vec<OptionValue>> {
    let known = self::positional(specs);
    if specs.is_empty()
        && let Some(given) = positional.first()
    {
        return Err(Error::new(Code::Argument, format_args!("{owner}: expected no options, given {given}")));
    }
    if positional.len() > known.len() {
        let message = format_args!(
            "{owner}: expected up to {} positional options ({}), given {}",
            known.len(),
            names(known),
            positional.len()
        );
        return Err(Error::new(Code::Argument, message));
    }
    let mut values = base.to_vec();
    // One bit per option; no table has more than 64 rows.
    let mut taken = 0u64;
    let mut set = |index: usize, given: &OptionValue| -> Result<()> {
        let spec = &specs[index];
        if matches!(given, OptionValue::Undefined) {
            return Ok(());
        }
        if taken >> index & 1 == 1 {
            let mut message = format!("{owner} {}: given twice", spec.name);
            if let Some(alias) = spec.alias {
                message = message + "; its other name is " + alias;
            }
            return Err(Error::new(Code::Argument, message));
        }
        taken |= 1 << index;
        values[index] = spec.check(owner, given)?;
        Ok(())
    };
    for (index, given) in positional.iter().enumerate() {
        set(index, given)?;
    }
    for (name, given) in named {
        for (index, value) in resolve(owner, specs, name, given)? {
            set(index, &value)?;
        }
    }
    match specs.iter().zip(&values).find(|(spec, value)| **value == OptionValue::Null && (spec.default)().is_none()) {
        Some((spec, _)) => Err(spec.refuse(Code::Argument, owner, &"nothing")),
        None => Ok(values),
    }
}

/// The options that a name refers to: an option, an alias, or all elements of a list alias.
fn resolve(owner: &str, specs: &[OptionSpec], name: &str, given: &OptionValue) -> Result<Vec<(usize, OptionValue)>> {
    if let Some(index) = specs.iter().position(|spec| spec.name == name || spec.alias == Some(name)) {
        return Ok(vec![(index, given.clone())]);
    }
    let elements: Vec<usize> = specs
        .iter()
        .enumerate()
        .filter(|(_, spec)| {
            spec.alias.and_then(|alias| alias.strip_prefix(name)).is_some_and(|rest| rest.starts_with("["))
        })
        .map(|(index, _)| index)
        .collect();
    match given {
        _ if specs.is_empty() => {
            Err(Error::new(Code::OptionUnknown, format_args!("{owner}: expected no options, given `{name}`")))
        }
        _ if elements.is_empty() => {
            let message = format_args!("{owner}: unknown option `{name}`, expected one of {}", names(specs));
            Err(Error::new(Code::OptionUnknown, message))
        }
        OptionValue::Undefined => Ok(Vec::new()),
        OptionValue::List(list) if list.len() == elements.len() => {
            Ok(elements.into_iter().zip(list.iter().map(|x| OptionValue::Float(*x))).collect())
        }
        _ => {
            let message = format_args!("{owner} {name}: expected a list of {} numbers, given {given}", elements.len());
            Err(Error::new(Code::OptionType, message))
        }
    }
}

fn names(specs: &[OptionSpec]) -> String {
    joined(&specs.iter().map(|spec| spec.name).collect::<Vec<_>>(), ", ")
}

/// A struct of options with its table; made by [`options!`](crate::options!).
pub trait OptionSet: Sized {
    /// The table, in positional order.
    const SPECS: &'static [OptionSpec];

    /// Converts values that [`parse`] or [`defaults`] made.
    fn from_values(values: &[OptionValue]) -> Result<Self>;
}

/// The next value, for [`OptionSet::from_values`]. A separate function, since that one exists once per table.
#[inline(never)]
pub fn next_option<T: OptionType>(values: &mut std::slice::Iter<'_, OptionValue>) -> Result<T> {
    let value = values.next().and_then(T::from_value);
    value.ok_or_else(|| Error::new(Code::Internal, "a list of option values does not match its table"))
}
