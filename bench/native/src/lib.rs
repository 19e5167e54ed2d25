//! The programs of this folder carry out each line of their input and answer with a line: see bench/child.ts.

mod memory;
mod numbers;
mod serve;

pub use memory::Numbers;
pub use numbers::{Shape, moved, pattern};
pub use serve::{Candidate, Request, Result, serve, wanted_threads};
