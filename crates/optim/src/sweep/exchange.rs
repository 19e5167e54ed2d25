//! The exchange of numbers in a step that several processes share. They add the sums of squares of all gradients in the order of a process that
//! has all. So norms have the same bits.

use std::sync::atomic::Ordering;

use crate::error::{Code, Error, Result};
use crate::fallible::filled;
use crate::sweep::chunk::CHUNK_LEN;
use crate::sweep::shards::{Peers, Shards};
use crate::sweep::{Begun, Sweep};

/// The first number of a row: how the step has begun on a process. The index of a parameter and its element follow, and then the sums of
/// squares of the chunks.
const READY: f64 = 0.0;
const NON_FINITE: f64 = 1.0;
const FAILED: f64 = 2.0;

/// In numbers: the part of a row before the sums of squares.
const HEAD: usize = 3;

impl Shards {
    /// The numbers that a process gives instead of its own if it has failed before it could exchange them.
    pub fn failure(&self) -> Vec<f64> {
        let mut row = vec![0.0; HEAD + self.most_chunks];
        row[0] = FAILED;
        row
    }

    /// The sum of the squares of all chunks, in the order of the parameters. Chunks without a gradient count as zeros, which change no sum.
    fn total(&self, rows: &[Vec<f64>]) -> f64 {
        let mut next = vec![HEAD; rows.len()];
        let mut total = 0.0;
        for part in self.parts().iter().flatten() {
            let start = next[part.owner];
            next[part.owner] += part.chunks();
            total = rows[part.owner][start..next[part.owner]].iter().fold(total, |sum, squares| sum + squares);
        }
        total
    }
}

impl Sweep {
    /// Exchanges how the step has begun. The first gradient that is not finite, and the sum of squares, are then the ones of all processes. If one
    /// has failed, all fail, before anything has changed.
    pub(super) fn exchange(&self, peers: Peers<'_>, own: Result<Begun>) -> Result<Begun> {
        let Peers { shards, gather } = peers;
        let mut row = filled(HEAD + shards.most_chunks, 0.0)?;
        match &own {
            Err(_) => row[0] = FAILED,
            Ok(Begun { found: Some((parameter, element)), .. }) => {
                row[..HEAD].copy_from_slice(&[NON_FINITE, *parameter as f64, *element]);
            }
            Ok(Begun { found: None, .. }) => {
                row[0] = READY;
                self.copy_squares(shards, &mut row[HEAD..]);
            }
        }
        let rows = gather(&row);
        // This process says why it has failed.
        let own = own?;
        let rows = rows?;
        if let Some(rank) = rows.iter().position(|row| row[0] == FAILED) {
            return Err(Error::new(Code::Distributed, format!("rank {rank} has failed in this step, and says why")));
        }
        let found = rows.iter().enumerate().filter(|(_, row)| row[0] == NON_FINITE);
        let found = found.map(|(rank, row)| (row[1] as usize, shards.part_of(row[1] as usize, rank), row[2]));
        let first = found.min_by_key(|(parameter, part, _)| (*parameter, part.map_or(0, |range| range.start)));
        let found = first.map(|(parameter, _, element)| (parameter, element));
        Ok(Begun { found, squares: shards.total(&rows), ..own })
    }

    /// Copies the sums of squares of all chunks that this process owns.
    fn copy_squares(&self, shards: &Shards, to: &mut [f64]) {
        let (mut tensors, mut start) = (self.tensors.iter(), 0);
        for (parameter, location) in self.locations.iter().enumerate() {
            let Some(own) = shards.own(parameter) else { continue };
            if location.is_some()
                && let Some(tensor) = tensors.next()
            {
                for (to, squares) in to[start..].iter_mut().zip(&self.squares[tensor.chunk_range()]) {
                    *to = f64::from_bits(squares.gradient.load(Ordering::Relaxed));
                }
            }
            start += own.len().div_ceil(CHUNK_LEN);
        }
    }

    /// Sets the indices that the first elements of the tensors have in their parameters.
    pub(super) fn set_first_elements(&mut self, shards: &Shards) {
        let parameters = self.locations.iter().enumerate().filter(|(_, location)| location.is_some());
        for (tensor, (parameter, _)) in self.tensors.iter_mut().zip(parameters) {
            tensor.first = shards.own(parameter).map_or(0, |range| range.start);
        }
    }

    /// True if each element has its own update, so that parts of a parameter do.
    pub(crate) fn splits_parameters(&self) -> bool {
        !self.rule.has_two_stages()
    }
}
