//! A device in host memory for tests: compiles the kernels with the machine's C++ compiler, and runs block after block.

pub(crate) mod compiler;
pub(crate) mod device;
pub(crate) mod memory;
