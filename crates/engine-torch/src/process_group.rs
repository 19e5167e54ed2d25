//! The processes of a training, with tensors of this engine.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use stepwell_distributed::{Backend, Operation, ProcessGroup};
use stepwell_optim::{Code, Error, Part, Result};
use stepwell_session::{GradientReduction, GroupSettings, ReduceOp, RunningReduction};

use crate::collectives::{all_reduced, broadcast, scattered};
use crate::descriptors::bump;
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

    fn all_reduce(&self, tensors: &[Tensor], op: ReduceOp) -> Result<()> {
        let _guard = tch::no_grad_guard();
        let reduced = {
            let group = self.group()?;
            let (group, own) = (lock(&group), dense(tensors)?);
            let backend = group.agree(Operation::AllReduce(op), &own.iter().collect::<Vec<_>>())?;
            told(backend, own.iter().map(|tensor| all_reduced(backend, tensor, op)).collect::<Result<Vec<_>>>())?
        };
        write(tensors, &reduced)
    }

    fn broadcast(&self, tensors: &[Tensor], from: usize) -> Result<()> {
        let _guard = tch::no_grad_guard();
        let sent = {
            let group = self.group()?;
            let (group, own) = (lock(&group), dense(tensors)?);
            let backend = group.agree(Operation::Broadcast(from), &own.iter().collect::<Vec<_>>())?;
            told(backend, own.into_iter().map(|tensor| broadcast(backend, tensor, from)).collect::<Result<Vec<_>>>())?
        };
        write(tensors, &sent)
    }

    fn all_gather(&self, tensor: &Tensor) -> Result<Tensor> {
        let _guard = tch::no_grad_guard();
        let dense = tensor.as_ref().f_contiguous().map_err(from_tch)?;
        let mut sizes = dense.size();
        sizes.insert(0, self.size as i64);
        let group = self.group()?;
        let group = lock(&group);
        let backend = group.agree(Operation::AllGather, &[&dense])?;
        let rows = dense.f_new_empty(sizes, (kind(tensor.dtype()?), dense.device())).map_err(from_tch);
        let gathered = rows.and_then(|rows| backend.all_gather(&rows, &dense)?.wait().map(|()| rows));
        Tensor::from_tch(Ok(told(backend, gathered)?))
    }

    fn reduce_scatter(&self, tensor: &Tensor, op: ReduceOp) -> Result<Tensor> {
        let _guard = tch::no_grad_guard();
        let dense = tensor.as_ref().f_contiguous().map_err(from_tch)?;
        let group = self.group()?;
        let group = lock(&group);
        let backend = group.agree(Operation::ReduceScatter(op), &[&dense])?;
        Tensor::from_tch(Ok(told(backend, scattered(backend, &dense, op))?))
    }

    fn barrier(&self) -> Result<()> {
        lock(&*self.group()?).agree(Operation::Barrier, &[])?.barrier()
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

/// The elements of tensors in row-major order.
fn dense(tensors: &[Tensor]) -> Result<Vec<tch::Tensor>> {
    tensors.iter().map(|tensor| tensor.as_ref().f_contiguous().map_err(from_tch)).collect()
}

/// The result of an exchange. If it has failed on this process alone, such as for want of memory, the others get an error at once.
fn told<T>(backend: &Backend, result: Result<T>) -> Result<T> {
    result.inspect_err(|error| backend.abort(error))
}

/// Writes elements, after which graphs of before are outdated.
fn write(tensors: &[Tensor], elements: &[tch::Tensor]) -> Result<()> {
    for (tensor, elements) in tensors.iter().zip(elements) {
        let mut writer = tensor.writer();
        match shim::data(TensorRef::from(elements))? == shim::data(tensor.tensor_ref())? {
            true => bump(&[tensor.tensor_ref()], None)?,
            false => writer.f_copy_(elements).map_err(from_tch)?,
        }
    }
    Ok(())
}
