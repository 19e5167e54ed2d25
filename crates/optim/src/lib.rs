//! Optimizers as plain Rust: options, parameter groups, state, and the update formulas as fused loops over slices.
//!
//! Does not depend on a tensor library, on JavaScript or on an operating system; builds for `wasm32-unknown-unknown`.

mod brief;
mod code;
#[cfg(not(target_family = "wasm"))]
mod device;
#[doc(hidden)]
pub mod error;
#[cfg(test)]
mod error_stack;
pub mod fallible;
#[cfg_attr(target_family = "wasm", path = "error_stack.rs")]
mod held_error;
mod instruction_set;
mod joined;

mod memory;
mod number;
mod numeric;
mod optimizer;
mod optimizers;
#[doc(hidden)]
pub mod options;
mod rule;
mod schedules;
mod shared;
mod state;
mod sweep;
mod thread_pool;

pub use brief::Brief;
#[cfg(not(target_family = "wasm"))]
pub use device::device::{Device, DeviceMemory, DeviceModule, DeviceRead, DeviceView};
#[cfg(not(target_family = "wasm"))]
pub use device::device_rule::DeviceRule;
#[cfg(not(target_family = "wasm"))]
pub use device::layout::{
    APPLY, BLOCK_THREADS, ChunkEntry, ConstantsRow, Control, FactorEntry, GRADIENT_SQUARES, KernelArguments, MEASURE,
    Plain, SKIPS_ALWAYS, SKIPS_NEVER, SKIPS_NON_FINITE, STEP, SquaresEntry, StepSettings, TRANSFORMED_SQUARES,
    TensorEntry, TransformEntry, bytes_of, bytes_of_mut,
};
#[cfg(not(target_family = "wasm"))]
pub use device::source::Variant;
pub use error::{Code, Error, Result};
pub use fallible::Results;
pub use instruction_set::{InstructionSet, SimdKernel};
pub use joined::joined;
#[cfg(not(target_family = "wasm"))]
pub use memory::take_state_memory;
pub use memory::{ArenaArray, state_memory};
pub use number::Number;
pub use numeric::clip::{Clip, GradientTransform};
#[cfg(not(target_family = "wasm"))]
pub use numeric::kernel::MAX_CONSTANTS;
pub use numeric::norm::sum_of_squares;
pub use numeric::scalar::{Pod, Scalar, SixteenBit};
pub use optimizer::Optimizer;
pub use optimizer::loss_scale::LossScale;
pub use optimizer::state_size::StateSize;
pub use optimizers::definition::Definition;
pub use optimizers::lbfgs::closure_step::{ClosureStep, LbfgsState};
#[cfg(not(target_family = "wasm"))]
pub use optimizers::lbfgs::device_vectors::{DeviceObjective, lbfgs_source};
pub use optimizers::lbfgs::objective::Objective;
pub use optimizers::lbfgs::state_dict::{AnyLbfgsStateDict, LbfgsStateDict};
#[cfg(not(target_family = "wasm"))]
pub use optimizers::presets::{PRESETS, Preset};
pub use optimizers::{CATALOG, definition};
pub use options::option_type::{OptionType, count};
pub use options::table::{
    Limit, OptionSet, OptionSpec, defaults, documentation, first_changed_extension, next_option, parse, positional,
};
pub use options::value::{OptionKind, OptionValue};
#[cfg(not(target_family = "wasm"))]
pub use rule::MAX_NORM_INPUTS;
pub use schedules::definition::{Children, ScheduleDefinition, ScheduleInstance};
pub use schedules::schedule::Schedule;
pub use schedules::{SCHEDULES, schedule_definition};
pub use shared::{Movable, Shared, SharedCell, SharedRef, SharedRefMut};
pub use state::buffer::{Buffer, BufferType};
pub use state::group::Group;
pub use state::param_state::{MASTER, MAX_BUFFERS, MAX_STEPS, PARAM_AVERAGE, RULE_BUFFERS, State, SwapBuffers};
pub use state::view::{Element, View};
pub use sweep::chunk::CHUNK_LEN;
pub use sweep::non_finite::{NonFinite, non_finite_gradient};
#[cfg(not(target_family = "wasm"))]
pub use sweep::shards::{Gather, Part, Peers, Shards};
pub use sweep::step_options::{Outcome, StepOptions};
#[cfg(not(target_family = "wasm"))]
pub use thread_pool::run as run_on_threads;
