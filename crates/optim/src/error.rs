//! The error type of every crate.

use std::fmt;

use crate::brief::brief;
pub use crate::code::Code;
use crate::code::Content;
use crate::held_error::Held;

/// A result with Stepwell's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// An error: a message for a person ([`fmt::Display`]) and a stable [`Code`] for a program.
///
/// At most one pointer wide, since every `Result` contains it and every `?` moves it.
#[derive(Clone, Debug)]
#[cfg_attr(not(target_family = "wasm"), derive(PartialEq, Eq))]
pub struct Error(Held);

impl Error {
    /// An error with a message that says what was expected and what was given. Long quotations and messages are cut.
    pub fn new(code: Code, message: impl Message) -> Self {
        message.into_error(code)
    }

    #[cold]
    #[inline(never)]
    fn held(code: Code, message: String) -> Self {
        Self(Held::new(Content { code, message }))
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.0.read(|content| content.code)
    }

    /// Prepends the name of the failed call to the message, unless the message starts with it.
    pub fn within(self, call: &str) -> Self {
        let longer = self.0.read(|content| {
            let is_named = content.message.strip_prefix(call).is_some_and(|rest| rest.starts_with([':', ' ']));
            (!is_named).then(|| (content.code, format!("{call}: {}", content.message)))
        });
        let Some((code, message)) = longer else { return self };
        drop(self);
        Self::held(code, message)
    }

    /// Appends to the message.
    pub fn followed_by(self, more: &str) -> Self {
        let (code, message) = self.0.read(|content| (content.code, format!("{}{more}", content.message)));
        drop(self);
        Self::held(code, brief(message))
    }
}

/// A message of an error. Each has one function, since there are hundreds of errors.
pub trait Message {
    /// The error with this message.
    fn into_error(self, code: Code) -> Error;
}

impl Message for &str {
    #[cold]
    #[inline(never)]
    fn into_error(self, code: Code) -> Error {
        Error::held(code, brief(self.to_owned()))
    }
}

impl Message for String {
    #[cold]
    #[inline(never)]
    fn into_error(self, code: Code) -> Error {
        Error::held(code, brief(self))
    }
}

impl Message for fmt::Arguments<'_> {
    #[cold]
    #[inline(never)]
    fn into_error(self, code: Code) -> Error {
        Error::held(code, brief(fmt::format(self)))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.read(|content| f.write_str(&content.message))
    }
}

impl std::error::Error for Error {}
