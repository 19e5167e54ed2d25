//! Optimizers with their parameters, and the training of models.

#[cfg(not(target_family = "wasm"))]
pub(crate) mod agreement;
pub(crate) mod bound_optimizer;
pub(crate) mod clip;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod common_options;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod common_tensors;
pub(crate) mod data_loader;
#[cfg_attr(target_family = "wasm", path = "one_process.rs")]
pub(crate) mod data_parallel;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod device_parameters;
pub(crate) mod engine_access;
pub(crate) mod failed_calls;
pub(crate) mod frozen_parameters;
pub(crate) mod lbfgs_step;
pub(crate) mod metrics;
pub(crate) mod model;
pub(crate) mod non_finite;
pub(crate) mod parameter_list;
pub(crate) mod parameter_registry;
pub(crate) mod passes;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod same_objects;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod sharded_state;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod sharding;
pub(crate) mod step_call;
pub(crate) mod step_mode;
pub(crate) mod step_options;
pub(crate) mod swap_averages;
