//! A group of c10d and its operations, which do not compare what the processes call.

use std::ffi::c_char;
use std::path::{Path, PathBuf};
use std::ptr::{self, NonNull};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use stepwell_optim::{Code, Error, Result};
use stepwell_session::GroupSettings;
use tch::{Device, Kind, TchError, Tensor};
use torch_sys::C_tensor;

use crate::gpus::{add, leave};
use crate::interfaces::check_interfaces;
use crate::meeting::meet;
use crate::message_waits::MessageWaits;
use crate::shim::{
    Group, RawWork, checked, stepwell_group_abort, stepwell_group_all_gather, stepwell_group_all_to_all,
    stepwell_group_barrier, stepwell_group_broadcast, stepwell_group_free, stepwell_work_wait,
};
use crate::waiting_threads::Waiting;

/// The processes of one training. Operations are matched by their order: all processes call the same ones in the same order, with tensors of
/// one shape and dtype. Otherwise Gloo reads elements of other tensors, or ends the process. After an operation has failed, the group is of no use.
pub struct Backend {
    pub(crate) group: NonNull<Group>,
    rank: usize,
    size: usize,
    pub(crate) timeout: Duration,
    /// The library with NCCL, if one is known.
    library: Option<PathBuf>,
    /// Whether it can exchange tensors of GPUs; empty before the first one.
    gpus: OnceLock<Result<()>>,
    /// Of the thread that starts an operation.
    starts: Mutex<()>,
    /// The first failure, which has closed the connections.
    pub(crate) failure: OnceLock<Error>,
    pub(crate) waits: MessageWaits,
}

// SAFETY: c10d's groups may be used by any thread.
unsafe impl Send for Backend {}
// SAFETY: one thread at a time starts an operation.
unsafe impl Sync for Backend {}

/// An operation that runs in threads of c10d. It has its tensors until it ends, and a dropped one is waited for.
#[must_use = "an operation has ended only after `wait`"]
pub struct Work<'a> {
    work: Option<NonNull<RawWork>>,
    group: &'a Backend,
    /// The tensors that it reads and writes.
    _tensors: Vec<Tensor>,
}

impl Backend {
    /// Waits until all processes of the group are there. `library` is the one with NCCL, which is loaded at the first tensor of a GPU.
    ///
    /// # Errors
    /// - [`Code::Argument`] for a network interface that this machine does not have
    /// - [`Code::Distributed`] if one is not there within the timeout, which it says, or if the port cannot be used
    pub fn connect(settings: &GroupSettings, library: Option<&Path>) -> Result<Self> {
        settings.interface.as_deref().map_or(Ok(()), check_interfaces)?;
        Ok(Self {
            group: meet(settings)?.into_group(),
            rank: settings.rank,
            size: settings.size,
            timeout: settings.timeout,
            library: library.map(Path::to_owned),
            gpus: OnceLock::new(),
            starts: Mutex::new(()),
            failure: OnceLock::new(),
            waits: MessageWaits::default(),
        })
    }

    /// The number of this process, from 0.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// The number of processes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Starts to replace the elements of a tensor by the elements of one process.
    ///
    /// # Errors
    /// [`Code::Argument`] for a tensor that is not contiguous.
    pub fn broadcast(&self, tensor: &Tensor, from: usize) -> Result<Work<'_>> {
        self.start("broadcast", vec![self.prepared(tensor)?], |group, tensors, work, message| {
            // SAFETY: a live group and tensor.
            unsafe { stepwell_group_broadcast(group, tensors[0], from as i32, work, message) }
        })
    }

    /// Starts to fill `to`, which has a row for each process, with the elements of all processes.
    ///
    /// # Errors
    /// [`Code::Shape`] if `to` has not one row of the elements of `from` for each process.
    pub fn all_gather(&self, to: &Tensor, from: &Tensor) -> Result<Work<'_>> {
        let (elements, expected) = (elements(to), elements(from).saturating_mul(self.size));
        if elements != expected {
            return Err(Error::new(
                Code::Shape,
                format!("expected {expected} elements to gather into, given {elements}"),
            ));
        }
        let tensors = vec![self.prepared(to)?, self.prepared(from)?];
        self.start("all-gather", tensors, |group, tensors, work, message| {
            // SAFETY: a live group, and live tensors of the sizes that c10d expects.
            unsafe { stepwell_group_all_gather(group, tensors[0], tensors[1], work, message) }
        })
    }

    /// Starts to send row i of `from` to process i, and to fill row i of `to` with what process i sends here.
    ///
    /// # Errors
    /// [`Code::Shape`] unless both have the same number of elements, and a row for each process.
    pub fn all_to_all(&self, to: &Tensor, from: &Tensor) -> Result<Work<'_>> {
        let (sizes, others) = (to.size(), from.size());
        if sizes != others || sizes.first().copied() != Some(self.size as i64) {
            let message = format!("expected two tensors of {} rows, given {sizes:?} and {others:?}", self.size);
            return Err(Error::new(Code::Shape, message));
        }
        let tensors = vec![self.prepared(to)?, self.prepared(from)?];
        self.start("all-to-all", tensors, |group, tensors, work, message| {
            // SAFETY: a live group, and live tensors of the sizes that c10d expects.
            unsafe { stepwell_group_all_to_all(group, tensors[0], tensors[1], work, message) }
        })
    }

    /// Waits until every process has called it.
    ///
    /// # Errors
    /// As of [`Work::wait`].
    pub fn barrier(&self) -> Result<()> {
        self.start("barrier", Vec::new(), |group, _, work, message| {
            // SAFETY: a live group.
            unsafe { stepwell_group_barrier(group, work, message) }
        })?
        .wait()
    }

    /// Makes the group ready for tensors of GPUs, which the first operation on one does by itself. All processes call it at the same place
    /// among their operations.
    ///
    /// # Errors
    /// The group goes on with tensors of the CPU.
    /// - [`Code::Device`] without the library, or without a GPU
    /// - [`Code::Distributed`] if another process has such an error
    pub fn use_gpus(&self) -> Result<()> {
        let add = || add(self.group, self.library.as_deref(), self.rank, self.size, &|own| self.agreed_number(own));
        self.gpus.get_or_init(add).clone()
    }

    /// The number of rank 0, if no process has failed.
    fn agreed_number(&self, own: Result<i64>) -> Result<i64> {
        let rows = self.gather_longs(&[i64::from(own.is_ok()), *own.as_ref().unwrap_or(&0)]);
        own?;
        let rows = rows?;
        match rows.chunks_exact(2).position(|row| row[0] == 0) {
            Some(rank) => {
                let message = format!("rank {rank} cannot exchange tensors of its GPU, and says why");
                Err(Error::new(Code::Distributed, message))
            }
            None => Ok(rows[1]),
        }
    }

    /// The numbers of all processes, one process after the other. As many on each.
    pub(crate) fn gather_longs(&self, numbers: &[i64]) -> Result<Vec<i64>> {
        let row = Tensor::f_from_slice(numbers).map_err(refused)?;
        let sizes = [self.size as i64, numbers.len() as i64];
        let rows = Tensor::f_zeros(sizes, (Kind::Int64, Device::Cpu)).map_err(refused)?;
        self.all_gather(&rows, &row)?.wait()?;
        let mut gathered = vec![0; self.size * numbers.len()];
        let len = gathered.len();
        rows.f_copy_data(&mut gathered, len).map_err(refused)?;
        Ok(gathered)
    }

    /// A clone of a tensor for an operation, which shares its elements.
    pub(crate) fn prepared(&self, tensor: &Tensor) -> Result<Tensor> {
        if !matches!(tensor.device(), Device::Cpu | Device::Cuda(_)) {
            let message = format!("expected a tensor on the CPU or on a GPU, given one on {:?}", tensor.device());
            return Err(Error::new(Code::Unsupported, message));
        }
        if !tensor.is_contiguous() {
            return Err(Error::new(Code::Argument, "expected a tensor in row-major order"));
        }
        // The operation writes elements, which autograd does not follow.
        tensor.f_detach().map_err(refused)
    }

    /// Starts an operation, which errors tell by its name.
    pub(crate) fn start(
        &self,
        name: &str,
        mut tensors: Vec<Tensor>,
        start: impl FnOnce(*mut Group, &[*mut C_tensor], *mut *mut RawWork, *mut c_char) -> i32,
    ) -> Result<Work<'_>> {
        let is_on_gpu = tensors.first().is_some_and(|tensor| tensor.device() != Device::Cpu);
        if is_on_gpu {
            self.use_gpus()?;
        }
        // NCCL meets the other processes when the first operation starts.
        let _waiting = is_on_gpu.then(Waiting::begin);
        let _starting = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut work = ptr::null_mut();
        let pointers: Vec<_> = tensors.iter_mut().map(Tensor::as_mut_ptr).collect();
        checked(
            |text| self.failed(text).within(name),
            |message| start(self.group.as_ptr(), &pointers, &mut work, message),
        )?;
        Ok(Work { work: NonNull::new(work), group: self, _tensors: tensors })
    }

    /// Ends all operations with an error, on this process and on the others, which may wait for messages that do not come.
    pub fn abort(&self, cause: &Error) {
        self.failure.get_or_init(|| cause.clone());
        let _starting = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: a live group. No other thread starts an operation now.
        unsafe { stepwell_group_abort(self.group.as_ptr(), self.rank() as i32, self.size() as i32) };
    }

    /// Ends all operations if one has failed. The first failure is the cause of the others.
    pub(crate) fn ended<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| {
            self.abort(&error);
            self.failure.get().cloned().unwrap_or(error)
        })
    }

    /// The error of an operation that c10d has given up.
    pub(crate) fn failed(&self, text: &str) -> Error {
        let lower = text.to_ascii_lowercase();
        if lower.contains("duplicate gpu") {
            let message = "two processes use one GPU: move tensors to the device of `LOCAL_RANK`, such as `cuda:1`";
            return Error::new(Code::Device, message);
        }
        let what = if lower.contains("pair closure") {
            "this process has closed the group after an earlier error".to_owned()
        } else if lower.contains("timed out") || lower.contains("timeout") {
            format!("another process has not answered within {} s", self.timeout.as_secs_f64())
        } else if ["connection", "socket", "remote process"].iter().any(|word| lower.contains(word)) {
            "another process has ended".to_owned()
        } else {
            "the processes do not agree".to_owned()
        };
        let advice = "start the training again, from its last checkpoint";
        let text = text.lines().next().unwrap_or_default();
        Error::new(Code::Distributed, format!("{what}: {advice} ({text})"))
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        let _waiting = Waiting::begin();
        self.waits = MessageWaits::default();
        // SAFETY: the group is this one's.
        unsafe { leave(self.group, self.timeout) };
        // SAFETY: the group is this one's, and no operation runs, since each borrows it.
        unsafe { stepwell_group_free(self.group.as_ptr()) };
    }
}

impl Work<'_> {
    /// Waits for the end of the operation.
    ///
    /// # Errors
    /// [`Code::Distributed`] if another process has ended or does not answer. The tensors may then have any elements.
    pub fn wait(mut self) -> Result<()> {
        self.end()
    }

    /// The operation alone, which the caller waits for or frees.
    pub(crate) fn into_raw(mut self) -> Option<NonNull<RawWork>> {
        self.work.take()
    }

    fn end(&mut self) -> Result<()> {
        let Some(work) = self.work.take() else { return Ok(()) };
        let _waiting = Waiting::begin();
        // SAFETY: the work is this one's, and is waited for once.
        self.group.ended(checked(
            |text| self.group.failed(text),
            |message| unsafe { stepwell_work_wait(work.as_ptr(), message) },
        ))
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        // The threads of c10d use the tensors until then. The caller has an earlier error.
        let _ = self.end();
    }
}

/// The number of elements.
fn elements(tensor: &Tensor) -> usize {
    let sizes = tensor.size().into_iter();
    sizes.fold(1, |product, size| product.saturating_mul(usize::try_from(size).unwrap_or(0)))
}

pub(crate) fn refused(error: TchError) -> Error {
    Error::new(Code::Engine, error.to_string())
}
