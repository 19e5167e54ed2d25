//! The list of optimizers. To add one: its file, its line here, its recording in `test/parity`.

pub(crate) mod presets;

use crate::rule::{Definition, each};

macro_rules! optimizers {
    ($($module:ident => $definition:expr,)*) => {
        $(pub(crate) mod $module;)*

        /// Every optimizer, by name in alphabetical order.
        pub static CATALOG: &[Definition] = &[$($definition,)*];
    };
}

optimizers! {
    adagrad => each::<adagrad::Adagrad>(),
    adam => each::<adam::Adam>(),
    adamw => each::<adamw::AdamW>(),
    lamb => each::<lamb::Lamb>(),
    lbfgs => lbfgs::DEFINITION,
    rmsprop => each::<rmsprop::RmsProp>(),
    sgd => each::<sgd::Sgd>(),
}
