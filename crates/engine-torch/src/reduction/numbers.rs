//! Numbers of all processes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use stepwell_distributed::{ProcessGroup, Work};
use stepwell_optim::Result;

use crate::error::from_tch;

/// In the place of the arrival of a gradient.
pub(super) const ABSENT: f64 = -1.0;

pub(crate) fn lock(group: &Mutex<ProcessGroup>) -> MutexGuard<'_, ProcessGroup> {
    group.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The numbers of all processes, a row for each.
pub(crate) fn gather<'a>(
    size: usize,
    numbers: &[f64],
    all_gather: impl FnOnce(&tch::Tensor, &tch::Tensor) -> Result<Work<'a>>,
) -> Result<Vec<Vec<f64>>> {
    let row = tch::Tensor::f_from_slice(numbers).map_err(from_tch)?;
    let rows = row.f_new_empty([size as i64, numbers.len() as i64], (tch::Kind::Double, tch::Device::Cpu));
    let rows = rows.map_err(from_tch)?;
    all_gather(&rows, &row)?.wait()?;
    let mut gathered = Vec::with_capacity(size);
    for rank in 0..size {
        let row = rows.f_select(0, rank as i64).map_err(from_tch)?;
        gathered.push(Vec::<f64>::try_from(&row).map_err(from_tch)?);
    }
    Ok(gathered)
}
