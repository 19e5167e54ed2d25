//! How many threads libtorch and steps use. libtorch keeps the number for each thread that calls it; here it is one, for the
//! whole process.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What was asked for; 0 before.
static LIMIT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// What this thread's libtorch was told; 0 before.
    static TOLD: Cell<usize> = const { Cell::new(0) };
}

/// The most that there may be.
pub(crate) fn limit() -> usize {
    match LIMIT.load(Ordering::Relaxed) {
        0 => at_first(),
        limit => limit,
    }
}

/// How many there are: more than there are cores would only wait for one another, and take seconds to begin.
pub(crate) fn used() -> usize {
    match LIMIT.load(Ordering::Relaxed) {
        0 => at_first(),
        limit => limit.min(cores()),
    }
}

/// For every thread of this process: for this one now, and for each other one when it enters the next time.
pub(crate) fn set(limit: usize) {
    // What libtorch began with is asked for while it still says so.
    at_first();
    LIMIT.store(limit, Ordering::Relaxed);
    enter();
}

/// Makes what was set true of this thread.
pub(crate) fn enter() {
    let limit = LIMIT.load(Ordering::Relaxed);
    if limit != TOLD.get() {
        TOLD.set(limit);
        tch::set_num_threads(i32::try_from(used()).unwrap_or(i32::MAX));
    }
}

/// What libtorch begins with, which the environment can say.
fn at_first() -> usize {
    static FIRST: OnceLock<usize> = OnceLock::new();
    *FIRST.get_or_init(|| usize::try_from(tch::get_num_threads()).unwrap_or(1))
}

fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
}
