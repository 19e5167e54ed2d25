//! The WebAssembly module. Its functions are those of `stepwell-wasm-bindings`.
//!
//! A crate of its own, since the settings of the last crate are those of linking: it is compiled for speed, and all else as
//! it says in the workspace's manifest.

pub use stepwell_wasm_bindings::{call, close, open, step_with_closure};
