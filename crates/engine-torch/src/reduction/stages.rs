//! The stages of an exchange. A bucket goes from one to the next; each stage has a thread of its own, and takes all buckets in their order.
//!
//! A bucket is filled with gradients, and each process gets the row that it adds. It adds the rows, and sends the sums to the others. Then the sums
//! take the place of the gradients. Messages have tags, so no stage waits for another one's messages.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender};

use stepwell_distributed::{Backend, Message};
use stepwell_optim::{Code, Error, Result};

use super::arrivals::{Arrival, owns_memory};
use super::bucket::{Bucket, Place, Received};
use super::numbers::ABSENT;

/// The memory for rows: this many buckets receive rows at once. A sum needs no memory of its own.
const AHEAD: usize = 4;

/// Buckets with the positions of their parameters.
pub(super) type Buckets = Vec<(Bucket, Vec<usize>)>;

/// A bucket between two stages.
pub(super) struct InFlight<'a> {
    bucket: Bucket,
    /// The positions of its parameters, and their gradients.
    members: Vec<usize>,
    gradients: Vec<Option<tch::Tensor>>,
    /// The rows that this process sends, and the sums that it sends and receives.
    messages: Vec<Message<'a>>,
}

/// The gradients that a backward computes, by the positions of their parameters.
pub(super) struct Gradients {
    /// Ends after the backward.
    arrivals: Receiver<Arrival>,
    pending: Vec<Option<tch::Tensor>>,
    /// The number of the arrival of each gradient, or [`ABSENT`].
    arrived: Vec<f64>,
    count: u32,
}

impl Gradients {
    pub(super) fn new(arrivals: Receiver<Arrival>, parameters: usize) -> Self {
        let pending = (0..parameters).map(|_| None).collect();
        Self { arrivals, pending, arrived: vec![ABSENT; parameters], count: 0 }
    }

    /// Takes the next gradient. False after the last one.
    fn next(&mut self) -> bool {
        let Ok((position, gradient)) = self.arrivals.recv() else { return false };
        self.arrived[position] = f64::from(self.count);
        self.pending[position] = Some(gradient);
        self.count += 1;
        true
    }

    /// Waits for the gradient of a parameter. `None` if the backward has ended without it.
    fn take(&mut self, position: usize) -> Option<tch::Tensor> {
        while self.pending[position].is_none() && self.next() {}
        self.pending[position].take()
    }

    /// Waits for the end of the backward.
    pub(super) fn arrived(mut self) -> Vec<f64> {
        while self.next() {}
        self.arrived
    }
}

/// The first stage.
pub(super) fn fill<'a>(
    group: &'a Backend,
    buckets: Buckets,
    gradients: &mut Gradients,
    filled: Sender<InFlight<'a>>,
) -> Result<()> {
    for (number, (bucket, members)) in buckets.into_iter().enumerate() {
        let mut own = Vec::with_capacity(members.len());
        for (index, position) in members.iter().enumerate() {
            let gradient = gradients.take(*position);
            bucket.fill(index, gradient.as_ref())?;
            own.push(gradient);
        }
        let mut messages = Vec::new();
        for other in group.others().filter(|_| bucket.share() > 0) {
            let row = bucket.row(other)?;
            // The sums arrive after the other process has received the row. So they may have its memory.
            messages.push(group.receive(&row, other, sums(number))?);
            messages.push(group.send(&row, other, rows(number))?);
        }
        if filled.send(InFlight { bucket, members, gradients: own, messages }).is_err() {
            // The next stage has failed.
            break;
        }
    }
    Ok(())
}

/// Rows of a bucket, which other processes send.
struct Rows<'a> {
    /// In the order of the ranks. Nothing is received for this process.
    rows: Vec<tch::Tensor>,
    messages: Vec<Message<'a>>,
}

/// Place and length of the rows of a bucket.
pub(super) type RowLayout = (Place, usize);

fn receive<'a>(
    group: &'a Backend,
    number: usize,
    (place, share): RowLayout,
    memory: &mut Received,
) -> Result<Rows<'a>> {
    let received = memory.rows(place, group.size(), share)?;
    let others = group.others().filter(|_| share > 0);
    let messages = others.map(|other| group.receive(&received[other], other, rows(number)));
    Ok(Rows { messages: messages.collect::<Result<_>>()?, rows: received })
}

/// The second stage.
pub(super) fn add<'a>(
    group: &'a Backend,
    layouts: &[RowLayout],
    weights: &[f64],
    filled: Receiver<InFlight<'a>>,
    added: Sender<InFlight<'a>>,
) -> Result<()> {
    let mut memory: [Received; AHEAD] = Default::default();
    let mut coming = layouts.iter().enumerate();
    let mut ahead = VecDeque::with_capacity(AHEAD);
    for (memory, (number, layout)) in memory.iter_mut().zip(coming.by_ref()) {
        ahead.push_back(receive(group, number, *layout, memory)?);
    }
    for (number, mut one) in filled.into_iter().enumerate() {
        let Some(Rows { rows: mut received, messages }) = ahead.pop_front() else {
            return Err(Error::new(Code::Internal, "a bucket without rows"));
        };
        messages.into_iter().try_for_each(Message::wait)?;
        if one.bucket.share() > 0 {
            let own = group.rank();
            received[own] = one.bucket.row(own)?;
            one.bucket.add(&received, &received[own], weights)?;
            for other in group.others() {
                one.messages.push(group.send(&received[own], other, sums(number))?);
            }
        }
        if let Some((next, layout)) = coming.next() {
            ahead.push_back(receive(group, next, *layout, &mut memory[next % AHEAD])?);
        }
        if added.send(one).is_err() {
            // The next stage has failed.
            break;
        }
    }
    Ok(())
}

/// The last stage. Returns the buckets, and whether a gradient is the reduced one.
pub(super) fn write(added: Receiver<InFlight<'_>>, parameters: usize) -> Result<(Buckets, Vec<bool>)> {
    let (mut buckets, mut written) = (Vec::new(), vec![false; parameters]);
    for InFlight { bucket, members, gradients, messages } in added {
        messages.into_iter().try_for_each(Message::wait)?;
        for (index, (position, gradient)) in members.iter().zip(gradients).enumerate() {
            // A gradient may share its memory with one that the backward still reads. Such a one is written afterwards.
            if let Some(gradient) = gradient.filter(owns_memory) {
                // SAFETY: the gradient is its only tensor, and the backward has accumulated it.
                written[*position] = unsafe { bucket.write(index, &gradient)? };
            }
        }
        buckets.push((bucket, members));
    }
    Ok((buckets, written))
}

/// The tag of the rows of a bucket.
fn rows(number: usize) -> u32 {
    2 * number as u32
}

/// The tag of the sums of a bucket.
fn sums(number: usize) -> u32 {
    rows(number) + 1
}
