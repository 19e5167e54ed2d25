//! Process groups: collective operations between the processes of one training, on libtorch's c10d. Gloo exchanges tensors of the CPU, and
//! NCCL tensors of GPUs.
//!
//! Every process of a group calls the same operations in the same order. The process must have loaded libtorch before the first call.

mod backend;
mod call;
mod gpus;
mod interfaces;
mod joining;
mod limit;
mod meeting;
mod message_waits;
mod messages;
mod process_group;
mod shim;
mod store;
mod waiting_threads;

pub use backend::{Backend, Work};
pub use call::Operation;
pub use messages::Message;
pub use process_group::ProcessGroup;
pub use waiting_threads::{Waiting, waiting_threads};
