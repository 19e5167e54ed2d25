//! The number of threads of libtorch and of steps. libtorch keeps a number for each calling thread; Stepwell has one for the process,
//! and applies it to a thread when the thread enters the engine.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The number that a caller has set; 0 if none has.
static LIMIT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// The limit that this thread has passed on to libtorch; 0 if none.
    static APPLIED: Cell<usize> = const { Cell::new(0) };
}

/// The maximum number of threads.
pub(crate) fn limit() -> usize {
    match LIMIT.load(Ordering::Relaxed) {
        0 => initial(),
        limit => limit,
    }
}

/// The number of threads in use: at most the number of cores. More would wait for one another, and take seconds to start.
pub(crate) fn used() -> usize {
    match LIMIT.load(Ordering::Relaxed) {
        0 => initial(),
        limit => limit.min(cores()),
    }
}

/// Sets the maximum for the process: for this thread now, for each other thread when it enters the engine next.
pub(crate) fn set(limit: usize) {
    // Reads the initial number before the first change.
    initial();
    LIMIT.store(limit, Ordering::Relaxed);
    enter();
}

/// Applies the number of the process to this thread.
pub(crate) fn enter() {
    let limit = LIMIT.load(Ordering::Relaxed);
    if limit != APPLIED.get() {
        APPLIED.set(limit);
        tch::set_num_threads(i32::try_from(used()).unwrap_or(i32::MAX));
    }
}

/// The number that libtorch starts with: the cores, or an environment variable such as OMP_NUM_THREADS.
fn initial() -> usize {
    static INITIAL: OnceLock<usize> = OnceLock::new();
    *INITIAL.get_or_init(|| usize::try_from(tch::get_num_threads()).unwrap_or(1))
}

fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
}
