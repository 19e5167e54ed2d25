//! Who does what, where the order is of no matter.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::Result;
use crate::fallible::collected;

/// Numbers to be handed out once each in a step. Every thread has a share of its own, which is the same in every step, so
/// that it may find in its cache what it left there; then it helps the others.
#[derive(Default)]
pub(super) struct StealingRanges(Vec<StealingRange>);

/// A share, on a cache line of its own.
#[repr(align(64))]
struct StealingRange {
    share: Range<usize>,
    next: AtomicUsize,
}

impl StealingRanges {
    /// For the numbers below `count`.
    ///
    /// # Errors
    /// [`Code::Memory`](crate::Code::Memory)
    pub(super) fn new(count: usize, threads: usize) -> Result<Self> {
        let start = |thread: usize| thread * count / threads;
        let queue = |thread| StealingRange { share: start(thread)..start(thread + 1), next: AtomicUsize::new(0) };
        collected((0..threads).map(queue)).map(Self)
    }

    /// Before a step.
    pub(super) fn begin(&self) {
        self.0.iter().for_each(|queue| queue.next.store(queue.share.start, Ordering::Relaxed));
    }

    /// The next number for a thread.
    pub(super) fn next(&self, thread: usize) -> Option<usize> {
        let (before, after) = self.0.split_at(thread.min(self.0.len()));
        after.iter().chain(before).find_map(|queue| {
            // Only looked at where nothing is left, which is what most threads find at the end.
            let left = queue.next.load(Ordering::Relaxed) < queue.share.end;
            let number = if left { queue.next.fetch_add(1, Ordering::Relaxed) } else { queue.share.end };
            (number < queue.share.end).then_some(number)
        })
    }
}
