//! Modules and losses.

pub(crate) mod buffer_snapshot;
pub(crate) mod callback;
pub(crate) mod container;
pub(crate) mod context;
pub(crate) mod evaluation;
pub(crate) mod function_layer;
pub(crate) mod host;
pub(crate) mod initialization;
pub(crate) mod kind_names;
pub(crate) mod layer;
pub(crate) mod layer_kind;
pub(crate) mod layers;
pub(crate) mod loss;
pub(crate) mod module;
pub(crate) mod module_copy;
pub(crate) mod module_state;
pub(crate) mod named_options;
pub(crate) mod specification;
pub(crate) mod ties;
