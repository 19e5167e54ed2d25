//! A step with the options of its call.

use stepwell_optim::{Clip, NonFinite};

use crate::training::data_loader::TrainOptions;
use crate::training::step_options::StepSettings;

/// The options with which a step is made.
#[derive(Clone, Copy)]
#[cfg_attr(target_family = "wasm", expect(dead_code, reason = "WebAssembly has one process"))]
pub(crate) struct StepCall<'a> {
    pub(crate) clip: Clip,
    pub(crate) zerograd: bool,
    pub(crate) nonfinite: NonFinite,
    /// The options of the training; `None` for a step that is called alone.
    pub(crate) train: Option<&'a TrainOptions>,
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
