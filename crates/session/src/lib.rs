//! Handles, commands, modules and losses, generic over the tensor [`Engine`].
//!
//! A binding converts arguments to [`Value`] values, calls [`Session::call`], and converts the result back.

mod commands;
mod engine;
mod mathematics;
mod nn;
mod random;
mod session;
mod training;
#[cfg(test)]
mod typescript_files;
#[cfg(test)]
mod typescript_help;
#[cfg(test)]
mod typescript_operations;
mod values;

#[cfg(not(target_family = "wasm"))]
pub use commands::jobs::{FinishedJob, Job, JobEnd, JobThread};
pub use engine::busy_guard::BusyGuard;
pub use engine::device_reports::{CudaDevice, CudaReport, DeviceMemoryUse};
pub use engine::library_optimizers::{LibraryEach, LibraryGroup, LibraryOptimizer, Minimize, only_fused};
pub use engine::linear_algebra::{LinearAlgebra, LinearOptions};
pub use engine::operations::{Activation, BatchNorm, Extent, Loss, Pooling, Reduction, Window};
#[cfg(not(target_family = "wasm"))]
pub use engine::placement::DeviceStep;
pub use engine::placement::Placement;
pub use engine::primitives::{Binary, Compare, Cumulative, Elementwise, Primitive, Reduce, Unary};
#[cfg(not(target_family = "wasm"))]
pub use engine::process_group::{
    GradientReduction, GroupSettings, ProcessGroup, ReduceOp, Reduced, ReductionPlan, ReductionWeights,
    RunningReduction,
};
pub use engine::{CallBackward, Engine};
pub use session::Session;
pub use training::lbfgs_step::closure_failed;
pub use values::data::{Data, Differentiable, Slice, SliceMut};
pub use values::dedupe::first_positions;
pub use values::device::Device;
pub use values::dtype::Dtype;
pub use values::handle::{Handle, ObjectKind};
pub use values::value::{NumericArray, Value};
