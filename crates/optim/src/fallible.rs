//! Lists whose length a caller decides: their memory is asked for before it is taken, and where there is none that is an error.
//!
//! The one place where such lists are made. `vec![]`, `collect` and `to_vec` end the process where an allocation fails, and a
//! system that hands out memory which it has not ends it later, when the memory is used.

use std::alloc::{self, Layout};
use std::ptr;
use std::sync::OnceLock;

use crate::{Code, Error, Result};

/// Bytes from which on it is asked whether they are there: some room is kept, see [`ask_before`], for what is less. In
/// WebAssembly there is little of it, and to ask costs nothing.
const ASKED: usize = if cfg!(target_family = "wasm") { 1 << 12 } else { 1 << 20 };

static ASK: OnceLock<fn(usize) -> bool> = OnceLock::new();

/// Has large lists asked for before they are made. Whoever knows how much memory there is says whether so many bytes may be
/// taken, and keeps some room for what is small and cannot fail. For the whole process; the first who says so is asked.
pub fn ask_before(ask: fn(usize) -> bool) {
    ASK.get_or_init(|| ask);
}

/// Fails unless so many bytes may be taken.
///
/// # Errors
/// [`Code::Memory`]
pub fn ask(bytes: usize) -> Result<()> {
    if bytes >= ASKED && ASK.get().is_some_and(|ask| !ask(bytes)) { Err(out_of_memory(bytes)) } else { Ok(()) }
}

/// Fails, in WebAssembly, where no room is left for what is small and cannot fail. Whoever makes something small, of which there
/// may be many, begins with it.
///
/// # Errors
/// [`Code::Memory`]
pub fn ask_for_small() -> Result<()> {
    if cfg!(target_family = "wasm") { ask(ASKED) } else { Ok(()) }
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
    if cfg!(target_family = "wasm") {
        // Which is less code.
        let mut grown = room(length)?;
        grown.append(list);
        *list = grown;
        return Ok(());
    }
    let bytes = length.saturating_mul(size_of::<T>());
    ask(bytes)?;
    list.try_reserve_exact(length - list.len()).map_err(|_| out_of_memory(bytes))
}

/// Memory for so many elements of a size. Of one type, so that it is there once.
#[inline(never)]
fn memory(length: usize, size: usize, align: usize) -> Result<*mut u8> {
    let bytes = length.saturating_mul(size);
    if bytes == 0 {
        return Ok(ptr::without_provenance_mut(align));
    }
    ask(bytes)?;
    let layout = Layout::from_size_align(bytes, align).map_err(|_| out_of_memory(bytes))?;
    // SAFETY: the size is not 0.
    let memory = unsafe { alloc::alloc(layout) };
    if memory.is_null() { Err(out_of_memory(bytes)) } else { Ok(memory) }
}

/// An empty list with room for so many elements.
///
/// # Errors
/// [`Code::Memory`]
pub fn room<T>(length: usize) -> Result<Vec<T>> {
    let memory = memory(length, size_of::<T>(), align_of::<T>())?;
    // SAFETY: it is of the global allocator, and has room for so many elements of this type.
    Ok(unsafe { Vec::from_raw_parts(memory.cast(), 0, length) })
}

/// Adds an element.
///
/// # Errors
/// [`Code::Memory`]; the list is then as it was.
pub fn push<T>(list: &mut Vec<T>, element: T) -> Result<()> {
    if list.len() == list.capacity() {
        reserve(list, list.len().saturating_mul(2).max(4))?;
    }
    list.push(element);
    Ok(())
}

/// A list of equal elements.
///
/// # Errors
/// [`Code::Memory`]
pub fn filled<T: Clone>(length: usize, element: T) -> Result<Vec<T>> {
    let mut list = room(length)?;
    list.resize(length, element);
    Ok(list)
}

/// A copy.
///
/// # Errors
/// [`Code::Memory`]
pub fn copied<T: Copy>(elements: &[T]) -> Result<Vec<T>> {
    let mut list = room(elements.len())?;
    list.extend_from_slice(elements);
    Ok(list)
}

/// The elements of an iterator that knows how many it has.
///
/// # Errors
/// [`Code::Memory`]
pub fn collected<T>(elements: impl ExactSizeIterator<Item = T>) -> Result<Vec<T>> {
    let mut list = room(elements.len())?;
    list.extend(elements);
    Ok(list)
}
