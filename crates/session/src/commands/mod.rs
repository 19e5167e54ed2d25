//! The verbs of the k-api: each takes arguments, checks them, and works on the session.

#[cfg_attr(target_arch = "wasm32", path = "no_files.rs")]
pub(crate) mod files;
pub(crate) mod gradients;
pub(crate) mod help;
pub(crate) mod losses;
pub(crate) mod models;
pub(crate) mod modules;
pub(crate) mod objects;
pub(crate) mod optimizers;
pub(crate) mod restore;
pub(crate) mod scaling;
pub(crate) mod schedules;
pub(crate) mod state;
pub(crate) mod tensors;
