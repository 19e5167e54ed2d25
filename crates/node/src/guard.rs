//! Conversion of panics to errors, and of errors to napi's.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use napi::Env;
use stepwell_optim::{Code, Error};

thread_local! {
    /// The bytes last reported to the garbage collector.
    static REPORTED: Cell<usize> = const { Cell::new(0) };
}

/// In bytes, 1 MiB. A smaller change of external memory is not reported to the garbage collector, since a report takes time.
const REPORT_THRESHOLD: usize = 1 << 20;

pub(crate) type Result<T> = std::result::Result<T, napi::Error<&'static str>>;

pub(crate) fn guarded<T>(run: impl FnOnce() -> stepwell_optim::Result<T>) -> Result<T> {
    let result = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
    result.map_err(thrown)
}

pub(crate) fn panicked(panic: &dyn Any) -> Error {
    Error::new(Code::Internal, format!("a bug of Stepwell, please report it: {}", panic_message(panic)))
}

fn panic_message(panic: &dyn Any) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a message")
}

pub(crate) fn thrown(error: Error) -> napi::Error<&'static str> {
    napi::Error::new(error.code().as_str(), error.to_string())
}

/// Reports memory outside of the JavaScript heap to the garbage collector, so that it collects forgotten handles in time.
pub(crate) fn report_external_memory(env: Env, bytes: usize) {
    let before = REPORTED.get();
    if bytes.abs_diff(before) >= REPORT_THRESHOLD && env.adjust_external_memory(bytes as i64 - before as i64).is_ok() {
        REPORTED.set(bytes);
    }
}
