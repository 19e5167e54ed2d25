//! Changes of given objects by the file of a run, and new objects.

use stepwell_optim::{Result, Shared, SharedCell};

use crate::commands::array_store::ArrayStore;
use crate::commands::data_positions::{LoaderState, set_loaders};
use crate::commands::loaded_optimizer::LoadedOptimizer;
use crate::commands::loaded_states::LoadedStates;
use crate::engine::Engine;
use crate::session::{Object, Session};
use crate::training::bound_optimizer::BoundOptimizer;
use crate::values::handle::Handle;
use crate::values::value::Value;

pub(crate) type SharedOptimizer<E> = Shared<SharedCell<BoundOptimizer<E>>>;

/// A change of a given object, made once everything is checked.
pub(crate) enum Change<E: Engine> {
    /// A tensor gets the elements of an array.
    Elements {
        array: String,
        to: E::Tensor,
    },
    /// The parameters of a module are frozen or trained.
    Gradients {
        flags: Vec<(E::Tensor, bool)>,
    },
    Optimizer {
        target: SharedOptimizer<E>,
        loaded: Box<LoadedOptimizer<E>>,
    },
    /// An optimizer gets the state of some parameters.
    States {
        target: SharedOptimizer<E>,
        loaded: Box<LoadedStates>,
    },
    Model {
        handle: Handle,
        loaders: Box<[LoaderState; 2]>,
    },
}

impl<E: Engine> Change<E> {
    pub(crate) fn apply(self, session: &mut Session<E>, arrays: &ArrayStore) -> Result<()> {
        match self {
            Change::Elements { array, to } => arrays.fill_tensor(&array, &session.engine, &to),
            Change::Gradients { flags } => {
                flags.iter().try_for_each(|(tensor, flag)| session.engine.set_requires_grad(tensor, *flag))
            }
            Change::Optimizer { target, loaded } => {
                let mut own = target.borrow_mut();
                #[cfg_attr(target_family = "wasm", expect(unused_mut, reason = "WebAssembly has one process"))]
                let mut bound = loaded.complete(arrays, Some(&mut own))?;
                session.scales_losses |= bound.optimizer.loss_scale.is_some();
                #[cfg(not(target_family = "wasm"))]
                bound.go_on_with(&session.engine, &mut own)?;
                *own = bound;
                Ok(())
            }
            Change::States { target, loaded } => loaded.complete(&session.engine, arrays, &mut target.borrow_mut()),
            Change::Model { handle, loaders } => set_loaders(session.model_mut(handle)?.0, *loaders),
        }
    }
}

/// A new object, or plain data.
pub(crate) enum Made<E: Engine> {
    Data(Value),
    Object(Object<E>),
}

/// New objects by their names, changes of given ones, and a report unless all has to fit.
pub(crate) struct Prepared<E: Engine> {
    pub(crate) made: Vec<(String, Made<E>)>,
    pub(crate) changes: Vec<Change<E>>,
    pub(crate) report: Option<Value>,
}
