//! The work of the thread of a reduction.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};

use stepwell_distributed::{ProcessGroup, Work};
use stepwell_optim::{Code, Error, Result};
use stepwell_session::{ReductionPlan, ReductionWeights};

use super::arrivals::owns_memory;
use super::bucket::{Bucket, Received};
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
        let announced = gather(group.size(), &announced, |to, from| group.all_gather(to, from))?;
        let weights = weights(&announced);
        let (mut arrived, mut written) = (vec![ABSENT; pending.len()], vec![false; pending.len()]);
        let mut arrivals = receiver.into_iter().zip(0u32..);
        let mut received = [Received::default(), Received::default()];
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
            // The sums of a bucket come back while the next one is sent: a network carries both at once, and neither waits for processors.
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
                let sent = bucket.send(group.agreed(), &mut received[number % 2])?;
                if let Some(before) = returning.take() {
                    write(before, &mut pending)?;
                }
                returning = Some((bucket, members.as_slice(), bucket.add(group.agreed(), sent, &weights.gradients)?));
            }
            if let Some(last) = returning {
                write(last, &mut pending)?;
            }
        }
        for ((other, _), number) in arrivals {
            arrived[other] = f64::from(number);
        }
        Ok(Exchanged { announced, weights, buckets, arrived, written })
    }
}
