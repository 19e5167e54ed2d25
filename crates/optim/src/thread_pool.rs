//! A pool of worker threads that help with a step and sleep between steps.

use std::cell::UnsafeCell;
use std::hint;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, TryLockError};
use std::thread::{self, Thread};

/// A job. Several threads may call it at the same time, each with its own index below the number of threads. A call
/// returns when no work is left to start.
pub(crate) type Job<'a> = dyn Fn(usize) + Sync + 'a;

/// The workers of the process. One step at a time uses them. A second step, on another thread, runs without workers, so
/// that no more threads are active than were requested.
static POOL: Mutex<ThreadPool> = Mutex::new(ThreadPool { workers: Vec::new() });

struct ThreadPool {
    workers: Vec<Thread>,
}

/// Runs the job on this thread and on up to `threads - 1` workers, as far as they wake in time. Returns when all have
/// finished: `false` if a worker panicked, which leaves its part undone.
#[cfg_attr(target_family = "wasm", expect(unreachable_pub, reason = "only other targets export it"))]
pub fn run(threads: usize, job: &(dyn Fn(usize) + Sync + '_)) -> bool {
    if threads < 2 || cfg!(target_family = "wasm") {
        job(0);
        return true;
    }
    let mut pool = match POOL.try_lock() {
        Ok(pool) => pool,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        Err(TryLockError::WouldBlock) => {
            job(0);
            return true;
        }
    };
    pool.spawn_up_to(threads - 1);
    let guard = JobGuard::new(job, threads - 1);
    pool.workers.iter().take(threads - 1).for_each(Thread::unpark);
    job(0);
    guard.close()
}

impl ThreadPool {
    /// Spawns workers until there are `count`, or until the system refuses. A step works without workers, too.
    fn spawn_up_to(&mut self, count: usize) {
        while self.workers.len() < count {
            let index = self.workers.len();
            let builder = thread::Builder::new().name(format!("stepwell-{index}")).stack_size(256 << 10);
            let Ok(handle) = builder.spawn(move || worker_loop(index)) else { return };
            self.workers.push(handle.thread().clone());
        }
    }
}

/// The open job, if any. Only the thread that holds [`POOL`] writes it, while the job state is closed.
struct JobPointer(UnsafeCell<Option<&'static Job<'static>>>);

// SAFETY: only threads that entered the job read it. The job state is opened after the write and closed before the next.
unsafe impl Sync for JobPointer {}

static CURRENT_JOB: JobPointer = JobPointer(UnsafeCell::new(None));
/// Bits 0 to 15: the number of active workers. Bit 16: workers may enter. Bits 17 to 63: the number of the job.
static JOB_STATE: AtomicU64 = AtomicU64::new(0);
/// The number of workers that may enter.
static MAX_WORKERS: AtomicUsize = AtomicUsize::new(0);
static PANICKED: AtomicBool = AtomicBool::new(false);

const ACTIVE_MASK: u64 = 0xffff;
const OPEN_BIT: u64 = 0x1_0000;
const NUMBER_SHIFT: u32 = 17;

/// Lets workers enter the job for as long as it lives.
struct JobGuard;

impl JobGuard {
    fn new(job: &Job<'_>, workers: usize) -> Self {
        // SAFETY: only active workers use the reference, and the drop of this value waits until they have left.
        let job: &'static Job<'static> = unsafe { std::mem::transmute::<&Job<'_>, &'static Job<'static>>(job) };
        PANICKED.store(false, Ordering::Relaxed);
        MAX_WORKERS.store(workers, Ordering::Relaxed);
        // SAFETY: the job state is closed, no worker is active, and this thread holds `POOL`.
        unsafe { *CURRENT_JOB.0.get() = Some(job) };
        let number = (JOB_STATE.load(Ordering::Relaxed) >> NUMBER_SHIFT) + 1;
        JOB_STATE.store(number << NUMBER_SHIFT | OPEN_BIT, Ordering::Release);
        JobGuard
    }

    fn close(self) -> bool {
        drop(self);
        !PANICKED.load(Ordering::Relaxed)
    }
}

impl Drop for JobGuard {
    /// Runs also if the job panicked on this thread.
    fn drop(&mut self) {
        if thread::panicking() {
            PANICKED.store(true, Ordering::Relaxed);
        }
        JOB_STATE.fetch_and(!OPEN_BIT, Ordering::Relaxed);
        let mut backoff = Backoff::default();
        while JOB_STATE.load(Ordering::Acquire) & ACTIVE_MASK != 0 {
            backoff.wait();
        }
    }
}

/// Enters each job once, and parks in between.
fn worker_loop(index: usize) {
    let mut done = 0;
    let mut spins = 0;
    loop {
        let state = JOB_STATE.load(Ordering::Acquire);
        let wanted =
            state & OPEN_BIT != 0 && state >> NUMBER_SHIFT != done && index < MAX_WORKERS.load(Ordering::Relaxed);
        if !wanted {
            // The parts of a step follow each other at once, and waking up takes longer than many of them. But spinning
            // takes the core from other threads, so it ends soon.
            spins += 1;
            if spins < 1000 {
                hint::spin_loop()
            } else {
                thread::park()
            }
            continue;
        }
        spins = 0;
        if JOB_STATE.compare_exchange(state, state + 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
            continue;
        }
        done = state >> NUMBER_SHIFT;
        let _active = ActiveGuard;
        // SAFETY: the job was open when this worker entered, and the thread that opened it waits until the worker has left.
        if let Some(job) = unsafe { *CURRENT_JOB.0.get() }
            && panic::catch_unwind(AssertUnwindSafe(|| job(index + 1))).is_err()
        {
            PANICKED.store(true, Ordering::Relaxed);
        }
    }
}

/// Counts a worker as active until it is dropped.
struct ActiveGuard;

impl Drop for ActiveGuard {
    fn drop(&mut self) {
        JOB_STATE.fetch_sub(1, Ordering::Release);
    }
}

/// Waits by spinning, and yields the core after 1000 spins.
#[derive(Default)]
pub(crate) struct Backoff(u32);

impl Backoff {
    pub(crate) fn wait(&mut self) {
        self.0 += 1;
        if self.0 < 1000 { hint::spin_loop() } else { thread::yield_now() }
    }
}

/// True if a worker has panicked, so that waiting for its part would not end.
pub(crate) fn panicked() -> bool {
    PANICKED.load(Ordering::Relaxed)
}
