//! Handles, verbs, modules and losses, generic over the tensor [`Engine`].
//!
//! A binding converts arguments to [`Dynamic`] values, calls [`Session::call`], and converts the result back.

mod arguments;
mod average;
mod busy_guard;
#[cfg(any(test, target_family = "wasm"))]
mod chacha;
#[cfg(not(target_arch = "wasm32"))]
mod checkpoint;
mod clip;
mod closure;
mod container;
mod data;
mod device;
mod dynamic;
mod element;
mod engine;
mod frozen;
mod handle;
mod identity;
mod library;
mod loss;
mod metrics;
mod model;
mod module;
mod module_state;
mod modules;
mod non_finite;
mod random;
mod running;
mod samples;
mod scaled;
mod selection;
mod session;
mod statistics;
mod step;
mod stepped;
mod trainer;
mod verbs;

pub use busy_guard::BusyGuard;
pub use closure::closure_failed;
pub use data::{Data, Differentiable, Dtype, Slice, SliceMut};
pub use device::Device;
pub use dynamic::{Array, Dynamic};
pub use engine::{Activation, BatchNorm, Engine, Loss, Reduction, Window};
pub use handle::{Handle, Kind};
pub use identity::first_places;
pub use library::{LibraryEach, LibraryGroup, LibraryOptimizer, Minimize, only_fused};
pub use session::Session;
