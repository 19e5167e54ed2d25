//! Values that cross a binding: plain data, numbers, names of types and devices, handles.

pub(crate) mod convert;
pub(crate) mod data;
pub(crate) mod dedupe;
pub(crate) mod device;
pub(crate) mod dtype;
pub(crate) mod element;
pub(crate) mod handle;
pub(crate) mod numbers;
pub(crate) mod value;
