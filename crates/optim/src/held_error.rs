//! The content of an error, on the heap. In WebAssembly `error_stack.rs` replaces this file.

use crate::code::Content;

/// The content of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held(Box<Content>);

impl Held {
    pub(crate) fn new(content: Content) -> Self {
        Self(Box::new(content))
    }

    pub(crate) fn read<R>(&self, read: impl FnOnce(&Content) -> R) -> R {
        read(&self.0)
    }
}
