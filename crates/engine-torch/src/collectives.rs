//! Operations of all processes on one tensor, whose shape and dtype they have compared. Results are new tensors.

use stepwell_distributed::Backend;
use stepwell_optim::Result;
use stepwell_session::ReduceOp;
use tch::{Kind, TchError, Tensor};

use crate::error::from_tch;

type Combined = std::result::Result<Tensor, TchError>;

/// The elements that the process of a rank has.
pub(crate) fn broadcast(backend: &Backend, dense: Tensor, from: usize) -> Result<Tensor> {
    let sent = match backend.rank() == from {
        true => dense,
        false => dense.f_empty_like().map_err(from_tch)?,
    };
    backend.broadcast(&sent, from)?.wait()?;
    Ok(sent)
}

/// The reduced elements of all processes. Each reduces a part, as [`scattered`] does, and the others get it.
pub(crate) fn all_reduced(backend: &Backend, dense: &Tensor, op: ReduceOp) -> Result<Tensor> {
    let (sizes, ranks) = (dense.size(), backend.size() as i64);
    let flat = dense.f_detach().and_then(|dense| dense.f_view([-1])).map_err(from_tch)?;
    let elements = flat.size()[0];
    if elements == 0 {
        return flat.f_view(&sizes[..]).map_err(from_tch);
    }
    let share = (elements + ranks - 1) / ranks;
    let rows = flat.f_constant_pad_nd([0, share * ranks - elements]).and_then(|rows| rows.f_view([ranks, share]));
    let rows = rows.map_err(from_tch)?;
    let part = reduced(backend, &rows, op)?;
    backend.all_gather(&rows, &part)?.wait()?;
    let whole = rows.f_view([-1]).and_then(|whole| whole.f_narrow(0, 0, elements));
    whole.and_then(|whole| whole.f_view(&sizes[..])).map_err(from_tch)
}

/// The part of this process of the reduced elements of all. Parts are along the first dimension, which the number of processes divides.
pub(crate) fn scattered(backend: &Backend, dense: &Tensor, op: ReduceOp) -> Result<Tensor> {
    let (ranks, sizes) = (backend.size() as i64, dense.size());
    let rows: Vec<i64> = [ranks, sizes[0] / ranks].iter().chain(&sizes[1..]).copied().collect();
    let rows = dense.f_detach().and_then(|dense| dense.f_view(&rows[..])).map_err(from_tch)?;
    reduced(backend, &rows, op)
}

/// The row of this process, reduced over all processes.
fn reduced(backend: &Backend, rows: &Tensor, op: ReduceOp) -> Result<Tensor> {
    let received = rows.f_empty_like().map_err(from_tch)?;
    backend.all_to_all(&received, rows)?.wait()?;
    reduced_rows(&received, op).map_err(from_tch)
}

/// The rows of a tensor, reduced in their order: in f64, but whole numbers as such. NaN wins in a minimum and in a maximum.
fn reduced_rows(rows: &Tensor, op: ReduceOp) -> Combined {
    let kind = rows.f_kind()?;
    let combined = match op {
        ReduceOp::Sum => folded(rows, Tensor::f_add),
        ReduceOp::Mean => mean(rows),
        ReduceOp::Min => folded(rows, Tensor::f_minimum),
        ReduceOp::Max => folded(rows, Tensor::f_maximum),
        ReduceOp::Product => folded(rows, Tensor::f_mul),
    };
    combined?.f_to_kind(kind)
}

fn folded(rows: &Tensor, combine: fn(&Tensor, &Tensor) -> Combined) -> Combined {
    let sums = if rows.f_kind()? == Kind::Int64 { Kind::Int64 } else { Kind::Double };
    let row = |rank| rows.f_select(0, rank).and_then(|row| row.f_to_kind(sums));
    (1..rows.size()[0]).try_fold(row(0)?, |combined, rank| combine(&combined, &row(rank)?))
}

/// The mean, which is finite where the rows are, even if their sum is not.
fn mean(rows: &Tensor) -> Combined {
    let count = rows.size()[0] as f64;
    let mean = folded(rows, Tensor::f_add)?.f_div_scalar(count)?;
    let is_finite = mean.f_isfinite()?;
    // Sums of narrower types are within f64.
    if rows.f_kind()? != Kind::Double || bool::try_from(&is_finite.f_all()?)? {
        return Ok(mean);
    }
    // Division by a power of two rounds no number of this size. The rounded sum may leave the range of the rows, as the mean does not.
    let scale = (count as u64).next_power_of_two() as f64;
    let scaled = folded(&rows.f_div_scalar(scale)?, Tensor::f_add)?.f_div_scalar(count / scale)?;
    let scaled = scaled.f_minimum(&folded(rows, Tensor::f_maximum)?)?.f_maximum(&folded(rows, Tensor::f_minimum)?)?;
    mean.f_where_self(&is_finite, &scaled)
}
