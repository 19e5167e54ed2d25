//! The list of optimizers. A new one needs its file, its line here and its recording in `test/parity`.

pub(crate) mod definition;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod presets;

use crate::error::{Code, Error, Result};
use crate::joined::joined;
use crate::optimizers::definition::{Definition, define};

macro_rules! optimizers {
    ($($module:ident => $definition:expr,)*) => {
        $(pub(crate) mod $module;)*

        /// Every optimizer, by name in alphabetical order.
        pub static CATALOG: &[Definition] = &[$($definition,)*];
    };
}

optimizers! {
    adagrad => define::<adagrad::Adagrad>(),
    adam => define::<adam::Adam>(),
    adamw => define::<adamw::AdamW>(),
    lamb => define::<lamb::Lamb>(),
    lbfgs => lbfgs::DEFINITION,
    rmsprop => define::<rmsprop::RmsProp>(),
    sgd => define::<sgd::Sgd>(),
}

/// Looks an optimizer up by name.
pub fn definition(name: &str) -> Result<&'static Definition> {
    CATALOG.iter().find(|definition| definition.name == name).ok_or_else(|| {
        let known: Vec<_> = CATALOG.iter().map(|definition| definition.name).collect();
        let message = format_args!("unknown optimizer `{name}`, expected one of {}", joined(&known, ", "));
        Error::new(Code::UnknownName, message)
    })
}
