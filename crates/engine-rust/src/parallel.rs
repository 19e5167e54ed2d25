//! Work on a tensor in parts, on the threads of a step.

use std::sync::{Mutex, PoisonError};

use stepwell_optim::{Result, run_on_threads};

use crate::error::internal_error;

/// The number of threads in use, and the limit that a caller has set.
pub(crate) mod threads {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    /// 0 if no caller has set one.
    static LIMIT: AtomicUsize = AtomicUsize::new(0);

    /// The maximum number of threads.
    pub(crate) fn limit() -> usize {
        match LIMIT.load(Ordering::Relaxed) {
            0 => initial(),
            limit => limit,
        }
    }

    /// The number of threads in use: at most the number of cores.
    pub(crate) fn used() -> usize {
        limit().min(cores())
    }

    /// Sets the maximum for the process.
    pub(crate) fn set(limit: usize) {
        LIMIT.store(limit, Ordering::Relaxed);
    }

    /// OMP_NUM_THREADS, as libtorch has it; the cores without it.
    fn initial() -> usize {
        static INITIAL: OnceLock<usize> = OnceLock::new();
        *INITIAL.get_or_init(|| {
            let Ok(given) = std::env::var("OMP_NUM_THREADS") else { return cores() };
            wanted(&given).unwrap_or_else(|| {
                // A variable of many programs, some of which know more forms: OpenMP says so too, and goes on.
                eprintln!(
                    "stepwell: OMP_NUM_THREADS: expected a whole number from 1 to 1024, given {given:?}: not used"
                );
                cores()
            })
        })
    }

    /// The number of OMP_NUM_THREADS: the first one of a list, of which the others are for nested loops.
    fn wanted(given: &str) -> Option<usize> {
        let count = given.split(',').next()?.trim().parse().ok()?;
        Some(count).filter(|count| (1..=1024).contains(count))
    }

    fn cores() -> usize {
        static CORES: OnceLock<usize> = OnceLock::new();
        *CORES.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
    }
}

/// Calls `job` with parts of the elements of this length, each with the position of its first one.
///
/// # Errors
/// If a thread panicked: some parts are not written then.
pub(crate) fn in_parts<T: Send>(out: &mut [T], part: usize, job: impl Fn(usize, &mut [T]) + Sync) -> Result<()> {
    let threads = threads::used();
    if threads == 1 || out.len() <= part {
        job(0, out);
        return Ok(());
    }
    let parts = Mutex::new(out.chunks_mut(part).enumerate());
    let next = || parts.lock().unwrap_or_else(PoisonError::into_inner).next();
    let finished = run_on_threads(threads, &|_| {
        while let Some((index, elements)) = next() {
            job(index * part, elements);
        }
    });
    if finished { Ok(()) } else { Err(internal_error("a thread of an operation panicked")) }
}
