//! The WebAssembly module: exports the functions of `stepwell-wasm-bindings`.
//!
//! A crate of its own, since its optimization level applies to linking. The level of each crate is in Cargo.toml of the workspace.

pub use stepwell_wasm_bindings::{call, call_hosted, close, open, step_with_closure};
