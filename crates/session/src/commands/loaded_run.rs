//! The objects of a run on their way into the session: described and checked first, changed later.

use stepwell_optim::{Code, Error, Result, Shared, SharedCell};

use crate::commands::array_store::ArrayStore;
use crate::commands::data_positions::{LoaderState, check_positions, loader_state, set_loaders};
use crate::commands::loaded_optimizer::{LoadedOptimizer, fills_of};
use crate::commands::restore::{Origin, restored};
use crate::commands::saved_file::malformed;
use crate::commands::state_entries::{Entries, dictionary, entry, find, list, text};
use crate::engine::Engine;
use crate::nn::context::InitContext;
use crate::nn::loss::LossFunction;
use crate::nn::module::{Module, Named};
use crate::nn::module_state::{self, joined};
use crate::random::Random;
use crate::session::{Object, Session};
use crate::training::bound_optimizer::BoundOptimizer;
use crate::training::model::Model;
use crate::values::convert::named_options;
use crate::values::data::Data;
use crate::values::dedupe::{first_positions, positions_of};
use crate::values::handle::{Handle, ObjectKind};
use crate::values::named_arrays::{put, referenced};
use crate::values::value::{NumericArray, Value};

type SharedOptimizer<E> = Shared<SharedCell<BoundOptimizer<E>>>;

/// In this order they are loaded.
pub(crate) const KINDS: [&str; 8] = ["data", "tensor", "vector", "dictionary", "loss", "module", "optimizer", "model"];

pub(crate) fn kind_of(object: &Value) -> Option<&str> {
    match object {
        Value::Object(entries) => match find(entries, "kind") {
            Some(Value::String(kind)) => Some(kind),
            _ => None,
        },
        _ => None,
    }
}

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
                let bound = loaded.complete(arrays, Some(&mut own))?;
                session.scales_losses |= bound.optimizer.loss_scale.is_some();
                *own = bound;
                Ok(())
            }
            Change::Model { handle, loaders } => set_loaders(session.model_mut(handle)?.0, *loaders),
        }
    }
}

/// A tensor, a vector or a dictionary with its name. True for a dictionary.
type LooseTensors<E> = (String, Vec<(String, <E as Engine>::Tensor)>, bool);

/// Objects under preparation.
pub(crate) struct LoadedRun<'a, E: Engine> {
    session: &'a mut Session<E>,
    arrays: &'a ArrayStore,
    /// The modules by name: given ones, and then those that were made.
    modules: Vec<(String, Shared<Module<E>>)>,
    /// Tensors, vectors and dictionaries by name.
    loose: Vec<LooseTensors<E>>,
    optimizers: Vec<(String, SharedOptimizer<E>)>,
    changes: Vec<Change<E>>,
    made: Vec<(String, Made<E>)>,
}

/// A new object, or plain data.
pub(crate) enum Made<E: Engine> {
    Data(Value),
    Object(Object<E>),
}

/// New objects by their names, and changes of given ones.
pub(crate) type Prepared<E> = (Vec<(String, Made<E>)>, Vec<Change<E>>);

impl<'a, E: Engine> LoadedRun<'a, E> {
    pub(crate) fn new(session: &'a mut Session<E>, arrays: &'a ArrayStore) -> Self {
        Self {
            session,
            arrays,
            modules: Vec::new(),
            loose: Vec::new(),
            optimizers: Vec::new(),
            changes: Vec::new(),
            made: Vec::new(),
        }
    }

    pub(crate) fn finish(self) -> Prepared<E> {
        (self.made, self.changes)
    }

    /// Finds the modules and optimizers that are given, also as parts of a model.
    pub(crate) fn find_targets(&mut self, objects: &[(String, Value)], given: &[(String, Value)]) -> Result<()> {
        for (name, target) in given {
            let within = |error: Error| error.within(&format!("`{name}`"));
            let Value::Handle(handle) = target else { continue };
            let object = objects.iter().find(|(known, _)| known == name).map(|(_, object)| object);
            let (Some(Value::Object(entries)), Some(kind)) = (object, handle.kind()) else { continue };
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

    /// Describes an object and checks it against its target; what it changes is done later.
    pub(crate) fn prepare(&mut self, name: &str, object: Value, target: Option<&Value>) -> Result<()> {
        let kind = kind_of(&object).ok_or_else(|| malformed("the kind of an object"))?.to_owned();
        let Value::Object(entries) = object else { return Err(malformed("a dictionary")) };
        let expected = match kind.as_str() {
            "data" => None,
            "tensor" => Some(ObjectKind::Tensor),
            "vector" => Some(ObjectKind::Vector),
            "dictionary" => Some(ObjectKind::Dictionary),
            "loss" => Some(ObjectKind::Loss),
            "module" => Some(ObjectKind::Module),
            "optimizer" => Some(ObjectKind::Optimizer),
            "model" => Some(ObjectKind::Model),
            other => return Err(Error::new(Code::Format, format_args!("unknown kind of object `{other}`"))),
        };
        let handle = match (target, expected) {
            (None, _) => None,
            (Some(Value::Handle(handle)), Some(expected)) if handle.kind() == Some(expected) => Some(*handle),
            (Some(other), Some(expected)) => {
                let message = format_args!("the file has {} here, given {other}", expected.with_article());
                return Err(Error::new(Code::HandleKind, message));
            }
            (Some(other), None) => {
                let message = format_args!("the file has plain data here, which load returns, given {other}");
                return Err(Error::new(Code::Argument, message));
            }
        };
        match kind.as_str() {
            "data" => {
                let value = entries.into_iter().find(|(key, _)| key == "value").map(|(_, value)| value);
                let mut value = value.unwrap_or(Value::Null);
                put(&mut value, &mut |array| self.arrays.read(array))?;
                self.made.push((name.to_owned(), Made::Data(value)));
            }
            "loss" => {
                let loss = loss(entry(&entries, "loss")?)?;
                match handle {
                    None => self.make(name, Object::Loss(loss)),
                    Some(handle) => check_loss(self.session.loss(handle)?, &loss)?,
                }
            }
            "module" => {
                let module = self.module(name, entry(&entries, "state")?, entry(&entries, "frozen")?)?;
                if handle.is_none() {
                    self.make(name, Object::Module(module));
                }
            }
            "optimizer" => {
                let optimizer = self.optimizer(name, &entries)?;
                match handle {
                    Some(handle) => self.session.check_not_stepping(handle)?,
                    None => self.make(name, Object::Optimizer(optimizer)),
                }
            }
            "model" => self.model(name, entries, handle)?,
            kind => self.tensors(name, kind, &entries, handle)?,
        }
        Ok(())
    }

    fn make(&mut self, name: &str, object: Object<E>) {
        self.made.push((name.to_owned(), Made::Object(object)));
    }

    /// A tensor, a vector or a dictionary.
    fn tensors(&mut self, name: &str, kind: &str, entries: &Entries, handle: Option<Handle>) -> Result<()> {
        let (keys, elements) = (list(entries, "keys")?, list(entries, "elements")?);
        let trained = list(entries, "gradient")?;
        let mut own: Vec<(String, E::Tensor)> = Vec::new();
        for ((key, array), trained) in keys.iter().zip(elements).zip(trained) {
            let (Value::String(key), Some(array)) = (key, referenced(array)) else { return Err(malformed("elements")) };
            let (dtype, shape) = self.arrays.describe(array)?;
            if handle.is_none() {
                let engine = &self.session.engine;
                let tensor = engine.blank(dtype, &shape)?;
                if *trained == Value::Bool(true) {
                    engine.set_requires_grad(&tensor, true)?;
                }
                self.arrays.fill_tensor(array, engine, &tensor)?;
                own.push((key.clone(), tensor));
            }
        }
        let Some(handle) = handle else {
            let mut tensors: Vec<_> = own.iter().map(|(_, tensor)| tensor.clone()).collect();
            self.loose.push((name.to_owned(), own.clone(), kind == "dictionary"));
            let object = match (kind, tensors.pop()) {
                ("tensor", Some(tensor)) => Object::Tensor(tensor),
                ("tensor", None) => return Err(malformed("elements of a tensor")),
                ("vector", last) => {
                    tensors.extend(last);
                    Object::Vector(tensors)
                }
                _ => Object::Dictionary(own),
            };
            self.make(name, object);
            return Ok(());
        };
        let targets: Vec<(String, E::Tensor)> = match self.session.object(handle)? {
            Object::Tensor(tensor) => vec![(String::new(), tensor.clone())],
            Object::Vector(tensors) => {
                tensors.iter().enumerate().map(|(position, tensor)| (position.to_string(), tensor.clone())).collect()
            }
            Object::Dictionary(entries) => entries.clone(),
            _ => return Err(malformed("tensors")),
        };
        let mut saved = Vec::new();
        for (key, array) in keys.iter().zip(elements) {
            let (Value::String(key), Some(array)) = (key, referenced(array)) else { return Err(malformed("elements")) };
            saved.push((key.clone(), array.to_owned()));
        }
        self.fill_by_name(&targets, &saved)?;
        self.loose.push((name.to_owned(), targets, kind == "dictionary"));
        Ok(())
    }

    /// Sets the elements of tensors from the arrays of their names. Both have the same names.
    fn fill_by_name(&mut self, targets: &[(String, E::Tensor)], saved: &[(String, String)]) -> Result<()> {
        let engine = &self.session.engine;
        self.session.check_not_line_searched(&mut targets.iter().map(|(_, tensor)| tensor))?;
        let mut identities = Vec::new();
        for (_, tensor) in targets {
            identities.push(engine.identity(tensor));
        }
        let firsts = first_positions(&identities)?;
        let names: Vec<&str> = saved.iter().map(|(name, _)| name.as_str()).collect();
        let known: Vec<&str> = targets.iter().map(|(name, _)| name.as_str()).collect();
        let positions = positions_of(&names, &known)?;
        let mut filled = vec![false; targets.len()];
        for ((name, array), position) in saved.iter().zip(positions) {
            let Some((_, target)) = targets.get(position) else {
                let message = format_args!("the file has `{name}`, which the object does not have");
                return Err(Error::new(Code::Parameter, message));
            };
            let (given_dtype, given) = self.arrays.describe(array)?;
            let (expected_dtype, expected) = (engine.dtype(target)?, engine.shape(target)?);
            if expected != given {
                let message = format_args!("`{name}`: expected shape {expected:?}, given {given:?}");
                return Err(Error::new(Code::Shape, message));
            }
            if expected_dtype != given_dtype {
                let (expected, given) = (expected_dtype.name(), given_dtype.name());
                let message = format_args!("`{name}`: expected dtype {expected}, given {given}");
                return Err(Error::new(Code::Dtype, message));
            }
            if std::mem::replace(&mut filled[firsts[position]], true) {
                // The file has two values for one tensor, which may be equal.
                let before = saved.iter().zip(&names).find(|(_, other)| {
                    known.iter().position(|known| known == *other).is_some_and(|at| firsts[at] == firsts[position])
                });
                let is_equal = match before {
                    Some(((_, first), _)) => self.arrays.read(first)? == self.arrays.read(array)?,
                    None => true,
                };
                if !is_equal {
                    let message =
                        format_args!("`{name}` is a tensor of another name too, with other elements in the file");
                    return Err(Error::new(Code::Format, message));
                }
            }
            self.changes.push(Change::Elements { array: array.clone(), to: target.clone() });
        }
        match firsts.iter().position(|first| !filled[*first]) {
            None => Ok(()),
            Some(position) => {
                let name = known[position];
                Err(Error::new(Code::Parameter, format_args!("the file has no `{name}`, which the object has")))
            }
        }
    }

    /// The module of a name: the given one, whose tensors are to be set, or a new one.
    fn module(&mut self, name: &str, state: &Value, frozen: &Value) -> Result<Shared<Module<E>>> {
        let saved = arrays_of_rows(state)?;
        let target = self.modules.iter().find(|(known, _)| known == name).map(|(_, module)| Shared::clone(module));
        let (module, is_given) = match target {
            Some(target) => (target, true),
            None => {
                let mut described = state.clone();
                put(&mut described, &mut |array| self.placeholder(array))?;
                // Restoring draws no random numbers from the session.
                let mut context = InitContext {
                    engine: &self.session.engine,
                    random: &mut Random::new(0),
                    parts: Vec::new(),
                    remaining: usize::MAX,
                    is_blank: true,
                };
                let made = module_state::restore(&described, &mut context)?;
                made.check_extent()?;
                self.modules.push((name.to_owned(), Shared::clone(&made)));
                (made, false)
            }
        };
        let tensors = module.parameters_and_buffers().into_iter().map(|Named { name, tensor, .. }| (name, tensor));
        let tensors: Vec<(String, E::Tensor)> = tensors.collect();
        let count = self.changes.len();
        self.fill_by_name(&tensors, &saved)?;
        let Value::Array(frozen) = frozen else { return Err(malformed("names of frozen parameters")) };
        let mut flags = Vec::new();
        for Named { name, tensor, .. } in module.parameters() {
            let is_frozen = frozen.iter().any(|known| matches!(known, Value::String(known) if *known == name));
            if self.session.engine.requires_grad(&tensor) == is_frozen {
                flags.push((tensor, !is_frozen));
            }
        }
        if !flags.is_empty() {
            self.changes.push(Change::Gradients { flags });
        }
        if !is_given {
            for change in self.changes.split_off(count) {
                change.apply(self.session, self.arrays)?;
            }
        }
        Ok(module)
    }

    /// An array without elements, of the type and shape of one of the file.
    fn placeholder(&self, array: &str) -> Result<NumericArray> {
        let (dtype, shape) = self.arrays.describe(array)?;
        Ok(NumericArray { data: Data::empty(dtype), shape })
    }

    /// The optimizer of a name: the given one, whose state is to be set, or a new one.
    fn optimizer(&mut self, name: &str, entries: &[(String, Value)]) -> Result<SharedOptimizer<E>> {
        let state = entry(entries, "state")?;
        let is_of_curvature =
            matches!(find(dictionary("state", state)?, "optimizer"), Some(Value::String(name)) if name == "lbfgs");
        let mut described = state.clone();
        put(&mut described, &mut |array| {
            if is_of_curvature { self.arrays.read(array) } else { self.placeholder(array) }
        })?;
        let mut origins: Vec<(String, Origin<E>)> = Vec::new();
        for (name, module) in &self.modules {
            origins.push((name.clone(), Origin::Module(Shared::clone(module))));
        }
        for (name, tensors, is_named) in &self.loose {
            origins.push((name.clone(), Origin::Loose { tensors: tensors.clone(), is_named: *is_named }));
        }
        let restored = restored(self.session, dictionary("state", &described)?, &origins)?;
        let fills = if is_of_curvature { Vec::new() } else { fills_of(dictionary("state", state)?, &restored)? };
        let target = self.optimizers.iter().find(|(known, _)| known == name).map(|(_, target)| Shared::clone(target));
        let Some(target) = target else {
            let loaded = LoadedOptimizer::new(&self.session.engine, self.arrays, restored, fills, None)?;
            let bound = loaded.complete(self.arrays, None)?;
            self.session.scales_losses |= bound.optimizer.loss_scale.is_some();
            let shared = Shared::new(SharedCell::new(bound));
            self.optimizers.push((name.to_owned(), Shared::clone(&shared)));
            return Ok(shared);
        };
        let loaded = {
            let Ok(own) = target.try_borrow() else {
                return Err(Error::new(Code::Busy, "its step is not over yet"));
            };
            LoadedOptimizer::new(&self.session.engine, self.arrays, restored, fills, Some(&own))?
        };
        self.changes.push(Change::Optimizer { target: Shared::clone(&target), loaded: Box::new(loaded) });
        Ok(target)
    }

    fn model(&mut self, name: &str, mut entries: Vec<(String, Value)>, handle: Option<Handle>) -> Result<()> {
        let module = match entry(&entries, "module")? {
            Value::String(owner) => {
                let known = self.modules.iter().find(|(known, _)| known == owner);
                Shared::clone(known.map(|(_, module)| module).ok_or_else(|| malformed("a module of a model"))?)
            }
            state => self.module(name, state, entry(&entries, "frozen")?)?,
        };
        let optimizer = match entry(&entries, "optimizer")? {
            Value::String(owner) => {
                let known = self.optimizers.iter().find(|(known, _)| known == owner);
                Shared::clone(
                    known.map(|(_, optimizer)| optimizer).ok_or_else(|| malformed("an optimizer of a model"))?,
                )
            }
            state => self.optimizer(name, dictionary("optimizer", state)?)?,
        };
        for (key, value) in &mut entries {
            if key == "train" || key == "test" {
                put(value, &mut |array| self.arrays.read(array))?;
            }
        }
        let loaders = [loader_state(&entries, "train")?, loader_state(&entries, "test")?];
        let loss = match entry(&entries, "loss")? {
            Value::Null => None,
            saved => Some(loss(saved)?),
        };
        let Some(handle) = handle else {
            let loss = loss.ok_or_else(|| {
                let message = "its loss is a function of the program that saved it: make a model, and give it to load";
                Error::new(Code::Argument, message)
            })?;
            let mut model = Model::new(module, loss, optimizer)?;
            check_positions(&model, &loaders)?;
            set_loaders(&mut model, loaders)?;
            self.make(name, Object::Model(Box::new(model)));
            return Ok(());
        };
        self.session.check_not_stepping(handle)?;
        let model = self.session.model(handle)?;
        if let (Some(loss), None) = (&loss, model.own_loss) {
            check_loss(&model.loss, loss)?;
        }
        check_positions(model, &loaders)?;
        self.changes.push(Change::Model { handle, loaders: Box::new(loaders) });
        Ok(())
    }
}

/// The names of the tensors in rows of a module, each with the name of its array.
fn arrays_of_rows(rows: &Value) -> Result<Vec<(String, String)>> {
    let paths = module_state::paths_of(rows)?;
    let Value::Array(list) = rows else { return Err(malformed("rows of a module")) };
    let mut saved = Vec::new();
    for (row, path) in list.iter().zip(&paths) {
        for column in ["parms", "buffers"] {
            for (name, value) in dictionary(column, entry(dictionary("row", row)?, column)?)? {
                // A text is the name of a tensor that has another place.
                if let Some(array) = referenced(value) {
                    saved.push((joined(path, name), array.to_owned()));
                }
            }
        }
    }
    Ok(saved)
}

fn loss(saved: &Value) -> Result<LossFunction> {
    let entries = dictionary("loss", saved)?;
    let options = dictionary("options", entry(entries, "options")?)?;
    LossFunction::new(text(entries, "name")?, &named_options(options.to_vec())?)
}

fn check_loss(own: &LossFunction, saved: &LossFunction) -> Result<()> {
    if (own.name(), own.options()) == (saved.name(), saved.options()) {
        return Ok(());
    }
    let message =
        format_args!("expected the loss of the file, {} with its options, given {}", saved.name(), own.name());
    Err(Error::new(Code::Argument, message))
}
