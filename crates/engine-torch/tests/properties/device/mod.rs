//! A session whose tensors are on an emulated device gives the bits of a session on the CPU. The tests make steps, and read and
//! write the state that the device holds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "clippy exempts tests, but not their helpers")]

mod interruptions;
mod job;
mod lbfgs;
mod processes;
mod state;
mod steps;
