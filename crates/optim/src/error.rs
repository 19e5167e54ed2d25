//! The one error type of every crate, and the stable code that callers match on.

use std::fmt;

use crate::brief::brief;

/// A result with Stepwell's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, in words for a person ([`fmt::Display`]) and as a stable [`Code`] for a program.
///
/// One word, since every result has room for one, and whoever passes it on copies it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Content>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Content {
    code: Code,
    message: String,
}

impl Error {
    /// An error with a message that says what was expected and what was given.
    /// Of what a caller gave, the message shows no more than a reader wants to see.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self::boxed(code, brief(message.into()))
    }

    #[cold]
    #[inline(never)]
    fn boxed(code: Code, message: String) -> Self {
        Self(Box::new(Content { code, message }))
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The same error, with the call that failed in front of its message, if that does not begin with it.
    pub fn within(self, call: &str) -> Self {
        if self.0.message.strip_prefix(call).is_some_and(|rest| rest.starts_with([':', ' '])) {
            return self;
        }
        Self::boxed(self.0.code, format!("{call}: {}", self.0.message))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Stable error codes. A code never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code, in the order of declaration.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The code as JavaScript sees it.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// A call with too few, too many or unsuitable arguments.
    Argument = "ERR_ARGUMENT",
    /// No optimizer, module or loss of that name.
    UnknownName = "ERR_UNKNOWN_NAME",
    /// An option that this optimizer, module or loss does not have.
    OptionUnknown = "ERR_OPTION_UNKNOWN",
    /// An option of the wrong type.
    OptionType = "ERR_OPTION_TYPE",
    /// An option outside its range, or not finite.
    OptionRange = "ERR_OPTION_RANGE",
    /// A parameter group that does not exist and cannot be added.
    Group = "ERR_GROUP",
    /// A tensor that cannot become a parameter: unknown, not a leaf, or already there.
    Parameter = "ERR_PARAMETER",
    /// A gradient that cannot be used.
    Gradient = "ERR_GRADIENT",
    /// The optimizer needs a closure that computes the loss.
    ClosureRequired = "ERR_CLOSURE_REQUIRED",
    /// A handle whose object was freed.
    HandleFreed = "ERR_HANDLE_FREED",
    /// Something that is no handle of this session.
    HandleInvalid = "ERR_HANDLE_INVALID",
    /// A handle of another kind than the call needs.
    HandleKind = "ERR_HANDLE_KIND",
    /// Shapes that do not fit.
    Shape = "ERR_SHAPE",
    /// A data type that does not fit.
    Dtype = "ERR_DTYPE",
    /// A device that does not exist or cannot be used.
    Device = "ERR_DEVICE",
    /// More memory than there is.
    Memory = "ERR_MEMORY",
    /// A file that cannot be read or written.
    File = "ERR_FILE",
    /// A file whose content is not what it should be.
    Format = "ERR_FORMAT",
    /// The tensor library refused an operation.
    Engine = "ERR_ENGINE",
    /// The engine was ended by a bug of Stepwell or by a lack of memory or stack; only a reset helps.
    EnginePoisoned = "ERR_ENGINE_POISONED",
    /// A bug of Stepwell.
    Internal = "ERR_INTERNAL",
}
