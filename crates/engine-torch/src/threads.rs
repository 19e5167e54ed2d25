//! The number of threads of libtorch and of steps.
//!
//! libtorch keeps a number for each calling thread. Stepwell has one for the process, and applies it to a thread when the
//! thread enters the engine. Copies of the addon in one process, from several `node_modules`, share the number. It is stored in
//! the first preload addon, whose symbols are global.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The maximum that a caller has set, for the process; 0 if none has.
fn shared_limit() -> &'static AtomicUsize {
    /// The number of a program without a preload addon, such as a test.
    static OWN: AtomicUsize = AtomicUsize::new(0);
    static SHARED: OnceLock<&AtomicUsize> = OnceLock::new();
    SHARED.get_or_init(|| preloaded_limit().unwrap_or(&OWN))
}

/// `THREAD_LIMIT` of the first preload addon in this process, if there is one.
#[cfg(unix)]
fn preloaded_limit() -> Option<&'static AtomicUsize> {
    // SAFETY: a name that ends with 0. The function only looks up an address.
    let symbol = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"stepwell_thread_limit_v1".as_ptr()) };
    // SAFETY: null, or the address of an `AtomicUsize` in a library that is never unloaded.
    unsafe { symbol.cast::<AtomicUsize>().as_ref() }
}

/// Windows has no table of global symbols: each copy of the addon has a number of its own.
#[cfg(not(unix))]
fn preloaded_limit() -> Option<&'static AtomicUsize> {
    None
}

thread_local! {
    /// The limit that this thread has passed on to libtorch; 0 if none.
    static APPLIED: Cell<usize> = const { Cell::new(0) };
}

/// The maximum number of threads.
pub(crate) fn limit() -> usize {
    match shared_limit().load(Ordering::Relaxed) {
        0 => initial(),
        limit => limit,
    }
}

/// The number of threads in use: at most the number of cores. More would wait for one another, and take seconds to start.
pub(crate) fn used() -> usize {
    match shared_limit().load(Ordering::Relaxed) {
        0 => initial(),
        limit => limit.min(cores()),
    }
}

/// Sets the maximum for the process: for this thread now, for each other thread when it enters the engine next.
pub(crate) fn set(limit: usize) {
    // Reads the initial number before the first change.
    initial();
    shared_limit().store(limit, Ordering::Relaxed);
    enter();
}

/// Applies the number of the process to this thread.
pub(crate) fn enter() {
    let limit = shared_limit().load(Ordering::Relaxed);
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
