//! Replaces `files` in WebAssembly, which has no files: its functions return an error.

use stepwell_optim::{Brief, Code, Error, Result};

use crate::commands::arguments::Arguments;
use crate::engine::Engine;
use crate::session::Session;
use crate::values::handle::ObjectKind;
use crate::values::value::Value;

pub(crate) fn save<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    no_files(session, arguments, "write")
}

pub(crate) fn load<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    no_files(session, arguments, "read")
}

pub(crate) fn inspect<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    no_files(session, arguments, "read")
}

pub(crate) fn serialize<E: Engine>(_: &mut Session<E>, _: Arguments) -> Result<Value> {
    Err(no_format())
}

pub(crate) fn deserialize<E: Engine>(_: &mut Session<E>, _: Arguments) -> Result<Value> {
    Err(no_format())
}

/// The format is not in the module, whose bytes every page fetches.
fn no_format() -> Error {
    Error::new(Code::Unsupported, "WebAssembly has no files: use state(x)")
}

fn no_files<E: Engine>(session: &mut Session<E>, mut arguments: Arguments, what: &str) -> Result<Value> {
    if !matches!(arguments.peek(), Value::String(_)) {
        session.module(arguments.handle(ObjectKind::Module)?)?;
    }
    let path = arguments.text("a path")?;
    let instead = "state(module) gives its parameters as plain data, and module(state) takes them back";
    Err(Error::new(Code::File, format_args!("cannot {what} {}: WebAssembly has no files; {instead}", Brief(&path))))
}
