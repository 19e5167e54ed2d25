//! Lists whose length a caller decides. They are allocated only after a memory check, and a lack of memory is an error.
//!
//! The optimizer core, the session, the Rust engine and the bindings make such lists here. The libtorch engine also has lists
//! of its own, with one entry a parameter or a dimension. `vec![]`, `collect` and `to_vec` abort the process if an allocation
//! fails. A system that overcommits memory ends the process later, when the memory is used.

use std::sync::OnceLock;

use crate::error::{Code, Error, Result};

/// In bytes. Smaller allocations are not checked: [`set_memory_check`] keeps a reserve for them. The reserve is small
/// in WebAssembly, where a check is cheap.
pub const MIN_CHECKED_BYTES: usize = if cfg!(target_family = "wasm") { 1 << 12 } else { 1 << 20 };

/// True in WebAssembly, where a passed check guarantees the next allocation: the check has tried it, and there is one
/// thread. Infallible calls may follow, which are less code.
pub(crate) const CHECK_SUFFICES: bool = cfg!(target_family = "wasm");

static MEMORY_CHECK: OnceLock<fn(usize) -> bool> = OnceLock::new();

/// Sets the memory check of the process: a function that decides whether a number of bytes may be allocated. It keeps a
/// reserve for small allocations, which are not checked. Later calls have no effect.
pub fn set_memory_check(has: fn(usize) -> bool) {
    MEMORY_CHECK.get_or_init(|| has);
}

/// Checks that this number of bytes may be allocated.
///
/// # Errors
/// [`Code::Memory`]
pub fn check_memory(bytes: usize) -> Result<()> {
    if bytes >= MIN_CHECKED_BYTES && MEMORY_CHECK.get().is_some_and(|has| !has(bytes)) {
        Err(out_of_memory(bytes))
    } else {
        Ok(())
    }
}

/// Checks that memory for `length` elements of `size` bytes may be allocated.
#[inline(never)]
fn check_elements(length: usize, size: usize) -> Result<()> {
    check_memory(length.saturating_mul(size))
}

/// Checks in WebAssembly that the reserve for small allocations is full. Called before making a small object of which
/// there may be many.
///
/// # Errors
/// [`Code::Memory`]
pub fn check_small_memory() -> Result<()> {
    if cfg!(target_family = "wasm") { check_memory(MIN_CHECKED_BYTES) } else { Ok(()) }
}

/// The error of a failed allocation.
#[cold]
#[inline(never)]
pub fn out_of_memory(bytes: usize) -> Error {
    Error::new(Code::Memory, format_args!("out of memory allocating {bytes} bytes"))
}

/// Reserves capacity for `length` elements in all.
///
/// # Errors
/// [`Code::Memory`]; the list is then unchanged.
pub fn reserve<T>(list: &mut Vec<T>, length: usize) -> Result<()> {
    if list.capacity() >= length {
        return Ok(());
    }
    check_elements(length, size_of::<T>())?;
    let more = length - list.len();
    if CHECK_SUFFICES {
        list.reserve_exact(more);
        return Ok(());
    }
    list.try_reserve_exact(more).map_err(|_| out_of_memory(length.saturating_mul(size_of::<T>())))
}

/// An empty list with capacity for `length` elements.
///
/// # Errors
/// [`Code::Memory`]
pub fn with_capacity<T>(length: usize) -> Result<Vec<T>> {
    if CHECK_SUFFICES {
        check_elements(length, size_of::<T>())?;
        return Ok(Vec::with_capacity(length));
    }
    let mut list = Vec::new();
    reserve(&mut list, length)?;
    Ok(list)
}

/// Appends an element.
///
/// # Errors
/// [`Code::Memory`]; the list is then unchanged.
pub fn push<T>(list: &mut Vec<T>, element: T) -> Result<()> {
    if list.len() == list.capacity() {
        if CHECK_SUFFICES {
            check_elements(list.len(), 2 * size_of::<T>())?;
        } else {
            reserve(list, list.len().saturating_mul(2).max(4))?;
        }
    }
    list.push(element);
    Ok(())
}

/// As [`push`], for a list whose memory was checked before, together with others. WebAssembly does not check again.
///
/// # Errors
/// [`Code::Memory`]; the list is then unchanged.
#[inline(always)]
pub(crate) fn push_checked<T>(list: &mut Vec<T>, element: T) -> Result<()> {
    if CHECK_SUFFICES {
        list.push(element);
        return Ok(());
    }
    push(list, element)
}

/// As [`reserve`], for a list whose memory was checked before, together with others. WebAssembly does not check again.
///
/// # Errors
/// [`Code::Memory`]; the list is then unchanged.
#[inline(always)]
pub(crate) fn reserve_checked<T>(list: &mut Vec<T>, length: usize) -> Result<()> {
    if CHECK_SUFFICES {
        return Ok(());
    }
    reserve(list, length)
}

/// A list of `length` copies of an element.
///
/// # Errors
/// [`Code::Memory`]
pub fn filled<T: Clone>(length: usize, element: T) -> Result<Vec<T>> {
    if CHECK_SUFFICES {
        check_elements(length, size_of::<T>())?;
        return Ok(vec![element; length]);
    }
    let mut list = with_capacity(length)?;
    list.resize(length, element);
    Ok(list)
}

/// A copy of a slice.
///
/// # Errors
/// [`Code::Memory`]
pub fn copied<T: Copy>(elements: &[T]) -> Result<Vec<T>> {
    if CHECK_SUFFICES {
        check_memory(size_of_val(elements))?;
        return Ok(elements.to_vec());
    }
    let mut list = with_capacity(elements.len())?;
    list.extend_from_slice(elements);
    Ok(list)
}

/// The elements of an iterator of known length.
///
/// # Errors
/// [`Code::Memory`]
pub fn collected<T>(elements: impl ExactSizeIterator<Item = T>) -> Result<Vec<T>> {
    let mut list = with_capacity(elements.len())?;
    list.extend(elements);
    Ok(list)
}

/// Collects results.
pub trait Results<T>: Iterator<Item = Result<T>> + Sized {
    /// The values, or the first error. Unlike `collect`, it is compiled once per type, and half as long.
    fn values(self) -> Result<Vec<T>> {
        let mut values = Vec::new();
        for result in self {
            let value = result?;
            // Most lists have one entry for each object of the caller. WebAssembly serves them from its reserve, since
            // a checked push for each type would be more code.
            if cfg!(target_family = "wasm") { values.push(value) } else { push(&mut values, value)? }
        }
        Ok(values)
    }
}

impl<T, I: Iterator<Item = Result<T>>> Results<T> for I {}
