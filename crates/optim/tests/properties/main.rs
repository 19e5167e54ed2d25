//! The tests of this crate, in one program, since each program links the whole crate. `steady` counts the allocations of all
//! threads, and so is a program of its own.

mod allocator;
mod bits;
mod clip;
mod extension_options;
mod failing;
mod lbfgs_direction;
mod lbfgs_memory;
mod minima;
mod mixed;
mod naive;
mod option_variants;
mod parity;
mod reference;
mod schedules;
mod sharded;
mod steps;
mod typescript_files;
