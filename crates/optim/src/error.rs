//! The error type of every crate, and the stable codes that callers match on.

use std::fmt;

use crate::brief::brief;
use crate::held_error::Held;

/// A result with Stepwell's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// An error: a message for a person ([`fmt::Display`]) and a stable [`Code`] for a program.
///
/// At most one pointer wide, since every `Result` contains it and every `?` moves it.
#[derive(Clone, Debug)]
#[cfg_attr(not(target_family = "wasm"), derive(PartialEq, Eq))]
pub struct Error(Held);

/// What an error says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) code: Code,
    pub(crate) message: String,
}

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

macro_rules! codes {
    ($(#[doc = $doc:literal] $name:ident = $text:literal,)*) => {
        /// Stable error codes. A code never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $(#[doc = $doc] $name,)* }

        impl Code {
            /// Every code, in the order of declaration.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// Every code in JavaScript, with one sentence.
            pub const DOCUMENTED: &'static [(&'static str, &'static str)] = &[$(($text, $doc.trim_ascii_start()),)*];

            /// The code in JavaScript.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// A call with too few, too many or unsuitable arguments.
    Argument = "ERR_ARGUMENT",
    /// An unknown name of an optimizer, module or loss.
    UnknownName = "ERR_UNKNOWN_NAME",
    /// An option that this optimizer, module or loss does not have.
    OptionUnknown = "ERR_OPTION_UNKNOWN",
    /// An option of the wrong type.
    OptionType = "ERR_OPTION_TYPE",
    /// An option outside its range, or not finite.
    OptionRange = "ERR_OPTION_RANGE",
    /// A parameter group that does not exist and cannot be added.
    Group = "ERR_GROUP",
    /// A tensor that cannot become a parameter: unknown, not a leaf, or added before.
    Parameter = "ERR_PARAMETER",
    /// A gradient that cannot be used.
    Gradient = "ERR_GRADIENT",
    /// The optimizer needs a closure that computes the loss.
    ClosureRequired = "ERR_CLOSURE_REQUIRED",
    /// A handle whose object was freed.
    HandleFreed = "ERR_HANDLE_FREED",
    /// An object that a pass or a step uses, whose function called to free, run or change it.
    Busy = "ERR_BUSY",
    /// A value that is not a handle of this session.
    HandleInvalid = "ERR_HANDLE_INVALID",
    /// A handle of another kind than the call expects.
    HandleKind = "ERR_HANDLE_KIND",
    /// Shapes that do not match.
    Shape = "ERR_SHAPE",
    /// A data type that is not supported here.
    Dtype = "ERR_DTYPE",
    /// A device that does not exist or cannot be used.
    Device = "ERR_DEVICE",
    /// Not enough memory.
    Memory = "ERR_MEMORY",
    /// A file that cannot be read or written.
    File = "ERR_FILE",
    /// A file with unexpected content.
    Format = "ERR_FORMAT",
    /// An operation that this engine does not have.
    Unsupported = "ERR_UNSUPPORTED",
    /// Objects that were made and not freed, found by `leakcheck`.
    Leak = "ERR_LEAK",
    /// The tensor library refused an operation.
    Engine = "ERR_ENGINE",
    /// The engine was stopped by a bug of Stepwell or by a lack of memory or stack; only a reset helps.
    EnginePoisoned = "ERR_ENGINE_POISONED",
    /// A bug of Stepwell.
    Internal = "ERR_INTERNAL",
}
