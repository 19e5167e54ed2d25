//! Distribution of independent tasks to threads, with stealing.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::Result;
use crate::fallible::collected;

/// Indices that are handed out once each in a step. Each thread starts with its own range, which is the same in every
/// step, so that its data may still be in its cache. Then it steals from the others.
#[derive(Default)]
pub(super) struct StealingRanges(Vec<StealingRange>);

/// The range of one thread, on its own cache line.
#[repr(align(64))]
struct StealingRange {
    share: Range<usize>,
    next: AtomicUsize,
}

impl StealingRanges {
    /// Divides the indices below `count` among the threads.
    ///
    /// # Errors
    /// [`Code::Memory`](crate::Code::Memory)
    pub(super) fn new(count: usize, threads: usize) -> Result<Self> {
        let start = |thread: usize| thread * count / threads;
        let queue = |thread| StealingRange { share: start(thread)..start(thread + 1), next: AtomicUsize::new(0) };
        collected((0..threads).map(queue)).map(Self)
    }

    /// Resets the ranges; called before each step.
    pub(super) fn begin(&self) {
        self.0.iter().for_each(|queue| queue.next.store(queue.share.start, Ordering::Relaxed));
    }

    /// The next index for a thread.
    pub(super) fn next(&self, thread: usize) -> Option<usize> {
        let (before, after) = self.0.split_at(thread.min(self.0.len()));
        after.iter().chain(before).find_map(|queue| {
            // A plain load first, since most threads find most ranges empty at the end.
            let left = queue.next.load(Ordering::Relaxed) < queue.share.end;
            let number = if left { queue.next.fetch_add(1, Ordering::Relaxed) } else { queue.share.end };
            (number < queue.share.end).then_some(number)
        })
    }
}
