//! Conversion of panics to errors, and of errors to napi's.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use napi::Env;
use stepwell_optim::{Code, Error};

thread_local! {
    /// The bytes last reported to the garbage collector.
    static REPORTED: Cell<usize> = const { Cell::new(0) };
    /// The most bytes since the start of the period, and that start.
    static HIGHEST: Cell<usize> = const { Cell::new(0) };
    static START: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// In bytes, 1 MiB. A smaller change of external memory is not reported to the garbage collector, since a report takes time.
const REPORT_THRESHOLD: usize = 1 << 20;

/// A fall of external memory is reported after this time, which is longer than a step of most models. Tensors of a step come back
/// in the next one. If each fall was reported, each rise would begin a collection.
const REPORT_PERIOD: Duration = Duration::from_secs(1);

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

/// Reports memory outside of the JavaScript heap to the garbage collector, so that it collects forgotten handles in time. Reports
/// a rise at once, and a fall as the most bytes of a period.
pub(crate) fn report_external_memory(env: Env, bytes: usize) {
    let (before, highest) = (REPORTED.get(), HIGHEST.get().max(bytes));
    HIGHEST.set(highest);
    if bytes.abs_diff(before) < REPORT_THRESHOLD {
        return;
    }
    let now = Instant::now();
    let is_over = START.get().is_none_or(|start| now - start >= REPORT_PERIOD);
    if is_over {
        START.set(Some(now));
        HIGHEST.set(bytes);
    }
    let report = if is_over || bytes > before { highest } else { before };
    if report.abs_diff(before) >= REPORT_THRESHOLD && env.adjust_external_memory(report as i64 - before as i64).is_ok()
    {
        REPORTED.set(report);
    }
}
