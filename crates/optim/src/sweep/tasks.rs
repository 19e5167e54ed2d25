//! The order of the work, and its distribution to threads.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::instruction_set::InstructionSet;
use crate::sweep::gradient_norm::GradientSquares;
use crate::sweep::program::Program;
use crate::sweep::room::{Room, Updates};
use crate::sweep::unit::{PIECE, Piece, Riders, Unit};
use crate::team::{self, Patience};
use crate::{Code, Error, Result};

/// A sum of squares for each of up to two values, of one piece; the bits of an `f64`, so that threads may share a list.
pub(super) type Sums = [AtomicU64; 2];

/// Elements of a unit from which on its two stages are shared out: several of them at once would not stay in the cache.
const SHARED: usize = 1 << 20;
/// Elements that one thread takes at a time, at most.
const BATCH: usize = 1 << 16;

/// What is done, in this order: a thread that is free takes the next.
#[derive(Default)]
pub(super) struct Tasks {
    /// All pieces, some at a time.
    batches: Vec<Range<u32>>,
    /// Both stages of all units. Empty for an optimizer with one.
    staged: Vec<Staged>,
    shared: Vec<Shared>,
    /// Of each thread.
    rooms: Vec<Mutex<Room>>,
    /// Of the units that are shared, one after the other.
    shared_room: Room,
}

/// A part of a step in two stages.
enum Staged {
    /// Both stages of these units, one unit after the other, so that the second stage finds it in the cache.
    Whole(Range<u32>),
    /// The first stage of some pieces.
    Measure { shared: usize, pieces: Range<u32> },
    /// The second stage of some pieces.
    Apply { shared: usize, pieces: Range<u32> },
}

/// A unit of which each thread takes some pieces.
struct Shared {
    unit: u32,
    /// Parts of the first stage that are not finished, and one more until the factor is there.
    open: AtomicU32,
    parts: u32,
    /// The bits of the factor.
    factor: AtomicU64,
    /// Parts of the second stage that are not finished.
    unapplied: AtomicU32,
    updates: Option<Updates>,
}

/// What all threads of a step read.
#[derive(Clone, Copy)]
pub(super) struct Work<'a> {
    pub(super) program: &'a dyn Program,
    pub(super) units: &'a [Unit],
    pub(super) pieces: &'a [Piece],
    pub(super) sums: &'a [Sums],
    pub(super) riders: Riders,
    pub(super) threads: usize,
    pub(super) set: InstructionSet,
}

impl Tasks {
    /// Makes the lists anew.
    pub(super) fn plan(&mut self, stages: bool, units: &[Unit], pieces: &[Piece], threads: usize) -> Result<()> {
        let elements: usize = pieces.iter().map(|piece| piece.length).sum();
        let batch = (elements / (8 * threads)).clamp(PIECE, BATCH);
        self.batches.clear();
        cut(0..pieces.len(), batch, |i| pieces[i].length, |range| self.batches.push(range));
        self.staged.clear();
        self.shared.clear();
        if !stages {
            return Ok(());
        }
        self.rooms.resize_with(threads, Mutex::default);
        // A unit that would keep one thread busy while the others have nothing left is shared, too.
        let shared = |unit: &Unit| unit.length > SHARED || (threads > 1 && unit.length > elements / (2 * threads));
        let (mut own, mut common) = ([0; 2], [0; 2]);
        for unit in units.iter().filter(|unit| unit.keeps_updates()) {
            let rooms = if shared(unit) { &mut common } else { &mut own };
            let room = &mut rooms[usize::from(unit.is_double())];
            *room = unit.length.max(*room);
        }
        self.shared_room.reserve(common)?;
        for room in &mut self.rooms {
            room.get_mut().unwrap_or_else(PoisonError::into_inner).reserve(own)?;
        }
        let mut start = 0;
        while start < units.len() {
            let unit = &units[start];
            if shared(unit) {
                self.share(start, unit, pieces, batch);
                start += 1;
                continue;
            }
            let end = units[start..].iter().position(shared).map_or(units.len(), |count| start + count);
            cut(start..end, batch, |i| units[i].length, |range| self.staged.push(Staged::Whole(range)));
            start = end;
        }
        Ok(())
    }

    /// The room of a thread. Nobody else has it, and no work leaves it half done.
    fn room(&self, thread: usize) -> MutexGuard<'_, Room> {
        self.rooms[thread].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn share(&mut self, index: usize, unit: &Unit, pieces: &[Piece], batch: usize) {
        let mut parts = Vec::new();
        cut(unit.piece_range(), batch, |i| pieces[i].length, |part| parts.push(part));
        let shared = self.shared.len();
        self.staged.extend(parts.iter().map(|pieces| Staged::Measure { shared, pieces: pieces.clone() }));
        // Backwards: what was measured last is still in the cache.
        self.staged.extend(parts.iter().rev().map(|pieces| Staged::Apply { shared, pieces: pieces.clone() }));
        self.shared.push(Shared {
            unit: index as u32,
            open: AtomicU32::new(0),
            parts: parts.len() as u32,
            factor: AtomicU64::new(0),
            unapplied: AtomicU32::new(0),
            updates: self.shared_room.updates(unit),
        });
    }

    /// Fills the sums with those of the squares of the prepared gradients.
    pub(super) fn measure_gradients(&self, work: Work<'_>) -> Result<()> {
        let count = self.batches.len();
        work.share_out(count, &|task, _| {
            // Backwards: what is read last is still in the cache when the step begins with it.
            let range = usize_range(&self.batches[count - 1 - task]);
            let (pieces, sums) = (&work.pieces[range.clone()], &work.sums[range]);
            work.set.run(GradientSquares { units: work.units, pieces, sums, prepare: work.riders.prepare });
        })
    }

    /// Updates everything.
    pub(super) fn update(&self, work: Work<'_>) -> Result<()> {
        if !work.program.has_two_stages() {
            return work.share_out(self.batches.len(), &|task, _| {
                let pieces = &work.pieces[usize_range(&self.batches[task])];
                // SAFETY: the units were made from this step's views, or compared with them; and each task is done by
                // one thread, once.
                unsafe { work.program.update(work.set, work.units, pieces, work.riders) };
            });
        }
        for shared in &self.shared {
            shared.open.store(shared.parts + 1, Ordering::Relaxed);
            shared.unapplied.store(shared.parts, Ordering::Relaxed);
        }
        work.share_out(self.staged.len(), &|task, thread| match &self.staged[task] {
            Staged::Whole(units) => {
                let units = &work.units[usize_range(units)];
                // SAFETY: as above.
                unsafe { work.program.update_whole(work.set, units, work.pieces, work.riders, &mut self.room(thread)) };
            }
            Staged::Measure { shared, pieces } => {
                // The room is that of the one before, until it is done with.
                if let Some(before) = shared.checked_sub(1).and_then(|before| self.shared.get(before))
                    && !wait(&before.unapplied)
                {
                    return;
                }
                let Shared { unit, open, factor, updates, .. } = &self.shared[*shared];
                let unit = &work.units[*unit as usize];
                work.measure(unit, usize_range(pieces), *updates);
                if open.fetch_sub(1, Ordering::AcqRel) == 2 {
                    factor.store(work.factor(unit).to_bits(), Ordering::Relaxed);
                    open.store(0, Ordering::Release);
                }
            }
            Staged::Apply { shared, pieces } => {
                let Shared { unit, open, factor, unapplied, updates, .. } = &self.shared[*shared];
                if !wait(open) {
                    return;
                }
                let factor = f64::from_bits(factor.load(Ordering::Relaxed));
                work.apply(&work.units[*unit as usize], usize_range(pieces), factor, *updates);
                unapplied.fetch_sub(1, Ordering::Release);
            }
        })
    }
}

impl Work<'_> {
    /// Calls `task` with every number below `count` once, and with the number of the thread that does it.
    fn share_out(&self, count: usize, task: &(dyn Fn(usize, usize) + Sync)) -> Result<()> {
        let next = AtomicUsize::new(0);
        let done = team::run(self.threads, &|thread| {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return;
                }
                task(number, thread);
            }
        });
        if done { Ok(()) } else { Err(Error::new(Code::Internal, "a thread of the step panicked")) }
    }

    fn measure(&self, unit: &Unit, range: Range<usize>, updates: Option<Updates>) {
        let (pieces, sums) = (&self.pieces[range.clone()], &self.sums[range]);
        // SAFETY: as in `Tasks::update`.
        unsafe { self.program.measure(self.set, unit, pieces, sums, self.riders, updates) };
    }

    fn apply(&self, unit: &Unit, range: Range<usize>, factor: f64, updates: Option<Updates>) {
        // SAFETY: as in `Tasks::update`.
        unsafe { self.program.apply(self.set, unit, &self.pieces[range], factor, updates) };
    }

    /// From the sums of all pieces of the unit, in order.
    fn factor(&self, unit: &Unit) -> f64 {
        let sums = &self.sums[unit.piece_range()];
        self.program.factor(unit, [total(sums, 0), total(sums, 1)])
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

/// The sum of one value over all pieces, in order.
pub(super) fn total(sums: &[Sums], value: usize) -> f64 {
    sums.iter().fold(0.0, |sum, sums| sum + f64::from_bits(sums[value].load(Ordering::Relaxed)))
}

fn usize_range(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}

/// Cuts a range into parts of at least `least` elements, the last one excepted.
fn cut(range: Range<usize>, least: usize, length: impl Fn(usize) -> usize, mut part: impl FnMut(Range<u32>)) {
    let (mut start, mut elements) = (range.start, 0);
    for i in range.clone() {
        elements += length(i);
        if elements >= least || i + 1 == range.end {
            part(start as u32..i as u32 + 1);
            (start, elements) = (i + 1, 0);
        }
    }
}
