//! The tests of this crate, in one program: each program is linked with the whole crate.

mod device;
mod device_views;
mod elementwise;
mod library;
mod memory;
mod operations;
mod parameter_views;
mod reduction;
mod staged_views;
mod tensors;
mod view_cache;
