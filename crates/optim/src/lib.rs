//! Optimizers as plain Rust: options, parameter groups, state, and the update formulas as fused loops over slices.
//!
//! Knows no tensor library, no JavaScript and no operating system; builds for `wasm32-unknown-unknown`.

mod brief;
mod clip;
mod closure_step;
mod curve;
mod dither;
mod error;
pub mod fallible;
mod instruction_set;
mod kernel;
mod loss_scale;
mod memory;
mod moments;
mod non_finite;
mod norm;
mod number;
mod optimizer;
mod optimizers;
mod option_types;
mod options;
mod presets;
mod rule;
mod scalar;
mod schedule;
mod schedules;
mod shape;
mod state;
mod strong_wolfe;
mod sweep;
mod team;
mod view;

pub use brief::Brief;
pub use clip::{Clip, Prepare};
pub use closure_step::{ClosureStep, Learned};
pub use curve::{Curve, schedule_definition};
pub use error::{Code, Error, Result, Results};
pub use instruction_set::InstructionSet;
pub use loss_scale::LossScale;
pub use memory::{Elements, Plain, state_memory};
pub use non_finite::{NonFinite, non_finite_gradient};
pub use norm::sum_of_squares;
pub use number::Number;
pub use optimizer::{Counts, Curvature, Group, Optimizer, definition};
pub use optimizers::CATALOG;
pub use optimizers::lbfgs::{Memory, Objective};
pub use option_types::{OptionType, count};
pub use options::{
    Kind, Limit, OptionSet, OptionSpec, Value, defaults, further_change, next_option, parse, positional,
};
pub use presets::{PRESETS, Preset};
pub use rule::Definition;
pub use scalar::{Reduced, Scalar};
pub use schedule::Schedule;
pub use schedules::SCHEDULES;
pub use shape::{Children, ScheduleDefinition};
pub use state::{Averaged, Buffer, BufferType, MAX_BUFFERS, MOST_STEPS, RULE_BUFFERS, State};
pub use sweep::{Outcome, StepOptions};
pub use view::View;
