//! The contents of errors in WebAssembly: a stack, so that an error takes no bytes in a result.
//!
//! A `Result` of a tensor is then one number, and a `?` moves no error. The module is a tenth smaller by that.
//!
//! The content of an error is the last one on the stack, and an error that is dropped removes the last one. So no error may be
//! made from another one that still exists, except by [`Error::within`](crate::Error::within) and
//! [`Error::followed_by`](crate::Error::followed_by). A closure of `map_err` has its argument until its end, even as `|_|`: write
//! `.ok().ok_or_else(..)` to replace an error. An error that is kept while others are made and dropped stays as it is. There is
//! one thread.

use std::cell::RefCell;

use crate::code::Content;

thread_local! {
    /// The contents of the errors that exist, the oldest first.
    static CONTENTS: RefCell<Vec<Content>> = const { RefCell::new(Vec::new()) };
}

/// Stands for the last content.
#[derive(Debug)]
pub(crate) struct Held(());

impl Held {
    #[inline(never)]
    pub(crate) fn new(content: Content) -> Self {
        CONTENTS.with_borrow_mut(|contents| contents.push(content));
        Self(())
    }

    pub(crate) fn read<R>(&self, read: impl FnOnce(&Content) -> R) -> R {
        CONTENTS.with_borrow(|contents| match contents.last() {
            Some(content) => read(content),
            None => std::process::abort(),
        })
    }
}

impl Clone for Held {
    #[inline(never)]
    fn clone(&self) -> Self {
        Self::new(self.read(Content::clone))
    }
}

impl Drop for Held {
    #[inline(never)]
    fn drop(&mut self) {
        CONTENTS.with_borrow_mut(|contents| drop(contents.pop()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;

    fn message(held: &Held) -> String {
        held.read(|content| content.message.clone())
    }

    #[test]
    fn an_error_that_is_dropped_leaves_the_ones_before_it() {
        let held = |message: &str| Held::new(Content { code: Code::Shape, message: message.to_owned() });
        let first = held("first");
        drop(held("second"));
        assert_eq!(message(&first), "first");
        let clone = first.clone();
        drop(first);
        assert_eq!(message(&clone), "first");
        drop(clone);
        CONTENTS.with_borrow(|contents| assert!(contents.is_empty()));
    }

    #[test]
    fn a_result_of_a_pointer_is_one_pointer() {
        assert_eq!(size_of::<Held>(), 0);
        assert_eq!(size_of::<Result<std::sync::Arc<u8>, Held>>(), size_of::<usize>());
    }
}
