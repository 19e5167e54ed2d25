//! A process group, which compares each call of its processes before it begins.

use std::path::Path;

use stepwell_optim::{Code, Error, Result};
use stepwell_session::{GroupSettings, ReduceOp};
use tch::{Kind, Tensor};

use crate::backend::{Backend, Work, refused};
use crate::call::{Call, Operation};

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

    /// Starts to replace each element of a tensor by the reduced elements of all processes. Same shape and dtype everywhere.
    ///
    /// # Errors
    /// - [`Code::Dtype`] for the mean of whole numbers
    /// - [`Code::Argument`] for a tensor that is not contiguous
    pub fn all_reduce(&self, tensor: &Tensor, op: ReduceOp) -> Result<Work<'_>> {
        // c10d refuses it after the exchange, and the next operation of the other processes would fail.
        let kind = tensor.f_kind().map_err(refused)?;
        if op == ReduceOp::Mean && !is_floating(kind) {
            return Err(Error::new(
                Code::Dtype,
                format!("expected elements of floating point for a mean, given {kind:?}"),
            ));
        }
        self.agree(Operation::AllReduce, op as i64, Some(&self.0.prepared(tensor)?))?;
        self.0.all_reduce(tensor, op)
    }

    /// Starts to replace the elements of a tensor by the elements of one process.
    ///
    /// # Errors
    /// [`Code::Argument`] for a rank that the group does not have, and for a tensor that is not contiguous.
    pub fn broadcast(&self, tensor: &Tensor, from: usize) -> Result<Work<'_>> {
        if from >= self.size() {
            let message = format!("expected a rank from 0 to {}, given {from}", self.size() - 1);
            return Err(Error::new(Code::Argument, message));
        }
        self.agree(Operation::Broadcast, from as i64, Some(&self.0.prepared(tensor)?))?;
        self.0.broadcast(tensor, from)
    }

    /// Starts to fill `to`, which has a row for each process, with the elements of all processes.
    ///
    /// # Errors
    /// As of [`Backend::all_gather`].
    pub fn all_gather(&self, to: &Tensor, from: &Tensor) -> Result<Work<'_>> {
        self.agree(Operation::AllGather, 0, Some(&self.0.prepared(from)?))?;
        self.0.all_gather(to, from)
    }

    /// As [`all_gather`](Self::all_gather), for numbers of a call of which the exchange is a part.
    ///
    /// # Errors
    /// As of [`Backend::all_gather`].
    pub fn gather_numbers(&self, to: &Tensor, from: &Tensor) -> Result<Work<'_>> {
        self.agree(Operation::Numbers, 0, Some(&self.0.prepared(from)?))?;
        self.0.all_gather(to, from)
    }

    /// Starts to send row i of `from` to process i, and to fill row i of `to` with what process i sends here.
    ///
    /// # Errors
    /// As of [`Backend::all_to_all`].
    pub fn all_to_all(&self, to: &Tensor, from: &Tensor) -> Result<Work<'_>> {
        self.agree(Operation::AllToAll, 0, Some(&self.0.prepared(from)?))?;
        self.0.all_to_all(to, from)
    }

    /// Waits until every process has called it.
    pub fn barrier(&self) -> Result<()> {
        self.agree(Operation::Barrier, 0, None)?;
        self.0.barrier()
    }

    /// Fails on each process unless all call the same operation with tensors of one shape and dtype. Gloo would read elements of other
    /// tensors, or end the process.
    fn agree(&self, operation: Operation, argument: i64, tensor: Option<&Tensor>) -> Result<()> {
        if self.size() == 1 {
            return Ok(());
        }
        let own = Call::new(operation, argument, tensor)?;
        let numbers = self.0.gather_longs(&own.0).map_err(|error| error.within(operation.name()))?;
        for (rank, other) in numbers.chunks_exact(Call::LEN).enumerate() {
            if other != own.0 {
                let message = format!(
                    "the processes do not agree: rank {} calls {own}, and rank {rank} {}",
                    self.rank(),
                    Call::of_numbers(other)
                );
                return Err(Error::new(Code::Distributed, message));
            }
        }
        Ok(())
    }
}

fn is_floating(kind: Kind) -> bool {
    matches!(kind, Kind::Float | Kind::Double | Kind::Half | Kind::BFloat16)
}
