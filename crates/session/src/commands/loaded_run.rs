//! The objects of a run on their way into the session: described and checked first, changed later.

use std::collections::HashMap;

use stepwell_optim::{Code, Error, Result, Shared};

use crate::commands::array_store::ArrayStore;
use crate::commands::loose_tensors::loose_tensors;
use crate::commands::run_changes::{Change, Made, Prepared, SharedOptimizer};
use crate::commands::run_part::Part;
use crate::commands::run_sources::kind_of;
use crate::commands::saved_file::malformed;
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

/// The error of one thing that is given under two names.
fn shared(one: &str, other: &str, noun: &str) -> Error {
    let message = format!(
        "expected an object of its own for each object of the file, given `{one}` and `{other}` with one {noun}"
    );
    Error::new(Code::Argument, message)
}

/// Adds the part of a given object, which is the one of another if the file says so.
fn give<T>(
    known: &mut Vec<(String, Shared<T>)>,
    name: &str,
    owner: String,
    part: &str,
    given: Shared<T>,
) -> Result<()> {
    match known.iter().find(|(other, _)| *other == owner) {
        None => known.push((owner, given)),
        Some((_, other)) if Shared::ptr_eq(other, &given) => {}
        Some(_) => {
            let message = format!("`{name}`: the file has one {part} for it and `{owner}`, given another than its own");
            return Err(Error::new(Code::Argument, message));
        }
    }
    Ok(())
}

/// The name of the object that a part of a model is saved with.
fn owner_of(objects: &[(String, Value)], key: &str, owner: &str) -> Result<String> {
    let object = objects.iter().find(|(known, _)| known == owner);
    match object.and_then(|(_, object)| kind_of(object)) {
        Some(kind) if kind == key || kind == "model" => Ok(owner.to_owned()),
        _ if key == "module" => Err(malformed("a module of a model")),
        _ => Err(malformed("an optimizer of a model")),
    }
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
                ObjectKind::Module => {
                    let module = self.session.module(*handle).map_err(within)?;
                    give(&mut self.modules, name, name.clone(), "module", module)?;
                }
                ObjectKind::Optimizer => {
                    let shared = Shared::clone(self.session.shared_optimizer(*handle).map_err(within)?);
                    give(&mut self.optimizers, name, name.clone(), "optimizer", shared)?;
                }
                ObjectKind::Model => {
                    let model = self.session.model(*handle).map_err(within)?;
                    let part = |key| match find(entries, key) {
                        Some(Value::String(owner)) => owner_of(objects, key, owner).map_err(within),
                        _ => Ok(name.clone()),
                    };
                    give(&mut self.modules, name, part("module")?, "module", Shared::clone(&model.module))?;
                    let optimizer = Shared::clone(&model.optimizer);
                    give(&mut self.optimizers, name, part("optimizer")?, "optimizer", optimizer)?;
                }
                _ => {}
            }
        }
        self.check_shared(given)
    }

    /// Fails if given objects of two names share a tensor or an optimizer: it would get what the file has for the last one.
    fn check_shared(&self, given: &[(String, Value)]) -> Result<()> {
        let mut owners: HashMap<u64, &str> = HashMap::new();
        let mut check = |name, tensor: &E::Tensor| match owners.insert(self.session.engine.identity(tensor), name) {
            Some(other) if other != name => Err(shared(other, name, "tensor")),
            _ => Ok(()),
        };
        for (name, module) in &self.modules {
            module.tensors_of_all().iter().try_for_each(|tensor| check(name, tensor))?;
        }
        for (name, target) in given {
            let Value::Handle(handle) = target else { continue };
            if let Some(ObjectKind::Tensor | ObjectKind::Vector | ObjectKind::Dictionary) = handle.kind() {
                let tensors = loose_tensors(self.session, *handle);
                let tensors = tensors.map_err(|error| error.within(&format!("`{name}`")))?;
                tensors.iter().try_for_each(|(_, tensor)| check(name, tensor))?;
            }
        }
        for (position, (name, optimizer)) in self.optimizers.iter().enumerate() {
            let before = self.optimizers[..position].iter().find(|(_, other)| Shared::ptr_eq(other, optimizer));
            if let Some((other, _)) = before {
                return Err(shared(other, name, "optimizer"));
            }
        }
        Ok(())
    }

    pub(crate) fn make(&mut self, name: &str, object: Object<E>) {
        self.made.push((name.to_owned(), Made::Object(object)));
    }
}
