//! Threads that help with a step, and sleep between steps.

use std::cell::UnsafeCell;
use std::hint;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, TryLockError};
use std::thread::{self, Thread};

/// A job: any number of threads may call it at the same time, each with a number of its own below that of all threads,
/// and each call returns when nothing is left to begin.
type Job<'a> = dyn Fn(usize) + Sync + 'a;

/// The helpers of the whole process. Only one step at a time has them; another that runs meanwhile, on a thread of its
/// own, does its work alone, so that there are never more threads at work than were asked for.
static TEAM: Mutex<Team> = Mutex::new(Team { helpers: Vec::new() });

struct Team {
    helpers: Vec<Thread>,
}

/// Runs the job on this thread and, as far as they come in time, on up to `threads - 1` helpers. Returns when all have
/// finished. `false` if a helper panicked, and what it had begun is not done.
pub(crate) fn run(threads: usize, job: &Job<'_>) -> bool {
    if threads < 2 || cfg!(target_family = "wasm") {
        job(0);
        return true;
    }
    let mut team = match TEAM.try_lock() {
        Ok(team) => team,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        Err(TryLockError::WouldBlock) => {
            job(0);
            return true;
        }
    };
    team.hire(threads - 1);
    let open = Open::new(job, threads - 1);
    team.helpers.iter().take(threads - 1).for_each(Thread::unpark);
    job(0);
    open.close()
}

impl Team {
    /// As many helpers as asked for, or as many as the system gives: a step needs none.
    fn hire(&mut self, count: usize) {
        while self.helpers.len() < count {
            let index = self.helpers.len();
            let builder = thread::Builder::new().name(format!("stepwell-{index}")).stack_size(256 << 10);
            let Ok(handle) = builder.spawn(move || help(index)) else { return };
            self.helpers.push(handle.thread().clone());
        }
    }
}

/// The job that is open, if one is. Written only by the thread that holds [`TEAM`], while the gate is shut.
struct Posted(UnsafeCell<Option<&'static Job<'static>>>);

// SAFETY: read only by threads that passed the gate, which is opened after the write and shut before the next.
unsafe impl Sync for Posted {}

static POSTED: Posted = Posted(UnsafeCell::new(None));
/// Bits 0 to 15: how many helpers are inside. Bit 16: open. Above: the number of the job.
static GATE: AtomicU64 = AtomicU64::new(0);
/// How many helpers may enter.
static WANTED: AtomicUsize = AtomicUsize::new(0);
static PANICKED: AtomicBool = AtomicBool::new(false);

const INSIDE: u64 = 0xffff;
const OPEN: u64 = 0x1_0000;
const NUMBER: u32 = 17;

/// While it lives, helpers may enter the job.
struct Open;

impl Open {
    fn new(job: &Job<'_>, helpers: usize) -> Self {
        // SAFETY: the reference is used only by helpers inside, and this value's drop waits for them to leave.
        let job: &'static Job<'static> = unsafe { std::mem::transmute::<&Job<'_>, &'static Job<'static>>(job) };
        PANICKED.store(false, Ordering::Relaxed);
        WANTED.store(helpers, Ordering::Relaxed);
        // SAFETY: the gate is shut and nobody is inside; and `TEAM` is held.
        unsafe { *POSTED.0.get() = Some(job) };
        let number = (GATE.load(Ordering::Relaxed) >> NUMBER) + 1;
        GATE.store(number << NUMBER | OPEN, Ordering::Release);
        Open
    }

    fn close(self) -> bool {
        drop(self);
        !PANICKED.load(Ordering::Relaxed)
    }
}

impl Drop for Open {
    /// Also where the job panicked on this thread.
    fn drop(&mut self) {
        if thread::panicking() {
            PANICKED.store(true, Ordering::Relaxed);
        }
        GATE.fetch_and(!OPEN, Ordering::Relaxed);
        let mut waited = Patience::default();
        while GATE.load(Ordering::Acquire) & INSIDE != 0 {
            waited.wait();
        }
    }
}

/// The life of a helper.
fn help(index: usize) {
    let mut done = 0;
    let mut spins = 0;
    loop {
        let gate = GATE.load(Ordering::Acquire);
        let wanted = gate & OPEN != 0 && gate >> NUMBER != done && index < WANTED.load(Ordering::Relaxed);
        if !wanted {
            // What a step does in several parts comes at once, and waking up takes longer than many a part; but a core
            // that is spun on is lost to everybody else.
            spins += 1;
            if spins < 1000 {
                hint::spin_loop()
            } else {
                thread::park()
            }
            continue;
        }
        spins = 0;
        if GATE.compare_exchange(gate, gate + 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
            continue;
        }
        done = gate >> NUMBER;
        let _inside = Inside;
        // SAFETY: the gate was open, and whoever opened it waits until this helper has left.
        if let Some(job) = unsafe { *POSTED.0.get() }
            && panic::catch_unwind(AssertUnwindSafe(|| job(index + 1))).is_err()
        {
            PANICKED.store(true, Ordering::Relaxed);
        }
    }
}

/// A helper's stay in a job.
struct Inside;

impl Drop for Inside {
    fn drop(&mut self) {
        GATE.fetch_sub(1, Ordering::Release);
    }
}

/// Waits without sleeping, and lets others have the core if it takes long.
#[derive(Default)]
pub(crate) struct Patience(u32);

impl Patience {
    pub(crate) fn wait(&mut self) {
        self.0 += 1;
        if self.0 < 1000 { hint::spin_loop() } else { thread::yield_now() }
    }
}

/// True once a helper has panicked: nobody should wait for what it had begun.
pub(crate) fn panicked() -> bool {
    PANICKED.load(Ordering::Relaxed)
}
