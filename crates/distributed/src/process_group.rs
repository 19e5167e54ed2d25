//! A process group, which compares each call of its processes before it begins.

use std::path::Path;

use stepwell_optim::{Code, Error, Result};
use stepwell_session::{GroupSettings, ReduceOp};
use tch::{Kind, Tensor};

use crate::backend::{Backend, Work, refused};
use crate::call::{Call, Operation, dtype_name, numbers_of};

/// The processes of one training. Operations of a group are matched by their order, so all processes call the same ones in the same order.
/// After an operation has failed, the group is of no use: the processes connect again.
pub struct ProcessGroup(Backend);

impl ProcessGroup {
    /// Waits until all processes of the group are there. `library` is the one with NCCL.
    ///
    /// # Errors
    /// As of [`Backend::connect`].
    pub fn connect(settings: &GroupSettings, library: Option<&Path>) -> Result<Self> {
        Backend::connect(settings, library).map(Self)
    }

    /// The group without comparisons, for operations whose shapes and dtypes follow from what the processes have compared before.
    pub fn agreed(&self) -> &Backend {
        &self.0
    }

    /// The number of this process, from 0.
    pub fn rank(&self) -> usize {
        self.0.rank()
    }

    /// The number of processes.
    pub fn size(&self) -> usize {
        self.0.size()
    }

    /// The group for an operation, once all processes call the same one with as many tensors of the same shapes and dtypes. Otherwise Gloo reads
    /// elements of other tensors, or ends the process.
    ///
    /// # Errors
    /// All processes have one, and the group can be used on.
    /// - [`Code::Distributed`] says how the calls differ
    /// - [`Code::Argument`] for a rank that the group does not have
    /// - [`Code::Dtype`] for the mean of whole numbers
    /// - [`Code::Shape`] for a first dimension that the number of processes does not divide, if parts of it are scattered
    pub fn agree(&self, operation: Operation, tensors: &[&Tensor]) -> Result<&Backend> {
        let numbers = numbers_of(tensors)?;
        if self.size() > 1 {
            self.compare(operation, &numbers)?;
        }
        // After the comparison: a process that alone has such an error would be one call ahead of the others.
        match operation {
            Operation::Broadcast(from) if from >= self.size() => {
                let message = format!("expected a rank from 0 to {}, given {from}", self.size() - 1);
                Err(Error::new(Code::Argument, message))
            }
            Operation::AllReduce(ReduceOp::Mean) => check_floating(tensors),
            Operation::ReduceScatter(op) => {
                if op == ReduceOp::Mean {
                    check_floating(tensors)?;
                }
                check_parts(tensors, self.size())
            }
            _ => Ok(()),
        }?;
        Ok(&self.0)
    }

    /// Starts to gather numbers of a call of which the exchange is a part.
    ///
    /// # Errors
    /// As of [`agree`](Self::agree) and [`Backend::all_gather`].
    pub fn gather_numbers(&self, to: &Tensor, from: &Tensor) -> Result<Work<'_>> {
        self.agree(Operation::Numbers, &[from])?.all_gather(to, from)
    }

    fn compare(&self, operation: Operation, tensors: &[i64]) -> Result<()> {
        let gathered = |own: &[i64]| self.0.gather_longs(own).map_err(|error| error.within(operation.name()));
        let own = Call::new(operation, tensors);
        let calls = gathered(own.numbers())?;
        self.check_equal(&calls.chunks_exact(Call::LEN).map(Call::of_numbers).collect::<Vec<_>>())?;
        if own.tensors() < 2 {
            return Ok(());
        }
        // The calls have the first tensor alone.
        let all = gathered(tensors)?;
        (1..own.tensors()).try_for_each(|position| {
            let calls = all.chunks_exact(tensors.len()).map(|tensors| own.with_tensor(position, tensors));
            self.check_equal(&calls.collect::<Vec<_>>())
        })
    }

    /// Fails unless the calls of all processes are equal.
    fn check_equal(&self, calls: &[Call]) -> Result<()> {
        let (rank, own) = (self.rank(), calls[self.rank()]);
        let Some(other) = calls.iter().position(|call| *call != own) else { return Ok(()) };
        let message = format!("the processes do not agree: rank {rank} calls {own}, and rank {other} {}", calls[other]);
        Err(Error::new(Code::Distributed, message))
    }
}

fn check_floating(tensors: &[&Tensor]) -> Result<()> {
    for tensor in tensors {
        let kind = tensor.f_kind().map_err(refused)?;
        if !matches!(kind, Kind::Float | Kind::Double | Kind::Half | Kind::BFloat16) {
            let message = format!("expected elements of floating point for a mean, given {}", dtype_name(kind));
            return Err(Error::new(Code::Dtype, message));
        }
    }
    Ok(())
}

fn check_parts(tensors: &[&Tensor], processes: usize) -> Result<()> {
    for shape in tensors.iter().map(|tensor| tensor.size()) {
        if shape.first().is_none_or(|length| length % processes as i64 != 0) {
            let message =
                format!("expected a first dimension that {processes} processes divide, given shape {shape:?}");
            return Err(Error::new(Code::Shape, message));
        }
    }
    Ok(())
}
