//! Asynchronous calls: a job is a call on objects that it has alone, which another thread runs with the code of the command.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::random::Random;
use crate::session::handle_table::HandleTable;
use crate::session::lease_list::{Lease, Leases};
use crate::session::{CountedObject, Object, Session};
use crate::values::handle::{Handle, ObjectKind};
use crate::values::value::{Value, handles_in};

/// Commands that a job can run.
const JOBS: [&str; 16] = [
    "step",
    "run",
    "batch",
    "testrun",
    "testbatch",
    "evaluate",
    "save",
    "load",
    "initProcessGroup",
    "destroyProcessGroup",
    "allReduce",
    "broadcast",
    "allGather",
    "reduceScatter",
    "barrier",
    "distributed",
];

/// A call that another thread can run.
pub struct Job<E: Engine> {
    session: Session<E>,
    command: &'static str,
    arguments: Vec<Value>,
    number: u64,
    draws: bool,
    /// The generator of the session, for the first job that draws; the others take it from the one before.
    random: Option<Random>,
    resets: u64,
}

/// The generator between jobs, on the thread that runs them.
#[derive(Default)]
pub struct JobThread(Option<Random>);

/// A job that is over, with the objects that it had.
pub struct FinishedJob<E: Engine> {
    session: Session<E>,
    result: Result<Value>,
    number: u64,
    draws: bool,
    resets: u64,
    bytes_held: i64,
}

/// The end of an asynchronous call.
pub struct JobEnd {
    /// The number that [`Session::start`] returned.
    pub number: u64,
    /// The result of the command.
    pub result: Result<Value>,
    /// Whether it was stopped before its end.
    pub is_stopped: bool,
}

impl<E: Engine> Session<E> {
    /// Starts an asynchronous call: the objects that it uses go into the job. Returns it with its number, and a flag that stops it
    /// after the present batch.
    ///
    /// # Errors
    /// Nothing has started then. [`Code::Busy`] if another job has one of the objects.
    pub fn start(&mut self, command: &str, arguments: Vec<Value>) -> Result<(Job<E>, u64, Arc<AtomicBool>)> {
        let name = JOBS
            .into_iter()
            .find(|name| *name == command)
            .ok_or_else(|| Error::new(Code::UnknownName, format_args!("no asynchronous function `{command}`")))?;
        self.job(name, arguments).map_err(|error| error.within(name))
    }

    fn job(&mut self, command: &'static str, arguments: Vec<Value>) -> Result<(Job<E>, u64, Arc<AtomicBool>)> {
        if !self.running.is_empty() || !self.calls.is_empty() || self.is_in_backward {
            let message =
                "a function that a step or a pass has called is running, and cannot start an asynchronous call";
            return Err(Error::new(Code::Busy, message));
        }
        let given = handles_in(&arguments);
        // Others call no function of a module or of a loss.
        if matches!(command, "run" | "batch" | "testrun" | "testbatch" | "evaluate") {
            for handle in &given {
                self.check_has_no_functions(*handle)?;
            }
        }
        let (handles, tensors) = self.used_by(&given)?;
        let draws = self.may_draw(command, &arguments);
        let stop = Arc::new(AtomicBool::new(false));
        let (mut objects, mut rows, mut bytes) =
            (Vec::with_capacity(handles.len()), Vec::with_capacity(handles.len()), 0);
        for handle in handles {
            let (kind, counted) = self.table.lend(handle)?;
            bytes += counted.bytes;
            rows.push((handle, counted.bytes, counted.made_by));
            objects.push((handle, kind, counted));
        }
        self.bytes -= bytes;
        let lends = draws && self.leases.drawing == 0;
        self.leases.drawing += usize::from(draws);
        self.leases.last += 1;
        self.leases.lent_bytes += bytes;
        let number = self.leases.last;
        self.leases.jobs.push(Lease { number, tensors, objects: rows, bytes });
        let session = Session {
            all_options: self.all_options,
            scales_losses: self.scales_losses,
            stop: Some(Arc::clone(&stop)),
            bytes,
            table: HandleTable::of_job(self.table.session(), objects),
            ..Session::new(self.engine.clone())
        };
        let random = lends.then(|| self.random.clone());
        Ok((Job { session, command, arguments, number, draws, random, resets: self.leases.resets }, number, stop))
    }

    /// Fails for an object with a function of JavaScript, which only the thread of the session can run.
    fn check_has_no_functions(&self, handle: Handle) -> Result<()> {
        let has = match self.object(handle)? {
            Object::Module(module) => module.calls_functions(),
            Object::Model(model) => model.own_loss.is_some() || model.module.calls_functions(),
            _ => false,
        };
        match has {
            true => Err(Error::new(
                Code::Unsupported,
                "a function of the program, in a module or as the loss, cannot run on another thread: use the call that waits",
            )),
            false => Ok(()),
        }
    }

    /// Takes the objects of a job back, and those that it has made.
    pub fn finish(&mut self, finished: FinishedJob<E>) -> JobEnd {
        let FinishedJob { session: job, result, number, draws, resets, bytes_held } = finished;
        self.engine.add_bytes_held(bytes_held);
        self.scales_losses |= job.scales_losses;
        let is_stopped = job.is_stopped();
        if draws && resets == self.leases.resets {
            self.leases.drawing -= 1;
            if self.leases.drawing == 0 {
                self.random = job.random;
            }
        }
        if let Some(position) = self.leases.jobs.iter().position(|lease| lease.number == number) {
            self.leases.lent_bytes -= self.leases.jobs.swap_remove(position).bytes;
        }
        let mut made = Vec::new();
        for (handle, kind, counted) in job.table.into_objects() {
            let bytes = counted.bytes;
            match self.table.take_back(handle, kind, counted) {
                None => self.bytes += bytes,
                // A handle that was freed, or an object that the job has made.
                Some(counted) => made.push((handle, kind, counted)),
            }
        }
        let result = result.and_then(|value| self.taken(value, &mut made));
        JobEnd { number, result, is_stopped }
    }

    /// A result with handles of this session for the objects that a job has made.
    fn taken(&mut self, value: Value, made: &mut Vec<(Handle, ObjectKind, CountedObject<E>)>) -> Result<Value> {
        Ok(match value {
            Value::Handle(handle) => match made.iter().position(|(other, ..)| *other == handle) {
                Some(position) => {
                    let (_, kind, counted) = made.swap_remove(position);
                    let bytes = counted.bytes;
                    let handle = self.table.insert(kind, counted)?;
                    self.bytes += bytes;
                    Value::Handle(handle)
                }
                None => Value::Handle(handle),
            },
            Value::Array(list) => {
                let mut taken = Vec::with_capacity(list.len());
                for item in list {
                    taken.push(self.taken(item, made)?);
                }
                Value::Array(taken)
            }
            Value::Object(entries) => {
                let mut taken = Vec::with_capacity(entries.len());
                for (name, item) in entries {
                    taken.push((name, self.taken(item, made)?));
                }
                Value::Object(taken)
            }
            other => other,
        })
    }

    /// Whether the job of this session was stopped; false in the session of a program.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    /// Forgets the jobs, whose objects are freed when they end.
    pub(crate) fn forget_jobs(&mut self) {
        let leases = std::mem::take(&mut self.leases);
        self.leases = Leases { last: leases.last, resets: leases.resets + 1, ..Leases::default() };
    }
}

impl<E: Engine> Job<E> {
    /// Has `report` called with the figures of each batch, as `batch(model, true)` returns them, on the thread that runs the job.
    pub fn report_to(&mut self, report: Box<dyn Fn(Value) + Send>) {
        self.session.report = Some(report);
    }

    /// Runs the command, unless it was stopped before.
    pub fn run(self, thread: &mut JobThread) -> FinishedJob<E> {
        let Job { mut session, command, arguments, number, draws, random, resets } = self;
        if draws && let Some(random) = random.or_else(|| thread.0.take()) {
            session.random = random;
        }
        let result = match session.is_stopped() {
            true => Ok(Value::Null),
            false => catch_unwind(AssertUnwindSafe(|| session.call(command, arguments))).unwrap_or_else(|panic| {
                let owned = panic.downcast_ref::<String>().map(String::as_str);
                let text =
                    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a message");
                Err(Error::new(Code::Internal, format_args!("a bug of Stepwell, please report it: {text}")))
            }),
        };
        if draws {
            thread.0 = Some(session.random.clone());
        }
        let bytes_held = session.engine.take_bytes_held();
        FinishedJob { session, result, number, draws, resets, bytes_held }
    }
}
