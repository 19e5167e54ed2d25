//! The tests of this crate, in one program: each program is linked with the whole crate.

mod devices;
mod failing;
mod gradients;
mod graph;
mod parameter_views;
mod parity;
mod pointers;
mod primitive_values;
mod primitives;
mod replay;
mod small;
mod training;
mod values;
