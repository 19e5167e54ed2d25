//! Arguments of a call, taken one after the other. An error says what was expected and what was given.

use stepwell_optim::{Code, Error, Result, Results};

use crate::values::handle::{Handle, ObjectKind};
use crate::values::numbers::{array, size};
use crate::values::value::Value;

/// The arguments of a call that have not been taken yet.
pub(crate) struct Arguments {
    rest: std::vec::IntoIter<Value>,
    position: usize,
}

impl Arguments {
    pub(crate) fn new(arguments: Vec<Value>) -> Self {
        Self { rest: arguments.into_iter(), position: 0 }
    }

    /// As [`Arguments::new`], of arguments that follow others that were taken elsewhere.
    pub(crate) fn after(position: usize, arguments: Vec<Value>) -> Self {
        Self { position, ..Self::new(arguments) }
    }

    /// The next argument; `Undefined` if there is none.
    pub(crate) fn next(&mut self) -> Value {
        self.position += 1;
        self.rest.next().unwrap_or(Value::Undefined)
    }

    /// The next argument without taking it; `Undefined` if there is none.
    pub(crate) fn peek(&self) -> &Value {
        self.rest.as_slice().first().unwrap_or(&Value::Undefined)
    }

    /// Fails for an explicit `undefined`, if an omitted argument has a meaning of its own.
    pub(crate) fn require_defined(&self) -> Result<()> {
        if !matches!(self.rest.as_slice().first(), Some(Value::Undefined)) {
            return Ok(());
        }
        let message = format_args!("expected a value as argument {}, or none, given undefined", self.position + 1);
        Err(Error::new(Code::Argument, message))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.as_slice().is_empty()
    }

    /// Everything that is left.
    pub(crate) fn rest(self) -> Vec<Value> {
        self.rest.collect()
    }

    /// Fails if something is left.
    pub(crate) fn finish(self) -> Result<()> {
        match self.rest.as_slice().first() {
            None => Ok(()),
            Some(extra) => {
                let (expected, given) = (self.position, self.position + self.rest.len());
                let plural = if expected == 1 { "" } else { "s" };
                let message =
                    format_args!("expected {expected} argument{plural}, given {given}, with {extra} as another");
                Err(Error::new(Code::Argument, message))
            }
        }
    }

    /// An error about the argument taken last.
    pub(crate) fn argument_error(&self, expected: &str, given: &Value) -> Error {
        let code = if matches!(given, Value::Handle(_)) { Code::HandleKind } else { Code::Argument };
        Error::new(code, format_args!("expected {expected} as argument {}, given {given}", self.position))
    }

    pub(crate) fn text(&mut self, what: &str) -> Result<String> {
        match self.next() {
            Value::String(text) => Ok(text),
            other => Err(self.argument_error(&format!("{what} (a string)"), &other)),
        }
    }

    /// A handle of this kind, or of a model, which contains one.
    pub(crate) fn handle_or_model(&mut self, kind: ObjectKind) -> Result<Handle> {
        match *self.peek() {
            Value::Handle(handle) if handle.kind() == Some(ObjectKind::Model) => self.handle(ObjectKind::Model),
            _ => self.handle(kind),
        }
    }

    pub(crate) fn handle(&mut self, kind: ObjectKind) -> Result<Handle> {
        match self.next() {
            Value::Handle(handle) if handle.kind().is_none_or(|found| found == kind) => Ok(handle),
            other => Err(self.argument_error(&format!("{} handle", kind.with_article()), &other)),
        }
    }

    pub(crate) fn any_handle(&mut self, what: &str) -> Result<Handle> {
        match self.next() {
            Value::Handle(handle) => Ok(handle),
            other => Err(self.argument_error(what, &other)),
        }
    }

    /// A boolean, if there is one. `null` is a value, and refused.
    pub(crate) fn flag(&mut self, what: &str) -> Result<Option<bool>> {
        match self.next() {
            Value::Undefined => Ok(None),
            Value::Bool(flag) => Ok(Some(flag)),
            other => Err(self.argument_error(&format!("{what} (a boolean)"), &other)),
        }
    }

    /// A whole number of at least `least`.
    pub(crate) fn whole(&mut self, what: &str, least: u64) -> Result<u64> {
        match self.next() {
            Value::Number(x) if x.fract() == 0.0 && x >= least as f64 && x <= 9_007_199_254_740_991.0 => Ok(x as u64),
            other => Err(self.argument_error(&format!("{what} (a whole number of at least {least})"), &other)),
        }
    }

    /// One number or a list of numbers.
    pub(crate) fn numbers(&mut self, what: &str) -> Result<Vec<f64>> {
        let given = self.next();
        match array(&given)?.filter(|array| array.shape.len() <= 1) {
            Some(array) => array.doubles(),
            None => Err(self.argument_error(&format!("{what} (a number or a list of numbers)"), &given)),
        }
    }

    /// Sizes of dimensions.
    pub(crate) fn shape(&mut self) -> Result<Vec<usize>> {
        let sizes = self.numbers("a shape")?;
        sizes.iter().map(|x| size(*x)).values()
    }

    /// Objects and plain data by name; at least one.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn run_objects(&mut self) -> Result<Vec<(String, Value)>> {
        match self.next() {
            Value::Object(entries) if !entries.is_empty() => Ok(entries),
            other => Err(self.argument_error("a dictionary of objects and plain data by name", &other)),
        }
    }

    /// A dictionary of options, if there is one. `null` is a value, and refused.
    pub(crate) fn options(&mut self) -> Result<Vec<(String, Value)>> {
        match self.next() {
            Value::Undefined => Ok(Vec::new()),
            Value::Object(entries) => Ok(entries),
            other => Err(self.argument_error("a dictionary of options", &other)),
        }
    }
}
