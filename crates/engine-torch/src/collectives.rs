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
    if elements == 0 || ranks == 1 {
        return flat.f_view(&sizes[..]).map_err(from_tch);
    }
    let share = (elements + ranks - 1) / ranks;
    let padded = match share * ranks - elements {
        0 => Ok(flat),
        more => flat.f_constant_pad_nd([0, more]),
    };
    let rows = padded.and_then(|padded| padded.f_view([ranks, share])).map_err(from_tch)?;
    let received = received(backend, &rows)?;
    let part = reduced_rows(&received, op).map_err(from_tch)?;
    backend.all_gather(&received, &part)?.wait()?;
    let whole = received.f_view([-1]).and_then(|whole| whole.f_narrow(0, 0, elements));
    whole.and_then(|whole| whole.f_view(&sizes[..])).map_err(from_tch)
}

/// The part of this process of the reduced elements of all. Parts are along the first dimension, which the number of processes divides.
pub(crate) fn scattered(backend: &Backend, dense: &Tensor, op: ReduceOp) -> Result<Tensor> {
    let (ranks, sizes) = (backend.size() as i64, dense.size());
    let rows: Vec<i64> = [ranks, sizes[0] / ranks].iter().chain(&sizes[1..]).copied().collect();
    let rows = dense.f_detach().and_then(|dense| dense.f_view(&rows[..])).map_err(from_tch)?;
    reduced_rows(&received(backend, &rows)?, op).map_err(from_tch)
}

/// The row for this process of each process.
fn received(backend: &Backend, rows: &Tensor) -> Result<Tensor> {
    let received = rows.f_empty_like().map_err(from_tch)?;
    backend.all_to_all(&received, rows)?.wait()?;
    Ok(received)
}

/// The rows of a tensor, reduced in their order: in f64, but whole numbers of 64 bits as such. NaN wins in a minimum and in a maximum.
fn reduced_rows(rows: &Tensor, op: ReduceOp) -> Combined {
    let kind = rows.f_kind()?;
    let sums = if kind == Kind::Int64 { kind } else { Kind::Double };
    let combined = match op {
        ReduceOp::Sum => folded(rows, sums, Tensor::f_add),
        ReduceOp::Mean => mean(rows),
        ReduceOp::Min => folded(rows, kind, Tensor::f_minimum),
        ReduceOp::Max => folded(rows, kind, Tensor::f_maximum),
        ReduceOp::Product => folded(rows, sums, Tensor::f_mul),
    };
    combined?.f_to_kind(kind)
}

/// The first row in a dtype, combined with each of the others, which libtorch converts to it element by element.
fn folded(rows: &Tensor, kind: Kind, combine: fn(&Tensor, &Tensor) -> Combined) -> Combined {
    let first = rows.f_select(0, 0)?.f_to_kind(kind)?;
    (1..rows.size()[0]).try_fold(first, |combined, rank| combine(&combined, &rows.f_select(0, rank)?))
}

/// The mean, which is finite where the rows are, even if their sum is not.
fn mean(rows: &Tensor) -> Combined {
    let count = rows.size()[0] as f64;
    let mean = folded(rows, Kind::Double, Tensor::f_add)?.f_div_scalar(count)?;
    let is_finite = mean.f_isfinite()?;
    // Sums of narrower types are within f64.
    if rows.f_kind()? != Kind::Double || bool::try_from(&is_finite.f_all()?)? {
        return Ok(mean);
    }
    // Division by a power of two rounds no number of this size. The rounded sum may leave the range of the rows, as the mean does not.
    let scale = (count as u64).next_power_of_two() as f64;
    let scaled = folded(&rows.f_div_scalar(scale)?, Kind::Double, Tensor::f_add)?.f_div_scalar(count / scale)?;
    let extreme = |combine| folded(rows, Kind::Double, combine);
    let scaled = scaled.f_minimum(&extreme(Tensor::f_maximum)?)?.f_maximum(&extreme(Tensor::f_minimum)?)?;
    mean.f_where_self(&is_finite, &scaled)
}
