//! The processes of a training, with tensors of this engine.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use stepwell_distributed::ProcessGroup;
use stepwell_optim::{Code, Error, Part, Result};
use stepwell_session::{GradientReduction, GroupSettings, ReduceOp, RunningReduction};

use crate::error::from_tch;
use crate::owned_tensors;
use crate::reduction::TorchReduction;
use crate::reduction::numbers::{gather, lock};
use crate::shim::{self, TensorRef};
use crate::tensor::{Tensor, kind};

/// The library by which processes exchange tensors of GPUs.
static NCCL: OnceLock<PathBuf> = OnceLock::new();

/// States where the library is by which processes exchange tensors of GPUs. It need not exist before the first such tensor. The first call counts.
pub fn set_nccl_library(path: PathBuf) {
    let _ = NCCL.set(path);
}

/// A process group, which one thread uses at a time.
pub(crate) struct TorchGroup {
    /// `None` once it was destroyed.
    group: Mutex<Option<Arc<Mutex<ProcessGroup>>>>,
    rank: usize,
    size: usize,
    /// Whether tensors on the CPU count as tensors of a device, for tests.
    has_host_devices: bool,
}

impl fmt::Debug for TorchGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TorchGroup").field("rank", &self.rank).field("size", &self.size).finish_non_exhaustive()
    }
}

impl TorchGroup {
    pub(crate) fn connect(settings: &GroupSettings, has_host_devices: bool) -> Result<Self> {
        let group = ProcessGroup::connect(settings, NCCL.get().map(PathBuf::as_path))?;
        let (rank, size) = (group.rank(), group.size());
        Ok(Self { group: Mutex::new(Some(Arc::new(Mutex::new(group)))), rank, size, has_host_devices })
    }

    /// Leaves the group, which the other processes notice, also while optimizers refer to it.
    pub(crate) fn end(&self) {
        self.current().take();
    }

    fn current(&self) -> MutexGuard<'_, Option<Arc<Mutex<ProcessGroup>>>> {
        self.group.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn group(&self) -> Result<Arc<Mutex<ProcessGroup>>> {
        let group = self.current().clone();
        group.ok_or_else(|| Error::new(Code::Argument, "the process group was destroyed"))
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
        lock(&*self.group()?).all_reduce(&dense, op)?.wait()?;
        written(tensor, &dense)
    }

    fn broadcast(&self, tensor: &Tensor, from: usize) -> Result<()> {
        let _guard = tch::no_grad_guard();
        let dense = tensor.as_ref().f_contiguous().map_err(from_tch)?;
        lock(&*self.group()?).broadcast(&dense, from)?.wait()?;
        written(tensor, &dense)
    }

    fn all_gather(&self, tensor: &Tensor) -> Result<Tensor> {
        let _guard = tch::no_grad_guard();
        let dense = tensor.as_ref().f_contiguous().map_err(from_tch)?;
        let mut sizes = dense.size();
        sizes.insert(0, self.size as i64);
        let rows = dense.f_new_empty(sizes, (kind(tensor.dtype()?), dense.device())).map_err(from_tch)?;
        lock(&*self.group()?).all_gather(&rows, &dense)?.wait()?;
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
        lock(&*self.group()?).all_to_all(&received, &rows)?.wait()?;
        Tensor::from_tch(reduced(&received, kind, op, ranks))
    }

    fn barrier(&self) -> Result<()> {
        lock(&*self.group()?).barrier()
    }

    fn has_ended(&self) -> bool {
        self.current().is_none()
    }

    fn gather(&self, numbers: &[f64]) -> Result<Vec<Vec<f64>>> {
        let group = self.group()?;
        let group = lock(&group);
        gather(self.size, numbers, |to, from| group.gather_numbers(to, from))
    }

    fn copy_from_owners(&self, tensors: &[Tensor], parts: &[&[Part]]) -> Result<()> {
        let _guard = tch::no_grad_guard();
        owned_tensors::copy_from_owners(&lock(&*self.group()?), tensors, parts)
    }

    fn start_reduction(&self, reduction: GradientReduction<Tensor>) -> Result<Box<dyn RunningReduction>> {
        let _guard = tch::no_grad_guard();
        Ok(Box::new(TorchReduction::start(&self.group()?, reduction, self.has_host_devices)?))
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
