//! Values that cross a binding: plain data, numbers, names of types and devices, handles.

pub(crate) mod convert;
pub(crate) mod data;
pub(crate) mod dedupe;
pub(crate) mod device;
pub(crate) mod dtype;
pub(crate) mod element;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod element_bytes;
pub(crate) mod handle;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod json;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod named_arrays;
pub(crate) mod numbers;
pub(crate) mod value;
