//! The work of the thread of a reduction.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};

use stepwell_distributed::{Backend, ProcessGroup, Work};
use stepwell_optim::{Code, Error, Result};
use stepwell_session::{ReductionPlan, ReductionWeights};

use super::arrivals::owns_memory;
use super::bucket::{Bucket, Received, Rows};
use super::numbers::{ABSENT, gather, lock};

/// The position of a parameter, and its gradient.
pub(super) type Arrival = (usize, tch::Tensor);

/// The input of the thread.
pub(super) struct Exchange {
    pub(super) group: Arc<Mutex<ProcessGroup>>,
    pub(super) announced: Vec<f64>,
    pub(super) weights: Box<ReductionPlan>,
    /// With the positions of their parameters.
    pub(super) buckets: Vec<(Bucket, Vec<usize>)>,
    /// Ends after the backward.
    pub(super) receiver: Receiver<Arrival>,
    /// The gradients that have arrived and are not reduced.
    pub(super) pending: Vec<Option<tch::Tensor>>,
}

/// The result of the thread.
pub(super) struct Exchanged {
    pub(super) announced: Vec<Vec<f64>>,
    /// `None` if the processes have not reduced gradients.
    pub(super) weights: Option<ReductionWeights>,
    pub(super) buckets: Vec<(Bucket, Vec<usize>)>,
    /// The number of the arrival of each gradient, or [`ABSENT`].
    pub(super) arrived: Vec<f64>,
    /// Whether a gradient is the reduced one.
    pub(super) written: Vec<bool>,
}

/// A bucket with the positions of its parameters, whose rows are on their way.
type Sent<'a> = (&'a Bucket, &'a [usize], Option<Rows<'a>>);
/// A bucket with the positions of its parameters, whose sums are on their way.
type Returning<'a> = (&'a Bucket, &'a [usize], Option<Work<'a>>);

/// Makes an exchange, once.
pub(super) fn run(exchange: &Mutex<Option<Exchange>>) -> Result<Exchanged> {
    let exchange = exchange.lock().unwrap_or_else(PoisonError::into_inner).take();
    exchange.ok_or_else(|| Error::new(Code::Internal, "an exchange that has been made"))?.run()
}

impl Exchange {
    fn run(self) -> Result<Exchanged> {
        let _guard = tch::no_grad_guard();
        let Self { group, announced, weights, buckets, receiver, mut pending } = self;
        let group = lock(&group);
        let announced = gather(group.size(), &announced, |to, from| group.gather_numbers(to, from))?;
        let weights = weights(&announced);
        let (mut arrived, mut written) = (vec![ABSENT; pending.len()], vec![false; pending.len()]);
        let mut arrivals = receiver.into_iter().zip(0u32..);
        let mut received: [Received; 3] = Default::default();
        let mut write = |(bucket, members, work): Returning<'_>, pending: &mut [Option<tch::Tensor>]| -> Result<()> {
            if let Some(work) = work {
                work.wait()?;
            }
            for (index, position) in members.iter().enumerate() {
                // A gradient may share its memory with one that the backward still reads. Such a one is written afterwards.
                if let Some(gradient) = pending[*position].take().filter(owns_memory) {
                    // SAFETY: the gradient is its only tensor, and the backward has accumulated it.
                    written[*position] = unsafe { bucket.write(index, &gradient)? };
                }
            }
            Ok(())
        };
        if let Some(weights) = &weights {
            // The next bucket is sent before a bucket is added, and its sums come back while the one after it is sent. So the network
            // does not wait for processors. Each process starts these operations in the same order.
            let mut sent: Option<Sent<'_>> = None;
            let mut returning: Option<Returning<'_>> = None;
            for (number, (bucket, members)) in buckets.iter().enumerate() {
                for (index, position) in members.iter().enumerate() {
                    while pending[*position].is_none()
                        && let Some(((other, gradient), number)) = arrivals.next()
                    {
                        arrived[other] = f64::from(number);
                        pending[other] = Some(gradient);
                    }
                    bucket.fill(index, pending[*position].as_ref())?;
                }
                let next = bucket.send(group.agreed(), &mut received[number % 3])?;
                if let Some(before) = sent.replace((bucket, members.as_slice(), next)) {
                    let added = add(group.agreed(), before, weights)?;
                    if let Some(before) = returning.replace(added) {
                        write(before, &mut pending)?;
                    }
                }
            }
            if let Some(last) = sent {
                let added = add(group.agreed(), last, weights)?;
                returning.into_iter().chain([added]).try_for_each(|bucket| write(bucket, &mut pending))?;
            }
        }
        for ((other, _), number) in arrivals {
            arrived[other] = f64::from(number);
        }
        Ok(Exchanged { announced, weights, buckets, arrived, written })
    }
}

/// Adds the rows of a bucket, and starts to send the sums back.
fn add<'a>(group: &'a Backend, (bucket, members, rows): Sent<'a>, weights: &ReductionWeights) -> Result<Returning<'a>> {
    Ok((bucket, members, bucket.add(group, rows, &weights.gradients)?))
}
