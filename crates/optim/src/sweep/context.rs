//! What all threads of a step read.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Code, Error, Result};
use crate::instruction_set::InstructionSet;
use crate::sweep::chunk::{Piece, Riders, Sums, total, within};
use crate::sweep::erased_rule::Program;
use crate::sweep::param_tensor::Unit;
use crate::sweep::two_stages::{First, Second};
use crate::sweep::update_buffer::Room;
use crate::thread_pool;

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

impl<'a> Work<'a> {
    /// The first stage of those pieces of a unit that the range has.
    pub(super) fn first(&self, unit: usize, part: &Range<usize>, room: &Room) -> First<'a> {
        let unit = &self.units[unit];
        let (pieces, sums) = (&self.pieces[unit.piece_range()], &self.sums[unit.piece_range()]);
        First { unit, pieces: within(pieces, part), sums: within(sums, part), updates: room.updates(unit) }
    }

    /// The second stage of the same.
    pub(super) fn second(&self, unit: usize, part: &Range<usize>, factor: f64, room: &Room) -> Second<'a> {
        let unit = &self.units[unit];
        let pieces = within(&self.pieces[unit.piece_range()], part);
        Second { unit, pieces, factor, updates: room.updates(unit) }
    }

    /// Calls `task` with every number below `count` once, in order.
    pub(super) fn in_order(&self, count: usize, task: &(dyn Fn(usize) + Sync)) -> Result<()> {
        let next = AtomicUsize::new(0);
        self.run(&|_| {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return;
                }
                task(number);
            }
        })
    }

    pub(super) fn run(&self, job: &(dyn Fn(usize) + Sync)) -> Result<()> {
        match thread_pool::run(self.threads, job) {
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
