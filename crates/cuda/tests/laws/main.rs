//! The tests of steps on the host, run on the emulator of a device.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod changes;
#[path = "../../../optim/tests/properties/clip.rs"]
mod clip;
mod emulated;
mod every_option;
#[path = "../../../optim/tests/properties/extension_options.rs"]
mod extension_options;
mod host_side;
mod lbfgs;
#[path = "../../../optim/tests/properties/mixed.rs"]
mod mixed;
mod model;
#[path = "../../../optim/tests/properties/naive.rs"]
mod naive;
mod observed;
#[path = "../../../optim/tests/properties/option_variants.rs"]
mod option_variants;
mod outcomes;
#[path = "../../../optim/tests/properties/parity.rs"]
mod parity;
mod several_devices;
mod steps;
mod trajectories;
