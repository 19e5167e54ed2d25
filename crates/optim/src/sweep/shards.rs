//! The owners of the parameters of an optimizer whose state several processes share.

use std::cmp::Reverse;
use std::ops::Range;

use crate::error::Result;
use crate::sweep::chunk::CHUNK_LEN;

/// The owners of parameters. Each process has the state of its parts alone, and makes their steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shards {
    rank: usize,
    /// The parts of each parameter, one after the other.
    parts: Vec<Vec<Part>>,
    /// The most chunks that one process owns.
    pub(super) most_chunks: usize,
}

/// Consecutive elements of a parameter, which belong to one process. They begin with a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The rank of the process.
    pub owner: usize,
    /// The indices of the elements.
    pub range: Range<usize>,
}

impl Part {
    pub(super) fn chunks(&self) -> usize {
        self.range.len().div_ceil(CHUNK_LEN)
    }
}

/// Gives numbers to all processes, and returns the numbers of each, by rank. As many on each process.
pub type Gather<'a> = dyn Fn(&[f64]) -> Result<Vec<Vec<f64>>> + 'a;

/// The processes that share a step.
#[derive(Clone, Copy)]
pub struct Peers<'a> {
    /// The owners of the parameters, the same on all processes.
    pub shards: &'a Shards,
    /// How they exchange numbers.
    pub gather: &'a Gather<'a>,
}

impl Shards {
    /// Gives each part, the largest first, to the process that has the fewest elements so far. Parameters have a number of elements, and
    /// whether they are trained. Frozen ones come last, since they have no state. A parameter is one part, except one that is larger than the share
    /// of a process, if `splits` is true.
    pub fn new(rank: usize, size: usize, parameters: &[(usize, bool)], splits: bool) -> Self {
        let trained = || parameters.iter().filter(|(_, is_trained)| *is_trained).map(|(length, _)| length);
        let share = if splits { trained().sum::<usize>().div_ceil(size).max(1) } else { usize::MAX };
        let mut pieces = Vec::new();
        for (parameter, (length, is_trained)) in parameters.iter().enumerate() {
            let count = if *is_trained { length.div_ceil(share).max(1) } else { 1 };
            let piece = length.div_ceil(count).next_multiple_of(CHUNK_LEN);
            let starts = (0..*length).step_by(piece.max(1)).chain((*length == 0).then_some(0));
            let range = |start: usize| start..(start + piece).min(*length);
            pieces.extend(starts.map(|start| (!is_trained, Reverse(range(start).len()), parameter, range(start))));
        }
        pieces.sort_by_key(|piece| (piece.0, piece.1, piece.2, piece.3.start));
        let (mut parts, mut elements, mut chunks) = (vec![Vec::new(); parameters.len()], vec![0; size], vec![0; size]);
        for (_, _, parameter, range) in pieces {
            let has_part = |rank: &usize| parts[parameter].iter().any(|part: &Part| part.owner == *rank);
            let owner = (0..size).filter(|rank| !has_part(rank)).min_by_key(|rank| elements[*rank]).unwrap_or(0);
            let part = Part { owner, range };
            elements[owner] += part.range.len();
            chunks[owner] += part.chunks();
            parts[parameter].push(part);
        }
        parts.iter_mut().for_each(|parts| parts.sort_by_key(|part| part.range.start));
        Self { rank, parts, most_chunks: chunks.into_iter().max().unwrap_or(0) }
    }

    /// The parts of each parameter, one after the other.
    pub fn parts(&self) -> &[Vec<Part>] {
        &self.parts
    }

    /// The elements of a parameter that this process owns.
    pub fn own(&self, parameter: usize) -> Option<&Range<usize>> {
        self.part_of(parameter, self.rank)
    }

    pub(super) fn part_of(&self, parameter: usize, rank: usize) -> Option<&Range<usize>> {
        let part = self.parts.get(parameter)?.iter().find(|part| part.owner == rank)?;
        Some(&part.range)
    }
}
