//! The common decision of the processes about a step, from the numbers that they announce.

use std::ops::Range;

use stepwell_optim::{Code, Error, Result};

use crate::engine::process_group::ReductionWeights;
use crate::training::passes::Pass;

/// The places of digests among the announced numbers, after the numbers of the pass. They are the digests of the options, of the layout and of
/// buffers of whole numbers. Flags follow: whether the program has written to a tensor, and for each parameter whether it is frozen.
pub(super) const OPTIONS: Range<usize> = 3..5;
pub(super) const LAYOUT: Range<usize> = OPTIONS.end..7;
pub(super) const COUNTS: Range<usize> = LAYOUT.end..9;
pub(super) const WRITTEN: usize = COUNTS.end;
pub(super) const FROZEN: usize = WRITTEN + 1;

/// The common decision of the processes, from their announcements.
pub(super) enum Agreement {
    OtherOptions,
    Refused(f64),
    Reduce { loss: f64, weights: ReductionWeights },
}

impl Agreement {
    pub(super) fn of(rows: &[Vec<f64>], is_sum: bool) -> Result<Self> {
        if let Some(rank) = rows.iter().position(|row| row[0] == Pass::FAILED) {
            return Err(Error::new(Code::Distributed, format!("rank {rank} has failed in this step, and says why")));
        }
        if rows.iter().any(|row| row[OPTIONS] != rows[0][OPTIONS]) {
            return Ok(Self::OtherOptions);
        }
        if let Some(row) = rows.iter().find(|row| row[0] == Pass::REFUSED) {
            return Ok(Self::Refused(row[1]));
        }
        for position in FROZEN..rows[0].len() {
            if let Some(rank) = rows.iter().position(|row| row[position] != rows[0][position]) {
                let (frozen, other) = if rows[0][position] == 0.0 { (rank, 0) } else { (0, rank) };
                let message = format!(
                    "parameter {} is frozen on rank {frozen}, and not on rank {other}: freeze the same parameters on each process",
                    position - FROZEN
                );
                return Err(Error::new(Code::Parameter, message));
            }
        }
        if let Some(rank) = rows.iter().position(|row| row[LAYOUT] != rows[0][LAYOUT]) {
            let message = format!(
                "rank {rank} trains parameters of other shapes or dtypes than rank 0, or on a GPU and not on the CPU: step the same optimizers, and convert and move the same modules on each process, in the same order"
            );
            return Err(Error::new(Code::Parameter, message));
        }
        let total: f64 = rows.iter().map(|row| row[2]).sum();
        let divisor = if is_sum || total == 0.0 { 1.0 } else { total };
        let gradients: Vec<f64> = rows.iter().map(|row| row[2] / divisor).collect();
        let loss = rows.iter().zip(&gradients).filter(|(_, weight)| **weight != 0.0);
        let loss = loss.map(|(row, weight)| row[1] * weight).sum();
        let has_means = total != 0.0;
        let buffers = rows.iter().filter(|_| has_means).map(|row| row[2] / total).collect();
        Ok(Self::Reduce { loss, weights: ReductionWeights { gradients, buffers } })
    }
}
