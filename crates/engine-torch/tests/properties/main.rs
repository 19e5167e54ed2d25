//! The tests of this crate, in one program: each program is linked with the whole crate.

mod lend;
mod library;
mod memory;
mod operations;
mod tensors;
mod view_cache;
