//! The thread of a session that runs its asynchronous calls, in order.

use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, Once, PoisonError, RwLock, Weak};
use std::thread::{self, JoinHandle};

use napi::bindgen_prelude::{Function, Unknown};
use napi::{Env, JsValue, sys};
use stepwell_engine::NativeEngine;
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

/// The thread, which starts with the first call. [`Executor::end`] stops its calls after their present batch, and waits for the thread.
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
        let events = Arc::clone(&self.events);
        let thread = thread::Builder::new().name("stepwell".to_owned()).stack_size(STACK_BYTES);
        let thread = thread
            .spawn(move || run(&receiver, &events, wake))
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
            let (events, wake) = (Arc::clone(&self.events), *wake);
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

    /// Stops the jobs and waits for the thread. `is_open` says that the environment goes on, else it frees its functions itself.
    pub(crate) fn end(self, is_open: bool) {
        for (_, stop) in &self.stops {
            stop.store(true, Ordering::Relaxed);
        }
        if let Some((sender, thread, wake)) = self.thread {
            drop(sender);
            // A panic of the thread has ended it too.
            let _ = thread.join();
            if is_open {
                wake.free();
            }
        }
    }
}

fn run(receiver: &Receiver<Job<NativeEngine>>, events: &Mutex<Vec<Event>>, wake: Wake) {
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
    extern "C" fn stop() {
        for stop in STOPS.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade) {
            stop.store(true, Ordering::Relaxed);
        }
        std::mem::forget(RUNNING.write().unwrap_or_else(PoisonError::into_inner));
    }
    unsafe extern "C" {
        /// Of the C library of each platform.
        safe fn atexit(function: extern "C" fn()) -> std::ffi::c_int;
    }
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        atexit(stop);
    });
}

/// A function of JavaScript that another thread calls.
#[derive(Clone, Copy)]
struct Wake(sys::napi_threadsafe_function);

// SAFETY: Node's functions of it are for any thread.
unsafe impl Send for Wake {}

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
                let wake = Self(made);
                wake.hold(Env::from_raw(env), false);
                Ok(wake)
            }
            _ => Err(Error::new(Code::Internal, "Node makes no function for another thread")),
        }
    }

    /// Sets whether the process waits for a call.
    fn hold(self, env: Env, waits: bool) {
        // SAFETY: a function that lives until `free`, or until its environment ends, of which this is the thread.
        unsafe {
            match waits {
                true => sys::napi_ref_threadsafe_function(env.raw(), self.0),
                false => sys::napi_unref_threadsafe_function(env.raw(), self.0),
            }
        };
    }

    fn call(self) {
        // SAFETY: as above: the environment waits for the thread before it frees the function.
        unsafe {
            sys::napi_call_threadsafe_function(self.0, ptr::null_mut(), sys::ThreadsafeFunctionCallMode::nonblocking)
        };
    }

    fn free(self) {
        // SAFETY: as above. No thread has it any more.
        unsafe { sys::napi_release_threadsafe_function(self.0, sys::ThreadsafeFunctionReleaseMode::abort) };
    }
}
