//! `load(path, [objects], [options])`: the objects of a file, set in what is given, or made anew. All or nothing.

use std::cell::RefCell;
use std::rc::Rc;

use stepwell_optim::{Code, Error, OptionSet, Result, Results, defaults, options, parse};

use crate::commands::arguments::Arguments;
use crate::commands::checkpoints::{entries_of, malformed};
use crate::commands::restore::restored;
use crate::commands::saved_file::{open, too_large};
use crate::commands::state_entries::{Entries, dictionary, entry, find, text, whole};
use crate::engine::Engine;
use crate::nn::context::InitContext;
use crate::nn::loss::LossFunction;
use crate::nn::module::Module;
use crate::nn::{module_copy, module_state};
use crate::random::Random;
use crate::session::{Object, Session};
use crate::training::bound_optimizer::BoundOptimizer;
use crate::training::data_loader::{DataLoader, EpochPosition, TestOptions, TrainOptions};
use crate::training::metrics::BatchMetrics;
use crate::training::model::Model;
use crate::values::convert::named_options;
use crate::values::data::Data;
use crate::values::device::Device;
use crate::values::element_bytes::{dtype_of, read_elements};
use crate::values::handle::{Handle, ObjectKind};
use crate::values::json;
use crate::values::named_arrays::put;
use crate::values::value::{NumericArray, Value};

options! {
    /// How the file of a run is loaded.
    pub(crate) struct RunLoadOptions {
        /// Compare the file with its checksum.
        verify: bool = true;
        /// Set the generator of random numbers to its state in the file.
        generator: bool = true;
    }
}

type Shared<T> = Rc<RefCell<T>>;

/// `load(path, [objects], [options])`. Returns what was not given, by name.
pub(crate) fn load<E: Engine>(session: &mut Session<E>, path: &str, mut arguments: Arguments) -> Result<Value> {
    let given = arguments.options()?;
    let options = named_options(arguments.options()?)?;
    arguments.finish()?;
    let row = parse("load", RunLoadOptions::SPECS, &defaults(RunLoadOptions::SPECS), &[], &options)?;
    let options = RunLoadOptions::from_values(&row)?;

    let (mut objects, generator) = read(session, path, options.verify)?;
    for (name, _) in &given {
        if !objects.iter().any(|(known, _)| known == name) {
            let known: Vec<_> = objects.iter().map(|(known, _)| known.as_str()).collect();
            let message = format!("the file has no object `{name}`, only {}", known.join(", "));
            return Err(Error::new(Code::Argument, message));
        }
    }
    // An object can refer to one of a kind before its own.
    objects.sort_by_key(|(_, object)| KINDS.iter().position(|kind| Some(*kind) == kind_of(object)));
    let mut run =
        LoadedRun { session, modules: Vec::new(), optimizers: Vec::new(), changes: Vec::new(), made: Vec::new() };
    run.find_targets(&objects, &given)?;
    for (name, object) in objects {
        let target = given.iter().find(|(known, _)| *known == name).map(|(_, target)| target);
        run.prepare(&name, object, target).map_err(|error| error.within(&format!("`{name}`")))?;
    }
    let LoadedRun { changes, made, .. } = run;
    let made = insert_all(session, made)?;
    for change in changes {
        change.apply(session)?;
    }
    if let (true, Some(generator)) = (options.generator, generator) {
        session.random = generator;
    }
    Ok(made)
}

/// In this order they are loaded.
const KINDS: [&str; 6] = ["data", "tensor", "loss", "module", "optimizer", "model"];

fn kind_of(object: &Value) -> Option<&str> {
    match object {
        Value::Object(entries) => match find(entries, "kind") {
            Some(Value::String(kind)) => Some(kind),
            _ => None,
        },
        _ => None,
    }
}

/// The objects of a file with their arrays, and the generator.
fn read<E: Engine>(session: &Session<E>, path: &str, verify: bool) -> Result<(Vec<(String, Value)>, Option<Random>)> {
    let limit = session.engine.memory_limit(usize::MAX);
    let saved = open(path, limit)?;
    if verify {
        saved.verify()?;
    }
    let of_module = || Error::new(Code::Format, format!("{path} holds tensors alone: load(module, path) reads them"));
    let content = json::read(saved.content().ok_or_else(of_module)?);
    let content = content.map_err(|problem| Error::new(Code::Format, problem))?;
    let generator = match &content {
        Value::Object(entries) => find(entries, "generator").map(random).transpose()?,
        _ => None,
    };
    let mut objects = entries_of(content, "objects")?;
    if objects.is_empty() {
        return Err(of_module());
    }
    if saved.bytes() > limit as u64 {
        return Err(too_large(path, saved.bytes(), limit));
    }
    for (_, object) in &mut objects {
        put(object, &mut |name| {
            let missing = || Error::new(Code::Format, format!("the file has no tensor `{name}`"));
            let tensor = saved.find(name).ok_or_else(missing)?;
            let (word, shape) = tensor.type_and_shape();
            let dtype = dtype_of(word).ok_or_else(|| Error::new(Code::Dtype, format!("`{name}` is of type {word}")))?;
            let shape = shape.into_iter().map(|size| size as usize).collect();
            Ok(NumericArray { data: read_elements(&tensor, dtype)?, shape })
        })?;
    }
    Ok((objects, generator))
}

/// The generator of its state.
fn random(state: &Value) -> Result<Random> {
    let entries = dictionary("generator", state)?;
    let digits = text(entries, "key")?;
    let mut key = [0; 32];
    let pairs = digits.as_bytes().as_chunks::<2>().0;
    let valid = digits.len() == 2 * key.len() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    for (byte, pair) in key.iter_mut().zip(pairs) {
        let pair = std::str::from_utf8(pair).unwrap_or_default();
        *byte = u8::from_str_radix(pair, 16).unwrap_or_default();
    }
    let position = text(entries, "position")?.parse();
    match position {
        Ok(position) if valid => Ok(Random::from_state(key, position)),
        _ => Err(malformed("the key and the position of a generator")),
    }
}

/// A change of the session, made once everything was read and checked.
enum Change<E: Engine> {
    Copy { from: E::Tensor, to: E::Tensor },
    Optimizer { target: Shared<BoundOptimizer<E>>, bound: Box<BoundOptimizer<E>> },
    Model { handle: Handle, train: LoaderState, test: LoaderState },
}

/// Options and position of a data loader.
struct LoaderState {
    options: Vec<(String, Value)>,
    position: Option<EpochPosition>,
}

impl<E: Engine> Change<E> {
    fn apply(self, session: &mut Session<E>) -> Result<()> {
        match self {
            Change::Copy { from, to } => session.engine.copy(&from, &to),
            Change::Optimizer { target, bound } => {
                session.scales_losses |= bound.optimizer.loss_scale.is_some();
                *target.borrow_mut() = *bound;
                Ok(())
            }
            Change::Model { handle, train, test } => set_loaders(session.model_mut(handle)?.0, train, test),
        }
    }
}

fn set_loaders<E: Engine>(model: &mut Model<E>, train: LoaderState, test: LoaderState) -> Result<()> {
    let Model { train: own_train, test: own_test, loss, .. } = model;
    own_train.set_options("train", TrainOptions::SPECS, train.options, loss, TrainOptions::check)?;
    own_test.set_options("test", TestOptions::SPECS, test.options, loss, |_| Ok(()))?;
    for (loader, position) in [(own_train, train.position), (own_test, test.position)] {
        if let Some(position) = position {
            loader.set_position(position);
        }
    }
    Ok(())
}

/// Objects under preparation.
struct LoadedRun<'a, E: Engine> {
    session: &'a mut Session<E>,
    /// The modules by name: given ones, and then those that were made.
    modules: Vec<(String, Rc<Module<E>>)>,
    optimizers: Vec<(String, Shared<BoundOptimizer<E>>)>,
    changes: Vec<Change<E>>,
    made: Vec<(String, Made<E>)>,
}

enum Made<E: Engine> {
    Data(Value),
    Object(Object<E>),
}

impl<E: Engine> LoadedRun<'_, E> {
    /// Finds the modules and optimizers that are given, also as parts of a model.
    fn find_targets(&mut self, objects: &[(String, Value)], given: &[(String, Value)]) -> Result<()> {
        for (name, target) in given {
            let within = |error: Error| error.within(&format!("`{name}`"));
            let Value::Handle(handle) = target else { continue };
            let object = objects.iter().find(|(known, _)| known == name).map(|(_, object)| object);
            let (Some(Value::Object(entries)), Some(kind)) = (object, handle.kind()) else { continue };
            match kind {
                ObjectKind::Module => self.modules.push((name.clone(), self.session.module(*handle).map_err(within)?)),
                ObjectKind::Optimizer => {
                    let shared = self.session.shared_optimizer(*handle).map_err(within)?;
                    self.optimizers.push((name.clone(), Rc::clone(shared)));
                }
                ObjectKind::Model => {
                    let model = self.session.model(*handle).map_err(within)?;
                    let part = |key| match find(entries, key) {
                        Some(Value::String(owner)) => owner.clone(),
                        _ => name.clone(),
                    };
                    self.modules.push((part("module"), Rc::clone(&model.module)));
                    self.optimizers.push((part("optimizer"), Rc::clone(&model.optimizer)));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Reads an object and checks it against its target; what it changes is done later.
    fn prepare(&mut self, name: &str, object: Value, target: Option<&Value>) -> Result<()> {
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
    fn module(&mut self, name: &str, state: &Value) -> Result<Rc<Module<E>>> {
        let engine = &self.session.engine;
        // Restoring draws no random numbers from the session.
        let mut context = InitContext { engine, random: &mut Random::new(0), parts: Vec::new() };
        let made = module_state::restore(state, &mut context)?;
        made.check_extent()?;
        let Some((_, target)) = self.modules.iter().find(|(known, _)| known == name) else {
            self.modules.push((name.to_owned(), Rc::clone(&made)));
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
        Ok(Rc::clone(target))
    }

    /// The optimizer of a name: the given one, whose state is to be set, or a new one.
    fn optimizer(&mut self, name: &str, entries: &Entries) -> Result<Shared<BoundOptimizer<E>>> {
        let owner = text(entries, "module")?;
        let none = || Error::new(Code::Format, format!("the file has no module `{owner}`"));
        let (_, module) = self.modules.iter().find(|(known, _)| known == owner).ok_or_else(none)?;
        let bound = restored(self.session, dictionary("state", entry(entries, "state")?)?, module)?;
        let Some((_, target)) = self.optimizers.iter().find(|(known, _)| known == name) else {
            let shared = Rc::new(RefCell::new(bound));
            self.optimizers.push((name.to_owned(), Rc::clone(&shared)));
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
        self.changes.push(Change::Optimizer { target: Rc::clone(target), bound: Box::new(bound) });
        Ok(Rc::clone(target))
    }

    fn model(&mut self, name: &str, entries: &Entries, handle: Option<Handle>) -> Result<()> {
        let module = match entry(entries, "module")? {
            Value::String(owner) => {
                let known = self.modules.iter().find(|(known, _)| known == owner);
                Rc::clone(known.map(|(_, module)| module).ok_or_else(|| malformed("a module of a model"))?)
            }
            state => self.module(name, state)?,
        };
        let optimizer = match entry(entries, "optimizer")? {
            Value::String(owner) => {
                let known = self.optimizers.iter().find(|(known, _)| known == owner);
                Rc::clone(known.map(|(_, optimizer)| optimizer).ok_or_else(|| malformed("an optimizer of a model"))?)
            }
            state => self.optimizer(name, dictionary("optimizer", state)?)?,
        };
        let (train, test) = (loader_state(entries, "train")?, loader_state(entries, "test")?);
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
            check_positions(&model.train, &train, &model.test, &test)?;
            set_loaders(&mut model, train, test)?;
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
        check_positions(&model.train, &train, &model.test, &test)?;
        self.changes.push(Change::Model { handle, train, test });
        Ok(())
    }
}

fn check_positions<E: Engine>(
    own_train: &DataLoader<E>,
    train: &LoaderState,
    own_test: &DataLoader<E>,
    test: &LoaderState,
) -> Result<()> {
    for (loader, state) in [(own_train, train), (own_test, test)] {
        if let Some(position) = &state.position {
            loader.check_position(position)?;
        }
    }
    Ok(())
}

fn loss(saved: &Value) -> Result<LossFunction> {
    let entries = dictionary("loss", saved)?;
    let options = dictionary("options", entry(entries, "options")?)?;
    LossFunction::new(text(entries, "name")?, &named_options(options.to_vec())?)
}

/// The state of a data loader of a model.
fn loader_state(entries: &Entries, key: &str) -> Result<LoaderState> {
    let saved = dictionary(key, entry(entries, key)?)?;
    let options = dictionary("options", entry(saved, "options")?)?.to_vec();
    let position = match entry(saved, "position")? {
        Value::Null => None,
        position => Some(epoch_position(dictionary("position", position)?)?),
    };
    Ok(LoaderState { options, position })
}

fn epoch_position(entries: &Entries) -> Result<EpochPosition> {
    let count = whole(entries, "count", 1 << 53)? as usize;
    let order = |key: &str| match entry(entries, key)? {
        Value::Null => Ok(None),
        Value::NumericArray(NumericArray { data: Data::Long(samples), .. }) => {
            let order = samples.iter().map(|sample| usize::try_from(*sample).map_err(|_| malformed("samples")));
            order.values().map(Some)
        }
        _ => Err(malformed("the order of samples")),
    };
    let epoch = match order("order")? {
        None => None,
        Some(order) => {
            let next = whole(entries, "next", order.len() as u64)? as usize;
            Some((order, next))
        }
    };
    let measured = match entry(entries, "measured")? {
        Value::NumericArray(NumericArray { data: Data::Double(numbers), .. }) => {
            numbers.as_chunks().0.iter().map(|batch| BatchMetrics::from_numbers(*batch)).collect()
        }
        _ => return Err(malformed("the measurements of an epoch")),
    };
    Ok(EpochPosition { count, epoch, shuffled: order("shuffled")?, measured })
}

/// Gives every new object its handle, all or none.
fn insert_all<E: Engine>(session: &mut Session<E>, made: Vec<(String, Made<E>)>) -> Result<Value> {
    let (mut entries, mut objects) = (Vec::new(), Vec::new());
    for (name, made) in made {
        match made {
            Made::Data(value) => entries.push((name, value)),
            Made::Object(object) => {
                entries.push((name, Value::Undefined));
                objects.push(object);
            }
        }
    }
    let Value::Array(handles) = session.insert_all(objects)? else { return Err(malformed("handles")) };
    let mut handles = handles.into_iter();
    for (_, value) in &mut entries {
        if *value == Value::Undefined {
            *value = handles.next().unwrap_or(Value::Null);
        }
    }
    Ok(Value::Object(entries))
}
