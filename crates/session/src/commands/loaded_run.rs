//! The objects of the file of a run on their way into the session: read and checked first, changed later.

use stepwell_optim::{Code, Error, Result, Shared, SharedCell};

use crate::commands::data_positions::{LoaderState, check_positions, loader_state, set_loaders};
use crate::commands::restore::restored;
use crate::commands::saved_file::malformed;
use crate::commands::state_entries::{Entries, dictionary, entry, find, text};
use crate::engine::Engine;
use crate::nn::context::InitContext;
use crate::nn::loss::LossFunction;
use crate::nn::module::Module;
use crate::nn::{module_copy, module_state};
use crate::random::Random;
use crate::session::{Object, Session};
use crate::training::bound_optimizer::BoundOptimizer;
use crate::training::model::Model;
use crate::values::convert::named_options;
use crate::values::device::Device;
use crate::values::handle::{Handle, ObjectKind};
use crate::values::value::Value;

type SharedOptimizer<E> = Shared<SharedCell<BoundOptimizer<E>>>;

/// In this order they are loaded.
pub(crate) const KINDS: [&str; 6] = ["data", "tensor", "loss", "module", "optimizer", "model"];

pub(crate) fn kind_of(object: &Value) -> Option<&str> {
    match object {
        Value::Object(entries) => match find(entries, "kind") {
            Some(Value::String(kind)) => Some(kind),
            _ => None,
        },
        _ => None,
    }
}

/// A change of the session, made once everything was read and checked.
pub(crate) enum Change<E: Engine> {
    Copy { from: E::Tensor, to: E::Tensor },
    Optimizer { target: SharedOptimizer<E>, bound: Box<BoundOptimizer<E>> },
    Model { handle: Handle, loaders: Box<[LoaderState; 2]> },
}

impl<E: Engine> Change<E> {
    pub(crate) fn apply(self, session: &mut Session<E>) -> Result<()> {
        match self {
            Change::Copy { from, to } => session.engine.copy(&from, &to),
            Change::Optimizer { target, bound } => {
                session.scales_losses |= bound.optimizer.loss_scale.is_some();
                *target.borrow_mut() = *bound;
                Ok(())
            }
            Change::Model { handle, loaders } => set_loaders(session.model_mut(handle)?.0, *loaders),
        }
    }
}

/// Objects under preparation.
pub(crate) struct LoadedRun<'a, E: Engine> {
    pub(crate) session: &'a mut Session<E>,
    /// The modules by name: given ones, and then those that were made.
    pub(crate) modules: Vec<(String, Shared<Module<E>>)>,
    pub(crate) optimizers: Vec<(String, SharedOptimizer<E>)>,
    pub(crate) changes: Vec<Change<E>>,
    pub(crate) made: Vec<(String, Made<E>)>,
}

/// A new object, or plain data.
pub(crate) enum Made<E: Engine> {
    Data(Value),
    Object(Object<E>),
}

impl<E: Engine> LoadedRun<'_, E> {
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

    /// Reads an object and checks it against its target; what it changes is done later.
    pub(crate) fn prepare(&mut self, name: &str, object: Value, target: Option<&Value>) -> Result<()> {
        let kind = kind_of(&object).ok_or_else(|| malformed("the kind of an object"))?.to_owned();
        let Value::Object(entries) = object else { return Err(malformed("a dictionary")) };
        let expected = match kind.as_str() {
            "data" => None,
            "tensor" => Some(ObjectKind::Tensor),
            "loss" => Some(ObjectKind::Loss),
            "module" => Some(ObjectKind::Module),
            "optimizer" => Some(ObjectKind::Optimizer),
            "model" => Some(ObjectKind::Model),
            other => return Err(Error::new(Code::Format, format!("unknown kind of object `{other}`"))),
        };
        let handle = match (target, expected) {
            (None, _) => None,
            (Some(Value::Handle(handle)), Some(expected)) if handle.kind() == Some(expected) => Some(*handle),
            (Some(other), Some(expected)) => {
                let message = format!("the file has {} here, given {other}", expected.with_article());
                return Err(Error::new(Code::HandleKind, message));
            }
            (Some(other), None) => {
                let message = format!("the file has plain data here, which load returns, given {other}");
                return Err(Error::new(Code::Argument, message));
            }
        };
        match kind.as_str() {
            "data" => {
                let value = entries.into_iter().find(|(key, _)| key == "value").map(|(_, value)| value);
                self.made.push((name.to_owned(), Made::Data(value.unwrap_or(Value::Null))));
            }
            "tensor" => self.tensor(name, &entries, handle)?,
            "loss" => {
                let loss = loss(entry(&entries, "loss")?)?;
                match handle {
                    None => self.make(name, Object::Loss(loss)),
                    Some(handle) => {
                        let own = self.session.loss(handle)?;
                        if (own.name(), own.options()) != (loss.name(), loss.options()) {
                            let message = format!("expected {} with the options of the file", loss.name());
                            return Err(Error::new(Code::Argument, message));
                        }
                    }
                }
            }
            "module" => {
                let module = self.module(name, entry(&entries, "state")?)?;
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
            _ => self.model(name, &entries, handle)?,
        }
        Ok(())
    }

    fn make(&mut self, name: &str, object: Object<E>) {
        self.made.push((name.to_owned(), Made::Object(object)));
    }

    fn tensor(&mut self, name: &str, entries: &Entries, handle: Option<Handle>) -> Result<()> {
        let Value::NumericArray(array) = entry(entries, "elements")? else { return Err(malformed("elements")) };
        let engine = &self.session.engine;
        let made = engine.tensor(&array.data, &array.shape, Device::Cpu)?;
        let Some(handle) = handle else {
            if find(entries, "gradient") == Some(&Value::Bool(true)) {
                engine.set_requires_grad(&made, true)?;
            }
            self.make(name, Object::Tensor(made));
            return Ok(());
        };
        let target = self.session.tensor(handle)?.clone();
        let (expected, given) = (engine.shape(&target)?, &array.shape);
        if expected != *given {
            return Err(Error::new(Code::Shape, format!("expected shape {expected:?}, given {given:?}")));
        }
        let (expected, given) = (engine.dtype(&target)?, array.data.dtype());
        if expected != given {
            let message = format!("expected dtype {}, given {}", expected.name(), given.name());
            return Err(Error::new(Code::Dtype, message));
        }
        self.session.check_not_line_searched(&mut std::iter::once(&target))?;
        let from = engine.convert(&made, expected, engine.device(&target)?)?;
        self.changes.push(Change::Copy { from, to: target });
        Ok(())
    }

    /// The module of a name: the given one, whose tensors are to be set, or a new one.
    fn module(&mut self, name: &str, state: &Value) -> Result<Shared<Module<E>>> {
        let engine = &self.session.engine;
        // Restoring draws no random numbers from the session.
        let mut context = InitContext { engine, random: &mut Random::new(0), parts: Vec::new(), remaining: usize::MAX };
        let made = module_state::restore(state, &mut context)?;
        made.check_extent()?;
        let Some((_, target)) = self.modules.iter().find(|(known, _)| known == name) else {
            self.modules.push((name.to_owned(), Shared::clone(&made)));
            return Ok(made);
        };
        let pairs = module_copy::paired(engine, &made, target)?;
        self.session.check_not_line_searched(&mut pairs.iter().map(|(_, named)| &named.tensor))?;
        for (from, to) in pairs {
            let (dtype, device) = (engine.dtype(&to.tensor)?, engine.device(&to.tensor)?);
            if engine.dtype(&from)? != dtype {
                let message =
                    format!("`{}`: expected dtype {}, given {}", to.name, dtype.name(), engine.dtype(&from)?.name());
                return Err(Error::new(Code::Dtype, message));
            }
            let from = if device == Device::Cpu { from } else { engine.convert(&from, dtype, device)? };
            self.changes.push(Change::Copy { from, to: to.tensor });
        }
        Ok(Shared::clone(target))
    }

    /// The optimizer of a name: the given one, whose state is to be set, or a new one.
    fn optimizer(&mut self, name: &str, entries: &Entries) -> Result<SharedOptimizer<E>> {
        let owner = text(entries, "module")?;
        let none = || Error::new(Code::Format, format!("the file has no module `{owner}`"));
        let (_, module) = self.modules.iter().find(|(known, _)| known == owner).ok_or_else(none)?;
        let bound = restored(self.session, dictionary("state", entry(entries, "state")?)?, module)?;
        let Some((_, target)) = self.optimizers.iter().find(|(known, _)| known == name) else {
            let shared = Shared::new(SharedCell::new(bound));
            self.optimizers.push((name.to_owned(), Shared::clone(&shared)));
            return Ok(shared);
        };
        {
            let Ok(own) = target.try_borrow() else {
                return Err(Error::new(Code::Busy, "its step is not over yet"));
            };
            let (expected, given) = (own.optimizer.definition().name, bound.optimizer.definition().name);
            if expected != given {
                return Err(Error::new(Code::Format, format!("expected a state of {expected}, given one of {given}")));
            }
            let engine = &self.session.engine;
            let identities = |bound: &BoundOptimizer<E>| {
                let mut all: Vec<u64> = bound.tensors().iter().map(|tensor| engine.identity(tensor)).collect();
                all.sort_unstable();
                all
            };
            if identities(&own) != identities(&bound) {
                let message =
                    "expected an optimizer of the parameters that the file's has, of the module that is loaded with it";
                return Err(Error::new(Code::Parameter, message));
            }
        }
        self.changes.push(Change::Optimizer { target: Shared::clone(target), bound: Box::new(bound) });
        Ok(Shared::clone(target))
    }

    fn model(&mut self, name: &str, entries: &Entries, handle: Option<Handle>) -> Result<()> {
        let module = match entry(entries, "module")? {
            Value::String(owner) => {
                let known = self.modules.iter().find(|(known, _)| known == owner);
                Shared::clone(known.map(|(_, module)| module).ok_or_else(|| malformed("a module of a model"))?)
            }
            state => self.module(name, state)?,
        };
        let optimizer = match entry(entries, "optimizer")? {
            Value::String(owner) => {
                let known = self.optimizers.iter().find(|(known, _)| known == owner);
                Shared::clone(
                    known.map(|(_, optimizer)| optimizer).ok_or_else(|| malformed("an optimizer of a model"))?,
                )
            }
            state => self.optimizer(name, dictionary("optimizer", state)?)?,
        };
        let loaders = [loader_state(entries, "train")?, loader_state(entries, "test")?];
        let loss = match entry(entries, "loss")? {
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
        if let (Some(loss), None) = (&loss, model.own_loss)
            && (model.loss.name(), model.loss.options()) != (loss.name(), loss.options())
        {
            let message = format!("expected the loss of the file, {}, given {}", loss.name(), model.loss.name());
            return Err(Error::new(Code::Argument, message));
        }
        check_positions(model, &loaders)?;
        self.changes.push(Change::Model { handle, loaders: Box::new(loaders) });
        Ok(())
    }
}

fn loss(saved: &Value) -> Result<LossFunction> {
    let entries = dictionary("loss", saved)?;
    let options = dictionary("options", entry(entries, "options")?)?;
    LossFunction::new(text(entries, "name")?, &named_options(options.to_vec())?)
}
