//! The objects of a run on their way into the session: described and checked first, changed later.

use stepwell_optim::{Error, Result, Shared};

use crate::commands::array_store::ArrayStore;
use crate::commands::run_changes::{Change, Made, Prepared, SharedOptimizer};
use crate::commands::run_part::Part;
use crate::commands::state_entries::{dictionary, find};
use crate::engine::Engine;
use crate::nn::module::Module;
use crate::session::{Object, Session};
use crate::values::handle::ObjectKind;
use crate::values::value::Value;

/// A tensor, a vector or a dictionary with its name. True for a dictionary.
type LooseTensors<E> = (String, Vec<(String, <E as Engine>::Tensor)>, bool);

/// Objects under preparation.
pub(crate) struct LoadedRun<'a, E: Engine> {
    pub(crate) session: &'a mut Session<E>,
    pub(crate) arrays: &'a ArrayStore,
    /// The modules by name: given ones, and then those that were made.
    pub(crate) modules: Vec<(String, Shared<Module<E>>)>,
    /// The new models whose modules are made already.
    pub(crate) models_with_module: Vec<String>,
    /// Tensors, vectors and dictionaries by name.
    pub(crate) loose: Vec<LooseTensors<E>>,
    pub(crate) optimizers: Vec<(String, SharedOptimizer<E>)>,
    pub(crate) changes: Vec<Change<E>>,
    pub(crate) made: Vec<(String, Made<E>)>,
    /// The part that is loaded, if it is not all.
    pub(crate) part: Option<Part<'a>>,
}

impl<'a, E: Engine> LoadedRun<'a, E> {
    pub(crate) fn new(session: &'a mut Session<E>, arrays: &'a ArrayStore) -> Self {
        Self {
            session,
            arrays,
            modules: Vec::new(),
            models_with_module: Vec::new(),
            loose: Vec::new(),
            optimizers: Vec::new(),
            changes: Vec::new(),
            made: Vec::new(),
            part: None,
        }
    }

    pub(crate) fn finish(self) -> Prepared<E> {
        Prepared { made: self.made, changes: self.changes, report: self.part.and_then(Part::into_report) }
    }

    /// Finds the modules and optimizers that are given, also as parts of a model.
    pub(crate) fn find_targets(&mut self, objects: &[(String, Value)], given: &[(String, Value)]) -> Result<()> {
        for (name, target) in given {
            let within = |error: Error| error.within(&format!("`{name}`"));
            let Value::Handle(handle) = target else { continue };
            let object = objects.iter().find(|(known, _)| known == name).map(|(_, object)| object);
            let (object, Some(kind)) = (object.and_then(|object| dictionary("object", object).ok()), handle.kind())
            else {
                continue;
            };
            let entries = object.unwrap_or_default();
            match kind {
                ObjectKind::Module => self.modules.push((name.clone(), self.session.module(*handle).map_err(within)?)),
                ObjectKind::Optimizer => {
                    let shared = self.session.shared_optimizer(*handle).map_err(within)?;
                    self.optimizers.push((name.clone(), Shared::clone(shared)));
                }
                ObjectKind::Model => {
                    let model = self.session.model(*handle).map_err(within)?;
                    let part = |key| match find(entries, key) {
                        Some(Value::String(owner)) => owner.clone(),
                        _ => name.clone(),
                    };
                    self.modules.push((part("module"), Shared::clone(&model.module)));
                    self.optimizers.push((part("optimizer"), Shared::clone(&model.optimizer)));
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(crate) fn make(&mut self, name: &str, object: Object<E>) {
        self.made.push((name.to_owned(), Made::Object(object)));
    }
}
