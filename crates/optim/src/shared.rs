//! Shared ownership of objects that may move to another thread. WebAssembly has one thread, and a smaller module without atomics.

#[cfg(not(target_family = "wasm"))]
pub use atomic_refcell::{AtomicRef as SharedRef, AtomicRefCell as SharedCell, AtomicRefMut as SharedRefMut};
#[cfg(target_family = "wasm")]
pub use std::cell::{Ref as SharedRef, RefCell as SharedCell, RefMut as SharedRefMut};
#[cfg(target_family = "wasm")]
pub use std::rc::Rc as Shared;
#[cfg(not(target_family = "wasm"))]
pub use std::sync::Arc as Shared;

/// A type that several threads may hold: `Send` and `Sync`. In WebAssembly every type.
#[cfg(not(target_family = "wasm"))]
pub trait Movable: Send + Sync {}
#[cfg(not(target_family = "wasm"))]
impl<T: Send + Sync + ?Sized> Movable for T {}

/// A type that several threads may hold: every type, since WebAssembly has one thread.
#[cfg(target_family = "wasm")]
pub trait Movable {}
#[cfg(target_family = "wasm")]
impl<T: ?Sized> Movable for T {}
