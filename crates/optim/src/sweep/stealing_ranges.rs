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
    own: Range<usize>,
    next: AtomicUsize,
}

impl StealingRanges {
    /// Divides the indices below `count` among the threads.
    ///
    /// # Errors
    /// [`Code::Memory`](crate::Code::Memory)
    pub(super) fn new(count: usize, threads: usize) -> Result<Self> {
        let start = |thread: usize| thread * count / threads;
        let range = |thread| StealingRange { own: start(thread)..start(thread + 1), next: AtomicUsize::new(0) };
        collected((0..threads).map(range)).map(Self)
    }

    /// Resets the ranges; called before each step.
    pub(super) fn reset(&self) {
        self.0.iter().for_each(|range| range.next.store(range.own.start, Ordering::Relaxed));
    }

    /// The next index for a thread.
    pub(super) fn next(&self, thread: usize) -> Option<usize> {
        let (before, after) = self.0.split_at(thread.min(self.0.len()));
        after.iter().chain(before).find_map(|range| {
            // A plain load first, since most threads find most ranges empty at the end.
            let has_more = range.next.load(Ordering::Relaxed) < range.own.end;
            let number = if has_more { range.next.fetch_add(1, Ordering::Relaxed) } else { range.own.end };
            (number < range.own.end).then_some(number)
        })
    }
}
