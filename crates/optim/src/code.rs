//! The stable codes that callers match on, and the content of an error.

/// Code and message of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) code: Code,
    pub(crate) message: String,
}

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
    /// Another process of the training has ended, does not answer, or does something else.
    Distributed = "ERR_DISTRIBUTED",
    /// The tensor library refused an operation.
    Engine = "ERR_ENGINE",
    /// The engine was stopped by a bug of Stepwell or by a lack of memory or stack; only a reset helps.
    EnginePoisoned = "ERR_ENGINE_POISONED",
    /// A bug of Stepwell.
    Internal = "ERR_INTERNAL",
}
