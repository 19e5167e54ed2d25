//! Lists whose length a caller decides: their memory is asked for before it is taken, and where there is none that is an error.
//!
//! The one place where such lists are made. `vec![]`, `collect` and `to_vec` end the process where an allocation fails, and a
//! system that hands out memory which it has not ends it later, when the memory is used.

use std::sync::OnceLock;

use crate::error::{Code, Error, Result};

/// Bytes from which on it is asked whether they are there: some room is kept, see [`set_memory_check`], for what is less. In
/// WebAssembly there is little of it, and to ask costs nothing.
const MIN_CHECKED_BYTES: usize = if cfg!(target_family = "wasm") { 1 << 12 } else { 1 << 20 };

/// In WebAssembly whoever is asked tries whether so many bytes can be had in one piece, so that who takes them next gets them,
/// by a way that cannot fail and is less code. Nobody else takes any.
pub(crate) const CHECK_SUFFICES: bool = cfg!(target_family = "wasm");

static MEMORY_CHECK: OnceLock<fn(usize) -> bool> = OnceLock::new();

/// Has large lists asked for before they are made. Whoever knows how much memory there is says whether so many bytes may be
/// taken, and keeps some room for what is small and cannot fail. For the whole process; the first who says so is asked.
pub fn set_memory_check(has: fn(usize) -> bool) {
    MEMORY_CHECK.get_or_init(|| has);
}

/// Fails unless so many bytes may be taken.
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

/// Fails unless memory for so many elements of a size may be taken.
#[inline(never)]
fn check_elements(length: usize, size: usize) -> Result<()> {
    check_memory(length.saturating_mul(size))
}

/// Fails, in WebAssembly, where no room is left for what is small and cannot fail. Whoever makes something small, of which there
/// may be many, begins with it.
///
/// # Errors
/// [`Code::Memory`]
pub fn check_small_memory() -> Result<()> {
    if cfg!(target_family = "wasm") { check_memory(MIN_CHECKED_BYTES) } else { Ok(()) }
}

/// The error of an allocation that failed.
#[cold]
#[inline(never)]
pub fn out_of_memory(bytes: usize) -> Error {
    Error::new(Code::Memory, format!("out of memory allocating {bytes} bytes"))
}

/// Makes room for so many elements in all.
///
/// # Errors
/// [`Code::Memory`]; the list is then as it was.
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

/// An empty list with room for so many elements.
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

/// Adds an element.
///
/// # Errors
/// [`Code::Memory`]; the list is then as it was.
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

/// As [`push`], of a list that was asked for before, together with others: in WebAssembly it is not asked again.
///
/// # Errors
/// [`Code::Memory`]; the list is then as it was.
#[inline(always)]
pub(crate) fn push_checked<T>(list: &mut Vec<T>, element: T) -> Result<()> {
    if CHECK_SUFFICES {
        list.push(element);
        return Ok(());
    }
    push(list, element)
}

/// As [`reserve`], of a list that was asked for before, together with others: in WebAssembly it is not asked again.
///
/// # Errors
/// [`Code::Memory`]; the list is then as it was.
#[inline(always)]
pub(crate) fn reserve_checked<T>(list: &mut Vec<T>, length: usize) -> Result<()> {
    if CHECK_SUFFICES {
        return Ok(());
    }
    reserve(list, length)
}

/// A list of equal elements.
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

/// A copy.
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

/// The elements of an iterator that knows how many it has.
///
/// # Errors
/// [`Code::Memory`]
pub fn collected<T>(elements: impl ExactSizeIterator<Item = T>) -> Result<Vec<T>> {
    let mut list = with_capacity(elements.len())?;
    list.extend(elements);
    Ok(list)
}

/// Results one after the other.
pub trait Results<T>: Iterator<Item = Result<T>> + Sized {
    /// Their values, or the first error. As `collect`, which would be twice the code, and there are many of it.
    fn values(self) -> Result<Vec<T>> {
        let mut values = Vec::new();
        for result in self {
            let value = result?;
            // Mostly an entry for each object of the caller's. In WebAssembly the memory that is kept for what is small is
            // worth more than as much code for each of their types.
            if cfg!(target_family = "wasm") { values.push(value) } else { push(&mut values, value)? }
        }
        Ok(values)
    }
}

impl<T, I: Iterator<Item = Result<T>>> Results<T> for I {}
