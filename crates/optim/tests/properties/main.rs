//! The tests of this crate that need no allocator of their own, in one program: each program is linked with the whole crate.

mod bits;
mod clip;
mod extension_options;
mod generated;
mod lbfgs_direction;
mod minima;
mod mixed;
mod naive;
mod parity;
mod reference;
mod schedules;
