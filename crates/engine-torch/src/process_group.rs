//! The processes of a training, with tensors of this engine.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use stepwell_distributed::ProcessGroup;
use stepwell_optim::{Code, Error, Result};
use stepwell_session::{GroupSettings, ReduceOp};

use crate::error::from_tch;
use crate::shim::{self, TensorRef};
use crate::tensor::{Tensor, kind};

/// In bytes, 25 MiB: gradients are sent in buckets of about this size, as in PyTorch's DistributedDataParallel. A bucket is copied
/// twice, so that the memory for it stays small.
const BUCKET_BYTES: usize = 25 << 20;

/// A process group, which one thread uses at a time.
pub(crate) struct TorchGroup {
    group: Mutex<ProcessGroup>,
    rank: usize,
    size: usize,
}

impl fmt::Debug for TorchGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TorchGroup").field("rank", &self.rank).field("size", &self.size).finish_non_exhaustive()
    }
}

impl TorchGroup {
    pub(crate) fn connect(settings: &GroupSettings) -> Result<Self> {
        let group = ProcessGroup::connect(settings)?;
        let (rank, size) = (group.rank(), group.size());
        Ok(Self { group: Mutex::new(group), rank, size })
    }

    fn group(&self) -> MutexGuard<'_, ProcessGroup> {
        self.group.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sums one bucket: each process adds the rows of a share of the elements, and sends the sums to the others.
    fn sum_bucket(&self, group: &ProcessGroup, tensors: &[Tensor], weights: &[f64]) -> Result<()> {
        let Some(first) = tensors.first() else { return Ok(()) };
        let kind = kind(first.dtype()?);
        let size = self.size as i64;
        let flat =
            tensors.iter().map(|tensor| tensor.as_ref().f_reshape([-1])).collect::<std::result::Result<Vec<_>, _>>();
        let flat = tch::Tensor::f_cat(&flat.map_err(from_tch)?, 0).map_err(from_tch)?;
        let elements = flat.size().iter().product::<i64>();
        let share = (elements + size - 1) / size;
        let rows = flat.f_constant_pad_nd([0, share * size - elements]).map_err(from_tch)?;
        drop(flat);
        let rows = rows.f_reshape([size, share]).map_err(from_tch)?;
        let received = rows.f_empty_like().map_err(from_tch)?;
        group.all_to_all(&received, &rows)?.wait()?;
        let mut sum = tch::Tensor::f_zeros([share], (tch::Kind::Double, tch::Device::Cpu)).map_err(from_tch)?;
        for (rank, weight) in weights.iter().enumerate().filter(|(_, weight)| **weight != 0.0) {
            let row = received.f_select(0, rank as i64).and_then(|row| row.f_to_kind(tch::Kind::Double));
            let row = row.map_err(from_tch)?.f_mul_scalar(*weight).map_err(from_tch)?;
            sum.f_add_(&row).map(drop).map_err(from_tch)?;
        }
        let sum = sum.f_to_kind(kind).map_err(from_tch)?;
        // The rows that were sent are of no more use.
        group.all_gather(&rows, &sum)?.wait()?;
        let flat = rows.f_reshape([-1]).map_err(from_tch)?;
        let mut start = 0;
        for tensor in tensors {
            let sizes = tensor.as_ref().size();
            let length = sizes.iter().product::<i64>();
            let piece = flat.f_narrow(0, start, length).and_then(|piece| piece.f_reshape(&sizes));
            tensor.writer().f_copy_(&piece.map_err(from_tch)?).map_err(from_tch)?;
            start += length;
        }
        Ok(())
    }
}

impl stepwell_session::ProcessGroup<Tensor> for TorchGroup {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn all_reduce(&self, tensor: &Tensor, op: ReduceOp) -> Result<()> {
        let _guard = tch::no_grad_guard();
        let dense = tensor.as_ref().f_contiguous().map_err(from_tch)?;
        self.group().all_reduce(&dense, op)?.wait()?;
        written(tensor, &dense)
    }

    fn broadcast(&self, tensor: &Tensor, from: usize) -> Result<()> {
        let _guard = tch::no_grad_guard();
        let dense = tensor.as_ref().f_contiguous().map_err(from_tch)?;
        self.group().broadcast(&dense, from)?.wait()?;
        written(tensor, &dense)
    }

    fn all_gather(&self, tensor: &Tensor) -> Result<Tensor> {
        let _guard = tch::no_grad_guard();
        let dense = tensor.as_ref().f_contiguous().map_err(from_tch)?;
        let mut sizes = dense.size();
        sizes.insert(0, self.size as i64);
        let rows = dense.f_new_empty(sizes, (kind(tensor.dtype()?), dense.device())).map_err(from_tch)?;
        self.group().all_gather(&rows, &dense)?.wait()?;
        Tensor::from_tch(Ok(rows))
    }

    fn reduce_scatter(&self, tensor: &Tensor, op: ReduceOp) -> Result<Tensor> {
        let _guard = tch::no_grad_guard();
        let dense = tensor.as_ref().f_contiguous().map_err(from_tch)?;
        let (sizes, kind, ranks) = (dense.size(), kind(tensor.dtype()?), self.size as i64);
        let Some((first, rest)) = sizes.split_first() else {
            return Err(Error::new(Code::Internal, "expected a tensor with a first dimension"));
        };
        let part: Vec<i64> = [first / ranks].iter().chain(rest).copied().collect();
        let rows: Vec<i64> = [ranks].iter().chain(&part).copied().collect();
        let rows = dense.f_reshape(&rows).map_err(from_tch)?;
        let received = rows.f_empty_like().map_err(from_tch)?;
        self.group().all_to_all(&received, &rows)?.wait()?;
        Tensor::from_tch(reduced(&received, kind, op, ranks))
    }

    fn barrier(&self) -> Result<()> {
        self.group().barrier()
    }

    fn gather(&self, numbers: &[f64]) -> Result<Vec<Vec<f64>>> {
        let row = tch::Tensor::f_from_slice(numbers).map_err(from_tch)?;
        let rows = row.f_new_empty([self.size as i64, numbers.len() as i64], (tch::Kind::Double, tch::Device::Cpu));
        let rows = rows.map_err(from_tch)?;
        self.group().all_gather(&rows, &row)?.wait()?;
        let mut gathered = Vec::with_capacity(self.size);
        for rank in 0..self.size {
            let row = rows.f_select(0, rank as i64).map_err(from_tch)?;
            gathered.push(Vec::<f64>::try_from(&row).map_err(from_tch)?);
        }
        Ok(gathered)
    }

    fn weighted_sum(&self, tensors: &[Tensor], weights: &[f64]) -> Result<()> {
        if weights.len() != self.size {
            return Err(Error::new(Code::Internal, "expected a weight for each process"));
        }
        let _guard = tch::no_grad_guard();
        let group = self.group();
        let mut rest = tensors;
        while let Some(first) = rest.first() {
            // Neighbours of one dtype, up to the size of a bucket.
            let (dtype, mut bytes, mut count) = (first.dtype()?, 0, 0);
            for tensor in rest {
                bytes += tensor.shape()?.iter().product::<usize>() * dtype.size();
                if count > 0 && (bytes > BUCKET_BYTES || tensor.dtype()? != dtype) {
                    break;
                }
                count += 1;
            }
            let (bucket, after) = rest.split_at(count);
            self.sum_bucket(&group, bucket, weights)?;
            rest = after;
        }
        Ok(())
    }
}

/// The rows of a tensor, reduced in their order.
fn reduced(
    rows: &tch::Tensor,
    kind: tch::Kind,
    op: ReduceOp,
    count: i64,
) -> std::result::Result<tch::Tensor, tch::TchError> {
    let sums = match kind {
        tch::Kind::Int64 => kind,
        _ => tch::Kind::Double,
    };
    let mut result = rows.f_select(0, 0)?.f_to_kind(sums)?;
    for rank in 1..count {
        let row = rows.f_select(0, rank)?.f_to_kind(sums)?;
        result = match op {
            ReduceOp::Sum | ReduceOp::Mean => result.f_add(&row)?,
            ReduceOp::Min => result.f_minimum(&row)?,
            ReduceOp::Max => result.f_maximum(&row)?,
            ReduceOp::Product => result.f_mul(&row)?,
        };
    }
    if op == ReduceOp::Mean {
        result = result.f_div_scalar(count as f64)?;
    }
    result.f_to_kind(kind)
}

/// Writes the elements of an operation's result back, unless they are the tensor's own.
fn written(tensor: &Tensor, dense: &tch::Tensor) -> Result<()> {
    let mut writer = tensor.writer();
    if shim::data(TensorRef::from(dense))? == shim::data(tensor.tensor_ref())? {
        return Ok(());
    }
    writer.f_copy_(dense).map(drop).map_err(from_tch)
}
