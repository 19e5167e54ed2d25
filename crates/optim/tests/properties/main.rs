//! The tests that need no allocator of their own, in one program, since each program links the whole crate.

mod bits;
mod clip;
mod extension_options;
mod lbfgs_direction;
mod minima;
mod mixed;
mod naive;
mod option_variants;
mod parity;
mod reference;
mod schedules;
mod steps;
mod typescript_files;
