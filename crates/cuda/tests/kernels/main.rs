//! The kernels of a device give the bits of the loops of the CPU, element by element.
//!
//! The tests fill the tables of a step themselves and run the kernels on the emulator.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod arrays;
mod device_step;
mod elements;
mod mutants;
mod norm_functions;
mod numbers;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod nvrtc;
mod options;
mod sums;
