//! Units of an optimizer with two stages that are too large for one thread: each thread takes some parts of each.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::error::Result;
use crate::fallible::{push_checked, reserve};
use crate::sweep::chunk::{CHUNK_LEN, cut};
use crate::sweep::context::Work;
use crate::sweep::param_tensor::ParamTensor;
use crate::sweep::stealing_ranges::Queues;
use crate::sweep::update_buffer::Room;
use crate::thread_pool;
use crate::thread_pool::Patience;

/// Legs: in each, one tensor is in its first stage, and the one before it in its second.
#[derive(Default)]
pub(super) struct Relay {
    legs: Vec<Leg>,
    room: Room,
}

struct Leg {
    second: Option<usize>,
    first: Option<usize>,
    /// Which chunks of both.
    parts: Vec<Range<usize>>,
    queues: Queues,
    /// Parts that are not finished, and one more until the factor is there.
    left: AtomicU32,
    /// The bits of the factor of the tensor in its first stage.
    factor: AtomicU64,
}

impl Relay {
    /// For these tensors, in this order.
    pub(super) fn plan(
        &mut self,
        order: &[usize],
        tensors: &[ParamTensor],
        batch: usize,
        threads: usize,
    ) -> Result<()> {
        self.room.reserve(order.iter().map(|tensor| &tensors[*tensor]))?;
        self.legs.clear();
        reserve(&mut self.legs, order.len() + 1)?;
        for leg in 0..=order.len() {
            let (second, first) = (leg.checked_sub(1).map(|before| order[before]), order.get(leg).copied());
            let count = second.iter().chain(&first).map(|tensor| tensors[*tensor].chunk_range().len()).max();
            let Some(count) = count else { return Ok(()) };
            let mut parts = Vec::new();
            cut(0..count, batch, |_| CHUNK_LEN, |part| push_checked(&mut parts, part))?;
            let queues = Queues::new(parts.len(), threads)?;
            let (left, factor) = Default::default();
            self.legs.push(Leg { second, first, parts, queues, left, factor });
        }
        Ok(())
    }

    /// Once the buffers of the tensors are there.
    pub(super) fn aim(&mut self, tensors: &[ParamTensor]) {
        let Self { legs, room } = self;
        room.aim(legs.iter().filter_map(|leg| leg.first).map(|tensor| &tensors[tensor]));
    }

    /// Before a step.
    pub(super) fn begin(&self) {
        for leg in &self.legs {
            leg.queues.begin();
            leg.left.store(leg.parts.len() as u32 + 1, Ordering::Relaxed);
        }
    }

    /// The share of a thread.
    pub(super) fn run(&self, thread: usize, work: &Work<'_>) {
        let mut factor = 0.0;
        for (index, leg) in self.legs.iter().enumerate() {
            if let Some(before) = index.checked_sub(1).map(|before| &self.legs[before]) {
                if !before.wait() {
                    return;
                }
                factor = f64::from_bits(before.factor.load(Ordering::Relaxed));
            }
            while let Some(part) = leg.queues.next(thread).and_then(|part| leg.parts.get(part)) {
                let first = leg.first.map(|tensor| work.first(tensor, part, &self.room));
                let second = leg.second.map(|tensor| work.second(tensor, part, factor, &self.room));
                // SAFETY: as in `Tasks::update`; only this thread has taken the part, and the room there is of these chunks.
                unsafe { work.program.pass(work.set, second, first, work.gradient_ops) };
                leg.finished(work);
            }
        }
    }
}

impl Leg {
    /// A part is done. Whoever does the last one computes the factor.
    fn finished(&self, work: &Work<'_>) {
        if self.left.fetch_sub(1, Ordering::AcqRel) != 2 {
            return;
        }
        if let Some(tensor) = self.first {
            self.factor.store(work.factor(&work.tensors[tensor]).to_bits(), Ordering::Relaxed);
        }
        self.left.store(0, Ordering::Release);
    }

    /// Waits until nothing is left. `false` if it never will be, since a thread panicked.
    fn wait(&self) -> bool {
        let mut patience = Patience::default();
        while self.left.load(Ordering::Acquire) != 0 {
            if thread_pool::panicked() {
                return false;
            }
            patience.wait();
        }
        true
    }
}
