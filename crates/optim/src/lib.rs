//! Optimizers as plain Rust: options, parameter groups, state, and the update formulas as fused loops over slices.
//!
//! Knows no tensor library, no JavaScript and no operating system; builds for `wasm32-unknown-unknown`.

mod clip;
mod curve;
mod error;
mod kernel;
mod moments;
mod norm;
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
mod view;

pub use clip::{Clip, Prepare};
pub use curve::{Curve, schedule_definition};
pub use error::{Code, Error, Result};
pub use norm::sum_of_squares;
pub use optimizer::{ClosureStep, Counts, Curvature, Group, Optimizer, definition};
pub use optimizers::CATALOG;
pub use optimizers::lbfgs::{Memory, Objective};
pub use option_types::{OptionType, count};
pub use options::{Kind, Limit, OptionSet, OptionSpec, Value, defaults, further_change, parse, positional};
pub use presets::{PRESETS, Preset};
pub use rule::Definition;
pub use scalar::Scalar;
pub use schedule::Schedule;
pub use schedules::SCHEDULES;
pub use shape::{Children, ScheduleDefinition};
pub use state::{Buffer, MAX_BUFFERS, State};
pub use view::View;
