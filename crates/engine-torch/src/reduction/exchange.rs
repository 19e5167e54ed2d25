//! The work of the thread of a reduction.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Builder, Scope, ScopedJoinHandle};

use stepwell_distributed::{Backend, ProcessGroup};
use stepwell_optim::{Code, Error, Result};
use stepwell_session::{ReductionPlan, ReductionWeights};

use super::arrivals::Arrival;
use super::numbers::{gather, lock};
use super::stages::{Buckets, Gradients, RowLayout, add, fill, write};

/// The input of the thread.
pub(super) struct Exchange {
    pub(super) group: Arc<Mutex<ProcessGroup>>,
    pub(super) announced: Vec<f64>,
    pub(super) weights: Box<ReductionPlan>,
    pub(super) buckets: Buckets,
    /// Ends after the backward.
    pub(super) receiver: Receiver<Arrival>,
    /// How many parameters there are.
    pub(super) parameters: usize,
}

/// The result of the thread.
pub(super) struct Exchanged {
    pub(super) announced: Vec<Vec<f64>>,
    /// `None` if the processes have not reduced gradients.
    pub(super) weights: Option<ReductionWeights>,
    pub(super) buckets: Buckets,
    /// The number of the arrival of each gradient, or [`ABSENT`](super::numbers::ABSENT).
    pub(super) arrived: Vec<f64>,
    /// Whether a gradient is the reduced one.
    pub(super) written: Vec<bool>,
}

/// Makes an exchange, once.
pub(super) fn run(exchange: &Mutex<Option<Exchange>>) -> Result<Exchanged> {
    let exchange = take(exchange).ok_or_else(|| Error::new(Code::Internal, "an exchange that has been made"))?;
    exchange.run()
}

fn take<T>(once: &Mutex<Option<T>>) -> Option<T> {
    once.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl Exchange {
    fn run(self) -> Result<Exchanged> {
        let _guard = tch::no_grad_guard();
        let Self { group, announced, weights, buckets, receiver, parameters } = self;
        let group = lock(&group);
        let announced = gather(group.size(), &announced, |to, from| group.gather_numbers(to, from))?;
        let weights = weights(&announced);
        let mut gradients = Gradients::new(receiver, parameters);
        let (buckets, written) = match &weights {
            Some(weights) => reduce(group.agreed(), buckets, &weights.gradients, &mut gradients, parameters)?,
            None => (buckets, vec![false; parameters]),
        };
        Ok(Exchanged { announced, weights, buckets, arrived: gradients.arrived(), written })
    }
}

/// Runs the stages. Returns the buckets, and whether a gradient is the reduced one.
fn reduce(
    group: &Backend,
    buckets: Buckets,
    weights: &[f64],
    gradients: &mut Gradients,
    parameters: usize,
) -> Result<(Buckets, Vec<bool>)> {
    let layouts: Vec<RowLayout> = buckets.iter().map(|(bucket, _)| (bucket.place(), bucket.share())).collect();
    let ((filled, to_add), (added, to_write)) = (channel(), channel());
    thread::scope(|scope| {
        let adding = Stage::begin(scope, "stepwell-sums", group, move || add(group, &layouts, weights, to_add, added));
        let writing = Stage::begin(scope, "stepwell-results", group, move || write(to_write, parameters));
        let filling = whole(group, || fill(group, buckets, gradients, filled));
        let (adding, written) = (adding.end(), writing.end());
        filling.and(adding).and(written)
    })
}

/// Runs a stage. If it fails, no other stage and no other process waits for its messages.
fn whole<T>(group: &Backend, stage: impl FnOnce() -> Result<T>) -> Result<T> {
    stage().inspect_err(|error| group.abort(error))
}

/// A stage on a thread of its own, or at its end if the system has no more threads.
struct Stage<'scope, T> {
    thread: Option<ScopedJoinHandle<'scope, Result<T>>>,
    work: Arc<Mutex<Option<StageWork<'scope, T>>>>,
}

type StageWork<'scope, T> = Box<dyn FnOnce() -> Result<T> + Send + 'scope>;

impl<'scope, T: Send + 'scope> Stage<'scope, T> {
    fn begin(
        scope: &'scope Scope<'scope, '_>,
        name: &str,
        group: &'scope Backend,
        work: impl FnOnce() -> Result<T> + Send + 'scope,
    ) -> Self {
        let work: StageWork<'scope, T> = Box::new(move || {
            let _guard = tch::no_grad_guard();
            whole(group, work)
        });
        let work = Arc::new(Mutex::new(Some(work)));
        let thread = {
            let work = Arc::clone(&work);
            Builder::new().name(name.to_owned()).spawn_scoped(scope, move || once(&work)).ok()
        };
        Self { thread, work }
    }

    fn end(self) -> Result<T> {
        match self.thread {
            Some(thread) => thread.join().unwrap_or_else(|_| Err(Error::new(Code::Internal, "a panic in a reduction"))),
            None => once(&self.work),
        }
    }
}

fn once<T>(work: &Mutex<Option<StageWork<'_, T>>>) -> Result<T> {
    take(work).ok_or_else(|| Error::new(Code::Internal, "a stage that has run"))?()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use stepwell_session::GroupSettings;
    use tch::{Device, Kind, Tensor};

    use super::super::bucket::{Bucket, Place};
    use super::*;

    /// More buckets than receive rows at once, of several dtypes. One has no elements, and one has fewer than there are processes.
    const LAYOUTS: [(Kind, i64); 9] = [
        (Kind::Float, 1000),
        (Kind::Double, 7),
        (Kind::Float, 0),
        (Kind::BFloat16, 33),
        (Kind::Float, 2),
        (Kind::Double, 1025),
        (Kind::Float, 1),
        (Kind::Half, 5),
        (Kind::Float, 513),
    ];
    const WEIGHTS: [f64; 3] = [0.5, 0.25, 1.0];

    /// Element i of a gradient of a process: sums of three with these weights are exact in each dtype.
    fn element(rank: usize, number: usize, i: usize) -> f64 {
        ((rank * 5 + number * 3 + i) % 16) as f64
    }

    fn exchange(rank: usize, port: u16, absent: usize) -> Exchanged {
        let (host, timeout) = ("127.0.0.1".to_owned(), Duration::from_secs(60));
        let settings = GroupSettings { rank, size: 3, host, port, timeout, hosts_store: rank == 0, interface: None };
        let group = Arc::new(Mutex::new(ProcessGroup::connect(&settings, None).unwrap()));
        let buckets = LAYOUTS.iter().enumerate().map(|(number, (kind, len))| {
            let place = Place { kind: *kind, device: Device::Cpu, has_loops: true };
            (Bucket::new(&[(place, vec![*len])], 3).unwrap(), vec![number])
        });
        let buckets = buckets.collect();
        let (sender, receiver) = channel();
        let plan = |_: &[Vec<f64>]| Some(ReductionWeights { gradients: WEIGHTS.to_vec(), buffers: Vec::new() });
        let (announced, parameters) = (vec![rank as f64], LAYOUTS.len());
        let exchange = Exchange { group, announced, weights: Box::new(plan), buckets, receiver, parameters };
        let thread = thread::spawn(move || exchange.run().unwrap());
        // In another order than the buckets.
        for (number, (kind, len)) in LAYOUTS.iter().enumerate().rev().filter(|(number, _)| *number != absent) {
            let elements: Vec<_> = (0..*len as usize).map(|i| element(rank, number, i)).collect();
            sender.send((number, Tensor::f_from_slice(&elements).unwrap().to_kind(*kind))).unwrap();
        }
        drop(sender);
        thread.join().unwrap()
    }

    #[test]
    fn each_process_gets_the_sums_of_all_buckets() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // Process 1 lacks a gradient.
        let absent = |rank| if rank == 1 { 5 } else { LAYOUTS.len() };
        let ranks: Vec<_> = (0..3).map(|rank| thread::spawn(move || exchange(rank, port, absent(rank)))).collect();
        for (rank, thread) in ranks.into_iter().enumerate() {
            let Exchanged { announced, buckets, arrived, written, .. } = thread.join().unwrap();
            assert_eq!(announced, [[0.0], [1.0], [2.0]]);
            assert_eq!(buckets.len(), LAYOUTS.len());
            for (number, (bucket, members)) in buckets.iter().enumerate() {
                assert_eq!(members, &[number]);
                let sums = Vec::<f64>::try_from(&bucket.tensor(0).unwrap().to_kind(Kind::Double)).unwrap();
                let expected: Vec<_> = (0..LAYOUTS[number].1 as usize)
                    .map(|i| {
                        let ranks = (0..3).filter(|other| number != absent(*other));
                        ranks.map(|other| WEIGHTS[other] * element(other, number, i)).sum::<f64>()
                    })
                    .collect();
                assert_eq!(sums, expected, "bucket {number} of rank {rank}");
                let is_absent = number == absent(rank);
                assert_eq!((arrived[number] < 0.0, written[number]), (is_absent, !is_absent));
            }
        }
    }
}
