//! The thread of a session that runs its asynchronous calls, in order.

use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, RwLock, TryLockError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use napi::bindgen_prelude::{Function, Unknown};
use napi::{Env, JsValue, sys};
use stepwell_engine::NativeEngine;
#[cfg(feature = "libtorch")]
use stepwell_engine::waiting_threads;
use stepwell_optim::{Code, Error, Result};
use stepwell_session::{FinishedJob, Job, JobThread, Value};

/// Events of the thread, in order.
type Events = Arc<Mutex<Vec<Event>>>;

/// An event of a job.
pub(crate) enum Event {
    /// The figures of a batch of the job of a number.
    Report(u64, Value),
    /// A job that is over.
    End(Box<FinishedJob<NativeEngine>>),
}

/// In bytes, 8 MiB: the stack of the main thread, since modules nest as deep on both.
const STACK_BYTES: usize = 8 << 20;

/// Flags of all jobs of the process that are not over.
static STOPS: Mutex<Vec<Weak<AtomicBool>>> = Mutex::new(Vec::new());
/// Held by each thread while it runs a job or calls Node. The exit of the process takes it for ever.
static RUNNING: RwLock<()> = RwLock::new(());
/// How often the end of a process or of an environment looks whether its threads have ended.
const POLL: Duration = Duration::from_millis(1);

/// The engine without libtorch trains in one process.
#[cfg(not(feature = "libtorch"))]
fn waiting_threads() -> Vec<thread::ThreadId> {
    Vec::new()
}

/// The thread, which starts with the first call. [`Executor::end`] stops its calls after their present batch, and waits for the thread, unless
/// that one waits for another process.
#[derive(Default)]
pub(crate) struct Executor {
    thread: Option<(Sender<Job<NativeEngine>>, JoinHandle<()>, Wake)>,
    events: Events,
    /// The calls that are not over: their numbers, and the flags that stop them.
    stops: Vec<(u64, Arc<AtomicBool>)>,
}

impl Executor {
    /// Starts the thread unless it runs. `wake` is called in a turn of the event loop after each event. True if the thread has started.
    pub(crate) fn start(&mut self, wake: &Function<'_, (), Unknown<'_>>) -> Result<bool> {
        if self.thread.is_some() {
            return Ok(false);
        }
        stop_at_exit();
        let wake = Wake::new(wake)?;
        let (sender, receiver) = channel();
        let (events, waking) = (Arc::clone(&self.events), wake.clone());
        let thread = thread::Builder::new().name("stepwell".to_owned()).stack_size(STACK_BYTES);
        let thread = thread
            .spawn(move || run(&receiver, &events, &waking))
            .map_err(|error| Error::new(Code::Memory, format!("no thread for asynchronous calls: {error}")))?;
        self.thread = Some((sender, thread, wake));
        Ok(true)
    }

    /// Runs a job after the ones before it, and reports its batches if `reports` is true. Until it is over, the process does not end by
    /// itself.
    pub(crate) fn run(
        &mut self,
        env: Env,
        (mut job, number, stop): (Job<NativeEngine>, u64, Arc<AtomicBool>),
        reports: bool,
    ) -> Result<()> {
        let ended = || Error::new(Code::Internal, "the thread of asynchronous calls has ended");
        let (sender, _, wake) = self.thread.as_ref().ok_or_else(ended)?;
        if reports {
            let (events, wake) = (Arc::clone(&self.events), wake.clone());
            job.report_to(Box::new(move |figures| {
                events.lock().unwrap_or_else(PoisonError::into_inner).push(Event::Report(number, figures));
                wake.call();
            }));
        }
        if self.stops.is_empty() {
            wake.hold(env, true);
        }
        let mut stops = STOPS.lock().unwrap_or_else(PoisonError::into_inner);
        stops.retain(|stop| stop.strong_count() > 0);
        stops.push(Arc::downgrade(&stop));
        self.stops.push((number, stop));
        sender.send(job).map_err(|_| ended())
    }

    /// Stops a job after its present batch.
    pub(crate) fn stop(&self, number: u64) {
        if let Some((_, stop)) = self.stops.iter().find(|(other, _)| *other == number) {
            stop.store(true, Ordering::Relaxed);
        }
    }

    /// The events of the jobs, in order, once.
    pub(crate) fn take_events(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Forgets the flag of a job that is over.
    pub(crate) fn forget(&mut self, env: Env, number: u64) {
        self.stops.retain(|(other, _)| *other != number);
        if let (true, Some((_, _, wake))) = (self.stops.is_empty(), &self.thread) {
            wake.hold(env, false);
        }
    }

    /// Stops the jobs and waits for the thread. One that waits for another process is left to its timeout, with its objects. `is_open` says
    /// that the environment goes on, else it frees its functions itself.
    pub(crate) fn end(self, is_open: bool) {
        for (_, stop) in &self.stops {
            stop.store(true, Ordering::Relaxed);
        }
        let Some((sender, thread, wake)) = self.thread else { return };
        drop(sender);
        while !thread.is_finished() && !waiting_threads().contains(&thread.thread().id()) {
            thread::sleep(POLL);
        }
        wake.close(is_open);
        match thread.is_finished() {
            // A panic of the thread has ended it too.
            true => drop(thread.join()),
            false => drop(leaves_jobs_at_exit()),
        }
    }
}

fn run(receiver: &Receiver<Job<NativeEngine>>, events: &Mutex<Vec<Event>>, wake: &Wake) {
    let mut thread = JobThread::default();
    for job in receiver {
        let _running = RUNNING.read().unwrap_or_else(PoisonError::into_inner);
        let job = job.run(&mut thread);
        events.lock().unwrap_or_else(PoisonError::into_inner).push(Event::End(Box::new(job)));
        wake.call();
    }
}

/// Lets the exit of the process stop all jobs and wait for their present batches. `process.exit` ends no environment, and libtorch is
/// unloaded afterwards.
fn stop_at_exit() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        #[cfg(target_env = "gnu")]
        glibc::on_exit(glibc::stop, ptr::null_mut());
        #[cfg(not(target_env = "gnu"))]
        {
            extern "C" fn stop() {
                stop_jobs(|| {});
            }
            unsafe extern "C" {
                /// Of the C library of each platform.
                safe fn atexit(function: extern "C" fn()) -> std::ffi::c_int;
            }
            atexit(stop);
        }
    });
}

/// Whether a job waits for another process, so that the exit does not wait for it. Its hook is then called before the destructors of what
/// libtorch has made since.
pub(crate) fn leaves_jobs_at_exit() -> bool {
    #[cfg(target_env = "gnu")]
    if !waiting_threads().is_empty() {
        glibc::on_exit(glibc::stop, ptr::null_mut());
        return true;
    }
    false
}

/// Stops all jobs and waits for their present batches. `end` is called while a thread waits for another process, since it may go on for long. The exit
/// calls it as often as it was registered.
fn stop_jobs(end: impl Fn()) {
    static STOPPED: AtomicBool = AtomicBool::new(false);
    for stop in STOPS.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade) {
        stop.store(true, Ordering::Relaxed);
    }
    loop {
        if !waiting_threads().is_empty() {
            end();
        }
        if STOPPED.load(Ordering::Relaxed) {
            return;
        }
        let running = match RUNNING.try_write() {
            Ok(running) => Some(running),
            Err(TryLockError::Poisoned(running)) => Some(running.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        match running {
            Some(running) => {
                std::mem::forget(running);
                STOPPED.store(true, Ordering::Relaxed);
            }
            None => thread::sleep(POLL),
        }
    }
}

/// glibc tells the exit code, with which a process can end at once. On other systems it waits until the wait for a process times out.
#[cfg(target_env = "gnu")]
mod glibc {
    use std::ffi::{c_int, c_void};
    use std::ptr;

    unsafe extern "C" {
        pub(super) safe fn on_exit(function: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
        fn fflush(stream: *mut c_void) -> c_int;
        safe fn _exit(code: c_int) -> !;
    }

    /// The exit of the process. build.rs keeps the addon loaded until then.
    pub(super) extern "C" fn stop(code: c_int, _: *mut c_void) {
        super::stop_jobs(|| {
            // SAFETY: null stands for all streams.
            unsafe { fflush(ptr::null_mut()) };
            // Without the destructors of libtorch, since its threads go on.
            _exit(code)
        });
    }
}

/// A function of JavaScript that another thread calls.
#[derive(Clone)]
struct Wake(Arc<Mutex<Option<ThreadsafeFunction>>>);

struct ThreadsafeFunction(sys::napi_threadsafe_function);

// SAFETY: Node's functions of it are for any thread.
unsafe impl Send for ThreadsafeFunction {}

impl Wake {
    fn new(function: &Function<'_, (), Unknown<'_>>) -> Result<Self> {
        let value = function.value();
        let (env, mut name, mut made, none) = (value.env, ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        // SAFETY: a live environment and function; Node writes the results. No data and no finalizer are given.
        let status = unsafe {
            match sys::napi_create_string_utf8(env, c"stepwell".as_ptr(), 8, &mut name) {
                sys::Status::napi_ok => sys::napi_create_threadsafe_function(
                    env,
                    value.value,
                    none,
                    name,
                    0,
                    1,
                    ptr::null_mut(),
                    None,
                    ptr::null_mut(),
                    None,
                    &mut made,
                ),
                status => status,
            }
        };
        match status {
            sys::Status::napi_ok => {
                let wake = Self(Arc::new(Mutex::new(Some(ThreadsafeFunction(made)))));
                wake.hold(Env::from_raw(env), false);
                Ok(wake)
            }
            _ => Err(Error::new(Code::Internal, "Node makes no function for another thread")),
        }
    }

    fn function(&self) -> MutexGuard<'_, Option<ThreadsafeFunction>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets whether the process waits for a call.
    fn hold(&self, env: Env, waits: bool) {
        let function = self.function();
        let Some(ThreadsafeFunction(function)) = *function else { return };
        // SAFETY: a function that lives until `close`, of which this is the thread.
        unsafe {
            match waits {
                true => sys::napi_ref_threadsafe_function(env.raw(), function),
                false => sys::napi_unref_threadsafe_function(env.raw(), function),
            }
        };
    }

    fn call(&self) {
        let function = self.function();
        let Some(ThreadsafeFunction(function)) = *function else { return };
        // SAFETY: a function that lives until `close`, which waits for the lock.
        unsafe {
            sys::napi_call_threadsafe_function(function, ptr::null_mut(), sys::ThreadsafeFunctionCallMode::nonblocking)
        };
    }

    /// From now on calls do nothing. An environment that ends frees the function itself.
    fn close(&self, is_open: bool) {
        let Some(ThreadsafeFunction(function)) = self.function().take() else { return };
        if is_open {
            // SAFETY: a function that lives. No thread has it any more.
            unsafe { sys::napi_release_threadsafe_function(function, sys::ThreadsafeFunctionReleaseMode::abort) };
        }
    }
}
