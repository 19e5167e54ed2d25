//! What stands in for `checkpoint` in WebAssembly, which has no files.

use std::path::Path;

use stepwell_optim::{Code, Error, Result};

use crate::Array;

pub(crate) fn write(path: &Path, _: &[(String, Array)]) -> Result<()> {
    Err(no_files("write", path))
}

pub(crate) fn read(path: &Path, _: usize) -> Result<Vec<(String, Array)>> {
    Err(no_files("read", path))
}

fn no_files(what: &str, path: &Path) -> Error {
    let instead = "state(module) gives its parameters as plain data, and module(state) takes them back";
    // It was made from a string.
    let path = path.to_str().unwrap_or_default();
    Error::new(Code::File, format!("cannot {what} {path}: WebAssembly has no files; {instead}"))
}
