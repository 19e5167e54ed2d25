//! The order of the work, and its distribution to threads.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::instruction_set::InstructionSet;
use crate::sweep::gradient_norm::GradientSquares;
use crate::sweep::program::Program;
use crate::sweep::queues::Queues;
use crate::sweep::room::Room;
use crate::sweep::shared::Shared;
use crate::sweep::unit::{PIECE, Piece, Riders, Unit};
use crate::team;
use crate::{Code, Error, Result};

/// A sum of squares for each of up to two values, of one piece; the bits of an `f64`, so that threads may share a list.
pub(super) type Sums = [AtomicU64; 2];

/// Elements of a unit from which on its two stages are shared out: several of them at once would not stay in the cache.
const SHARED: usize = 1 << 20;
/// Elements that one thread takes at a time, at most.
const BATCH: usize = 1 << 16;
/// Parts of a shared unit, about.
const MOST_PARTS: usize = 64;

/// What is done in a step, and by whom.
#[derive(Default)]
pub(super) struct Tasks {
    /// All pieces, some at a time, in any order.
    batches: Vec<Range<u32>>,
    /// Both stages of all units, in this order: a thread that is free takes the next. Empty for an optimizer with one stage.
    staged: Vec<Staged>,
    shared: Vec<Shared>,
    /// Of the batches.
    queues: Queues,
    /// Of each thread.
    rooms: Vec<Mutex<Room>>,
    /// Of the units that are shared, one after the other.
    shared_room: Room,
}

/// A part of a step in two stages.
enum Staged {
    /// Both stages of these units, one unit after the other, so that the second stage finds it in the cache.
    Whole(Range<u32>),
    /// The first stage of a part of a shared unit.
    Measure { shared: usize },
    /// The second stage of one of its parts.
    Apply { shared: usize },
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
    pub(super) fn plan(
        &mut self,
        stages: bool,
        units: &[Unit],
        pieces: &[Piece],
        elements: usize,
        threads: usize,
    ) -> Result<()> {
        let batch = (elements / (8 * threads)).clamp(PIECE, BATCH);
        self.batches.clear();
        cut(0..pieces.len(), batch, |i| pieces[i].length, |range| self.batches.push(range));
        self.queues = Queues::new(self.batches.len(), threads);
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
                self.share(start, unit, pieces, batch, threads);
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

    fn share(&mut self, index: usize, unit: &Unit, pieces: &[Piece], batch: usize, threads: usize) {
        let mut parts = Vec::new();
        // Whoever looks for a part to take may have to look at all.
        let batch = batch.max(unit.length / MOST_PARTS);
        cut(unit.piece_range(), batch, |i| pieces[i].length, |part| parts.push(usize_range(&part)));
        let shared = self.shared.len();
        self.staged.extend(parts.iter().map(|_| Staged::Measure { shared }));
        self.staged.extend(parts.iter().map(|_| Staged::Apply { shared }));
        self.shared.push(Shared::new(index, parts.into_iter(), threads, self.shared_room.updates(unit)));
    }

    /// Fills the sums with those of the squares of the prepared gradients.
    pub(super) fn measure_gradients(&self, work: Work<'_>) -> Result<()> {
        let count = self.batches.len();
        let measure = |task: usize| {
            let range = usize_range(&self.batches[task]);
            let (pieces, sums) = (&work.pieces[range.clone()], &work.sums[range]);
            work.set.run(GradientSquares { units: work.units, pieces, sums, prepare: work.riders.prepare });
        };
        match work.program.has_two_stages() {
            // Backwards: what is read last is still in the cache when the step begins with it.
            true => work.in_order(count, &|task, _| measure(count - 1 - task)),
            false => work.spread(&self.queues, &measure),
        }
    }

    /// Updates everything.
    pub(super) fn update(&self, work: Work<'_>) -> Result<()> {
        if !work.program.has_two_stages() {
            return work.spread(&self.queues, &|task| {
                let pieces = &work.pieces[usize_range(&self.batches[task])];
                // SAFETY: the units were made from this step's views, or compared with them; and each task is done by
                // one thread, once.
                unsafe { work.program.update(work.set, work.units, pieces, work.riders) };
            });
        }
        self.shared.iter().for_each(Shared::begin);
        work.in_order(self.staged.len(), &|task, thread| match &self.staged[task] {
            Staged::Whole(units) => {
                let units = &work.units[usize_range(units)];
                // SAFETY: as above.
                unsafe { work.program.update_whole(work.set, units, work.pieces, work.riders, &mut self.room(thread)) };
            }
            Staged::Measure { shared } => {
                // The room is that of the one before, until it is done with.
                if shared.checked_sub(1).is_none_or(|before| self.shared[before].wait()) {
                    self.shared[*shared].measure(thread, &work);
                }
            }
            Staged::Apply { shared } => self.shared[*shared].apply(thread, &work),
        })
    }
}

impl Work<'_> {
    /// Calls `task` with every number below `count` once, in order, and with the number of the thread that does it.
    fn in_order(&self, count: usize, task: &(dyn Fn(usize, usize) + Sync)) -> Result<()> {
        let next = AtomicUsize::new(0);
        self.run(&|thread| {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return;
                }
                task(number, thread);
            }
        })
    }

    /// Calls `task` with every number of the queues once.
    fn spread(&self, queues: &Queues, task: &(dyn Fn(usize) + Sync)) -> Result<()> {
        queues.begin();
        self.run(&|thread| {
            while let Some(number) = queues.next(thread) {
                task(number);
            }
        })
    }

    fn run(&self, job: &(dyn Fn(usize) + Sync)) -> Result<()> {
        match team::run(self.threads, job) {
            true => Ok(()),
            false => Err(Error::new(Code::Internal, "a thread of the step panicked")),
        }
    }

    /// From the sums of all pieces of the unit, in order.
    pub(super) fn factor(&self, unit: &Unit) -> f64 {
        let sums = &self.sums[unit.piece_range()];
        self.program.factor(unit, [total(sums, 0), total(sums, 1)])
    }
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
