//! Arguments of a call, taken one after the other; what does not fit says what was expected and what was given.

use std::borrow::Cow;

use stepwell_optim::fallible::{copied, push};
use stepwell_optim::{Code, Error, Number, OptionValue, Result, Results};

use crate::handle::{Handle, Kind};
use crate::{Array, Data, Dtype, Dynamic};

/// A tensor has at most so many dimensions, and numbers are nested no deeper. libtorch has no more in most operations.
const MOST_DIMENSIONS: usize = 64;

/// The arguments of a call that have not been taken yet.
pub(crate) struct Arguments {
    rest: std::vec::IntoIter<Dynamic>,
    position: usize,
}

impl Arguments {
    pub(crate) fn new(arguments: Vec<Dynamic>) -> Self {
        Self { rest: arguments.into_iter(), position: 0 }
    }

    /// The next argument; `Undefined` if there is none.
    pub(crate) fn next(&mut self) -> Dynamic {
        self.position += 1;
        self.rest.next().unwrap_or(Dynamic::Undefined)
    }

    /// The next argument without taking it.
    pub(crate) fn peek(&self) -> &Dynamic {
        self.rest.as_slice().first().unwrap_or(&Dynamic::Null)
    }

    /// Fails for an argument that is there and undefined, where one that is left out means something else.
    pub(crate) fn require_defined(&self) -> Result<()> {
        if !matches!(self.peek(), Dynamic::Undefined) {
            return Ok(());
        }
        let message = format!("expected a value as argument {}, or none, given undefined", self.position + 1);
        Err(Error::new(Code::Argument, message))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.as_slice().is_empty()
    }

    /// Everything that is left.
    pub(crate) fn rest(self) -> Vec<Dynamic> {
        self.rest.collect()
    }

    /// Fails if something is left.
    pub(crate) fn finish(self) -> Result<()> {
        match self.rest.as_slice().first() {
            None => Ok(()),
            Some(extra) => {
                let message = format!("expected {} argument(s), given {extra} as another", self.position);
                Err(Error::new(Code::Argument, message))
            }
        }
    }

    /// An error about the argument taken last.
    pub(crate) fn refuse(&self, expected: &str, given: &Dynamic) -> Error {
        let code = if matches!(given, Dynamic::Handle(_)) { Code::HandleKind } else { Code::Argument };
        Error::new(code, format!("expected {expected} as argument {}, given {given}", self.position))
    }

    pub(crate) fn text(&mut self, what: &str) -> Result<String> {
        match self.next() {
            Dynamic::Text(text) => Ok(text),
            other => Err(self.refuse(&format!("{what} (a string)"), &other)),
        }
    }

    /// A handle of a kind that [`Session`](crate::Session) has one of, or of a model, which has one too.
    pub(crate) fn handle_or_model(&mut self, kind: Kind) -> Result<Handle> {
        match *self.peek() {
            Dynamic::Handle(handle) if handle.kind() == Some(Kind::Model) => self.handle(Kind::Model),
            _ => self.handle(kind),
        }
    }

    pub(crate) fn handle(&mut self, kind: Kind) -> Result<Handle> {
        match self.next() {
            Dynamic::Handle(handle) if handle.kind().is_none_or(|found| found == kind) => Ok(handle),
            other => Err(self.refuse(&format!("{} handle", kind.one()), &other)),
        }
    }

    pub(crate) fn any_handle(&mut self, what: &str) -> Result<Handle> {
        match self.next() {
            Dynamic::Handle(handle) => Ok(handle),
            other => Err(self.refuse(what, &other)),
        }
    }

    /// A boolean, if there is one.
    pub(crate) fn flag(&mut self, what: &str) -> Result<Option<bool>> {
        match self.next() {
            Dynamic::Null | Dynamic::Undefined => Ok(None),
            Dynamic::Flag(flag) => Ok(Some(flag)),
            other => Err(self.refuse(&format!("{what} (a boolean)"), &other)),
        }
    }

    /// A whole number of at least `least`.
    pub(crate) fn whole(&mut self, what: &str, least: u64) -> Result<u64> {
        match self.next() {
            Dynamic::Number(x) if x.fract() == 0.0 && x >= least as f64 && x <= 9_007_199_254_740_991.0 => Ok(x as u64),
            other => Err(self.refuse(&format!("{what} (a whole number of at least {least})"), &other)),
        }
    }

    /// One number or a list of numbers.
    pub(crate) fn numbers(&mut self, what: &str) -> Result<Vec<f64>> {
        let given = self.next();
        match array(&given)?.filter(|array| array.shape.len() <= 1) {
            Some(array) => array.doubles(),
            None => Err(self.refuse(&format!("{what} (a number or a list of numbers)"), &given)),
        }
    }

    /// Sizes of dimensions.
    pub(crate) fn shape(&mut self) -> Result<Vec<usize>> {
        let sizes = self.numbers("a shape")?;
        sizes.iter().map(|x| size(*x)).values()
    }

    /// A dictionary of options, if there is one.
    pub(crate) fn options(&mut self) -> Result<Vec<(String, Dynamic)>> {
        match self.next() {
            Dynamic::Null | Dynamic::Undefined => Ok(Vec::new()),
            Dynamic::Dictionary(entries) => Ok(entries),
            other => Err(self.refuse("a dictionary of options", &other)),
        }
    }
}

/// Fails for a shape of more dimensions than a tensor can have.
pub(crate) fn check_dimensions(count: usize) -> Result<()> {
    if count <= MOST_DIMENSIONS {
        return Ok(());
    }
    Err(Error::new(Code::Shape, format!("expected a shape of at most {MOST_DIMENSIONS} dimensions, given {count}")))
}

/// Fails for an empty tensor whose sizes, without the zeros, multiply to more than 32 bits with a sign can hold: not every
/// engine has numbers for them.
pub(crate) fn check_empty(shape: &[usize]) -> Result<()> {
    let (mut product, mut is_empty) = (1.0, false);
    for size in shape {
        if *size == 0 {
            is_empty = true;
        } else {
            product *= *size as f64;
        }
    }
    if !is_empty || product <= f64::from(i32::MAX) {
        return Ok(());
    }
    let message = "expected sizes of an empty tensor that multiply to at most 2147483647 without its zeros";
    Err(Error::new(Code::Shape, message))
}

/// The size of a dimension.
pub(crate) fn size(x: f64) -> Result<usize> {
    if x.fract() == 0.0 && (0.0..=9_007_199_254_740_991.0).contains(&x) {
        Ok(x as usize)
    } else {
        Err(Error::new(Code::Shape, format!("expected whole numbers >= 0 in a shape, given {}", Number(x))))
    }
}

/// Numbers with their shape, as they were given or made of what was given.
pub(crate) struct Numbers<'a> {
    pub(crate) data: Cow<'a, Data>,
    pub(crate) shape: Vec<usize>,
}

impl<'a> Numbers<'a> {
    /// The numbers as another type.
    pub(crate) fn cast(self, dtype: Dtype) -> Result<Cow<'a, Data>> {
        Data::cast_shared(self.data, dtype)
    }

    /// The numbers as a list.
    pub(crate) fn doubles(self) -> Result<Vec<f64>> {
        match self.cast(Dtype::Double)? {
            Cow::Owned(Data::Double(numbers)) => Ok(numbers),
            Cow::Borrowed(Data::Double(numbers)) => copied(numbers),
            _ => Err(Error::new(Code::Internal, "numbers that are no doubles")),
        }
    }
}

/// Numbers with their shape, out of a number, nested lists or a typed array; `None` if it is something else, or ragged.
///
/// # Errors
/// [`Code::Memory`]
pub(crate) fn array(given: &Dynamic) -> Result<Option<Numbers<'_>>> {
    /// False where it is no array.
    fn collect(given: &Dynamic, depth: usize, shape: &mut Vec<usize>, out: &mut Vec<f64>) -> Result<bool> {
        match given {
            Dynamic::Number(x) if depth == shape.len() => push(out, *x)?,
            Dynamic::List(list) if depth < MOST_DIMENSIONS => {
                if out.is_empty() && depth == shape.len() {
                    shape.push(list.len());
                } else if shape.get(depth) != Some(&list.len()) {
                    return Ok(false);
                }
                for item in list {
                    if !collect(item, depth + 1, shape, out)? {
                        return Ok(false);
                    }
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
    match given {
        Dynamic::Array(Array { data, shape }) => {
            return Ok(Some(Numbers { data: Cow::Borrowed(data), shape: shape.clone() }));
        }
        Dynamic::Dictionary(entries) => return shaped(entries),
        _ => {}
    }
    let (mut shape, mut numbers) = (Vec::new(), Vec::new());
    let is_even = collect(given, 0, &mut shape, &mut numbers)? && numbers.len() == shape.iter().product::<usize>();
    Ok(is_even.then_some(Numbers { data: Cow::Owned(Data::Double(numbers)), shape }))
}

/// A tensor as [`Dynamic::Array`] leaves and comes back: a typed array under `data`, its `shape`, and the `dtype` where the
/// array's own is another.
fn shaped(entries: &[(String, Dynamic)]) -> Result<Option<Numbers<'_>>> {
    let entry = |key| entries.iter().find(|(name, _)| name == key).map(|(_, value)| value);
    let (Some(Dynamic::Array(Array { data, .. })), Some(Dynamic::List(sizes))) = (entry("data"), entry("shape")) else {
        return Ok(None);
    };
    let (dtype, keys) = match entry("dtype") {
        None => (data.dtype(), 2),
        Some(Dynamic::Text(name)) => match Dtype::parse(name) {
            Ok(dtype) => (dtype, 3),
            Err(_) => return Ok(None),
        },
        Some(_) => return Ok(None),
    };
    if check_dimensions(sizes.len()).is_err() {
        return Ok(None);
    }
    let sizes = sizes.iter().map(|item| if let Dynamic::Number(x) = item { size(*x).ok() } else { None });
    let Some(shape) = sizes.collect::<Option<Vec<usize>>>() else { return Ok(None) };
    let count = shape.iter().try_fold(1usize, |product, size| product.checked_mul(*size));
    if check_empty(&shape).is_err() {
        return Ok(None);
    }
    if entries.len() != keys || count != Some(data.len()) {
        return Ok(None);
    }
    match Data::cast_shared(Cow::Borrowed(data), dtype) {
        Ok(data) => Ok(Some(Numbers { data, shape })),
        Err(error) if error.code() == Code::Memory => Err(error),
        Err(_) => Ok(None),
    }
}

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
