//! The processes of one training, and their collective operations.

use std::time::Duration;

#[cfg(not(target_family = "wasm"))]
use stepwell_optim::Part;
use stepwell_optim::Result;

/// The place of a process in its group, and how it finds the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSettings {
    /// The number of this process, from 0, less than `size`.
    pub rank: usize,
    /// The number of processes, at most `i32::MAX`.
    pub size: usize,
    /// The host where the processes meet.
    pub host: String,
    /// The TCP port there.
    pub port: u16,
    /// The longest wait for another process, at the start and in each operation. A process that has ended is noticed at once.
    pub timeout: Duration,
    /// Whether this process opens the port. One does: rank 0, unless the program that has started the processes does it.
    pub hosts_store: bool,
    /// The network interfaces that this process uses, with commas between them: names of interfaces, or addresses or host names that they
    /// have. `None` for the one that reaches the host.
    pub interface: Option<String>,
}

/// How elements of several processes become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReduceOp {
    /// Their sum.
    Sum,
    /// Their mean, for elements of floating point.
    Mean,
    /// The least; NaN if one is NaN.
    Min,
    /// The largest; NaN if one is NaN.
    Max,
    /// Their product.
    Product,
}

impl ReduceOp {
    /// All of them with their names, in the order of their numbers.
    pub const NAMES: [(&'static str, Self); 5] =
        [("sum", Self::Sum), ("mean", Self::Mean), ("min", Self::Min), ("max", Self::Max), ("product", Self::Product)];
}

/// The weights of the processes in a sum, from what all have announced; `None` if they reduce nothing.
pub type ReductionPlan = dyn FnOnce(&[Vec<f64>]) -> Option<ReductionWeights> + Send;

/// Gradients that the processes are about to reduce. All have parameters and buffers of the same shapes and dtypes, or `weights` says `None`.
pub struct GradientReduction<T> {
    /// Parameters that require a gradient.
    pub parameters: Vec<T>,
    /// The positions of those that are sent as soon as their gradients are there, in the order of sending, which is equal on each process.
    pub order: Vec<usize>,
    /// Tensors of floating point to reduce with the gradients.
    pub buffers: Vec<T>,
    /// Numbers for all processes. As many on each.
    pub announced: Vec<f64>,
    /// Decides by the numbers of all. Each process gets an equal result.
    pub weights: Box<ReductionPlan>,
}

/// A weight for each process.
pub struct ReductionWeights {
    /// For the sum of the gradients.
    pub gradients: Vec<f64>,
    /// For the sum of the buffers; empty to leave them as they are.
    pub buffers: Vec<f64>,
}

/// A reduction that goes on while a backward computes the gradients. One that is dropped has failed.
pub trait RunningReduction {
    /// Waits for the end. `has_computed` says that the gradients of this process are there. They are then replaced by the weighted sums, and
    /// one that a process lacks counts as zeros there. A gradient that all lack stays absent. Nothing is promised of the gradients after a failure.
    fn finish(self: Box<Self>, has_computed: bool) -> Result<Reduced>;
}

/// The result of a reduction.
pub struct Reduced {
    /// The announced numbers of the processes, a row for each.
    pub announced: Vec<Vec<f64>>,
    /// For each process, the number in which each gradient has come, negative if it has not. `None` if a process has failed, or if
    /// they have reduced nothing.
    pub arrived: Option<Vec<Vec<f64>>>,
}

/// The processes of one training. Operations are matched by their order, so all processes call the same ones in the same order, with
/// tensors of the same shape and dtype. After an operation has failed with [`Code::Distributed`](stepwell_optim::Code), the group is of no
/// use.
pub trait ProcessGroup<T>: Send + Sync {
    /// The number of this process, from 0.
    fn rank(&self) -> usize;
    /// The number of processes.
    fn size(&self) -> usize;
    /// Replaces each element of tensors, in place, by the reduced elements of all processes, as [`reduce_scatter`](Self::reduce_scatter) reduces them.
    /// Nothing has changed if it fails, and graphs of before are outdated otherwise.
    fn all_reduce(&self, tensors: &[T], op: ReduceOp) -> Result<()>;
    /// Replaces the elements of tensors, in place, by the elements of one process. Nothing has changed if it fails, and graphs of before are outdated
    /// otherwise, on that process too.
    fn broadcast(&self, tensors: &[T], from: usize) -> Result<()>;
    /// The tensors of all processes, along a new first dimension.
    fn all_gather(&self, tensor: &T) -> Result<T>;
    /// The part of this process of the reduced elements of all. Parts are along the first dimension, which the number of processes divides.
    /// They are reduced in the order of the ranks, in f64 unless they are whole numbers.
    fn reduce_scatter(&self, tensor: &T, op: ReduceOp) -> Result<T>;
    /// Waits until every process has called it.
    fn barrier(&self) -> Result<()>;
    /// Whether this process has left it. Every other function then fails.
    fn has_ended(&self) -> bool;
    /// The numbers of all processes, a row for each. As many on each process.
    fn gather(&self, numbers: &[f64]) -> Result<Vec<Vec<f64>>>;
    /// Starts to reduce gradients, before the backward that computes the last of them. Gradients are summed times the weights of the processes,
    /// in f64 and in the order of the ranks. So each process has the same result, and it does not depend on how tensors are
    /// grouped for the network. Elements of a process of weight 0 do not count, even if they are not finite.
    fn start_reduction(&self, reduction: GradientReduction<T>) -> Result<Box<dyn RunningReduction>>;
    /// Replaces the elements of each part of a tensor, in place, by the elements of its owner. Parts are the same on all processes.
    #[cfg(not(target_family = "wasm"))]
    fn copy_from_owners(&self, tensors: &[T], parts: &[&[Part]]) -> Result<()>;
}
