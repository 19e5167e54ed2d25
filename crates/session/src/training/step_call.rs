//! A step with the options of its call.

use stepwell_optim::{Clip, NonFinite};

use crate::nn::loss::LossFunction;
use crate::training::data_loader::TrainOptions;
use crate::training::metrics::Metric;
use crate::training::step_options::StepSettings;

/// The options with which a step is made.
#[derive(Clone, Copy)]
#[cfg_attr(target_family = "wasm", expect(dead_code, reason = "WebAssembly has one process"))]
pub(crate) struct StepCall<'a> {
    pub(crate) clip: Clip,
    pub(crate) zerograd: bool,
    pub(crate) nonfinite: NonFinite,
    /// `None` for a step that is called alone.
    pub(crate) train: Option<TrainCall<'a>>,
}

/// The training that a step is one of.
#[derive(Clone, Copy)]
#[cfg_attr(target_family = "wasm", expect(dead_code, reason = "WebAssembly has one process"))]
pub(crate) struct TrainCall<'a> {
    pub(crate) options: &'a TrainOptions,
    pub(crate) metrics: &'a [Metric],
    /// `None` for a function of the program.
    pub(crate) loss: Option<&'a LossFunction>,
}

impl StepCall<'_> {
    /// A step without options.
    pub(crate) const PLAIN: Self =
        Self { clip: Clip::None, zerograd: false, nonfinite: NonFinite::Propagate, train: None };
}

impl From<&StepSettings> for StepCall<'_> {
    fn from(settings: &StepSettings) -> Self {
        Self { clip: settings.clip, zerograd: settings.zerograd, nonfinite: settings.nonfinite, train: None }
    }
}
