//! A unit of an optimizer with two stages of which each thread takes some parts.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::sweep::queues::Queues;
use crate::sweep::room::Updates;
use crate::sweep::tasks::Work;
use crate::team::{self, Patience};

/// See above. Each call of [`Shared::measure`] does the first stage of a part; then each of [`Shared::apply`] the second.
pub(super) struct Shared {
    unit: usize,
    parts: Vec<Part>,
    queues: Queues,
    updates: Option<Updates>,
    /// Parts of the first stage that are not finished, and one more until the factor is there.
    unmeasured: AtomicU32,
    /// Parts of the second stage that are not finished.
    unapplied: AtomicU32,
    /// The bits of the factor.
    factor: AtomicU64,
}

struct Part {
    pieces: Range<usize>,
    /// The thread that did the first stage, or [`TAKEN`].
    thread: AtomicU32,
}

/// The second stage of a part is somebody's.
const TAKEN: u32 = u32::MAX;

impl Shared {
    pub(super) fn new(
        unit: usize,
        parts: impl Iterator<Item = Range<usize>>,
        threads: usize,
        updates: Option<Updates>,
    ) -> Self {
        let parts: Vec<_> = parts.map(|pieces| Part { pieces, thread: AtomicU32::new(TAKEN) }).collect();
        let queues = Queues::new(parts.len(), threads);
        let (unmeasured, unapplied, factor) = Default::default();
        Self { unit, parts, queues, updates, unmeasured, unapplied, factor }
    }

    /// Before a step.
    pub(super) fn begin(&self) {
        let parts = self.parts.len() as u32;
        self.queues.begin();
        self.unmeasured.store(parts + 1, Ordering::Relaxed);
        self.unapplied.store(parts, Ordering::Relaxed);
    }

    /// Waits until both stages are over. `false` if they never will be.
    pub(super) fn wait(&self) -> bool {
        wait(&self.unapplied)
    }

    /// The first stage of a part.
    pub(super) fn measure(&self, thread: usize, work: &Work<'_>) {
        let Some(part) = self.queues.next(thread).and_then(|part| self.parts.get(part)) else { return };
        let unit = &work.units[self.unit];
        let (pieces, sums) = (&work.pieces[part.pieces.clone()], &work.sums[part.pieces.clone()]);
        // SAFETY: as in `Tasks::update`; and the room is the unit's until its second stage is over.
        unsafe { work.program.measure(work.set, unit, pieces, sums, work.riders, self.updates) };
        part.thread.store(thread as u32, Ordering::Relaxed);
        if self.unmeasured.fetch_sub(1, Ordering::AcqRel) == 2 {
            self.factor.store(work.factor(unit).to_bits(), Ordering::Relaxed);
            self.unmeasured.store(0, Ordering::Release);
        }
    }

    /// The second stage of a part, once the first of all is over.
    pub(super) fn apply(&self, thread: usize, work: &Work<'_>) {
        if !wait(&self.unmeasured) {
            return;
        }
        let Some(part) = self.take(thread as u32) else { return };
        let factor = f64::from_bits(self.factor.load(Ordering::Relaxed));
        let pieces = &work.pieces[part.pieces.clone()];
        // SAFETY: as above; only this thread has taken the part.
        unsafe { work.program.apply(work.set, &work.units[self.unit], pieces, factor, self.updates) };
        self.unapplied.fetch_sub(1, Ordering::Release);
    }

    /// The part that this thread measured last, which its core still has in its cache; or else anybody's.
    fn take(&self, thread: u32) -> Option<&Part> {
        let take = |part: &&Part, of: u32| {
            of != TAKEN && part.thread.compare_exchange(of, TAKEN, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        };
        let mut last_first = self.parts.iter().rev();
        last_first.find(|part| take(part, thread)).or_else(|| {
            let mut all = self.parts.iter().rev();
            all.find(|part| take(part, part.thread.load(Ordering::Relaxed)))
        })
    }
}

/// Waits until nothing is left. `false` if it never will, since a thread panicked.
fn wait(left: &AtomicU32) -> bool {
    let mut patience = Patience::default();
    while left.load(Ordering::Acquire) != 0 {
        if team::panicked() {
            return false;
        }
        patience.wait();
    }
    true
}
