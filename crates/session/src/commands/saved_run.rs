//! The objects of a run as a description and arrays.
//!
//! The description has an entry for each object, by the name that the caller gave it. An entry has the kind and the state of the
//! object as plain data. Arrays have names, which begin with the name of the object.

use std::cell::RefCell;

use stepwell_optim::{Buffer, Code, Error, OptionSet, Result, Results, Shared, SharedCell};

use crate::commands::data_positions::loader_value;
use crate::commands::saved_arrays::{Elements, SavedArray};
use crate::commands::state::{BufferReader, Buffers, describe_with};
use crate::engine::Engine;
use crate::nn::loss::LossFunction;
use crate::nn::module::{Module, checked_name};
use crate::nn::module_state::{joined, rows_with};
use crate::random::Random;
use crate::session::{Object, Session};
use crate::training::bound_optimizer::BoundOptimizer;
use crate::training::data_loader::{TestOptions, TrainOptions};
use crate::values::convert::to_value;
use crate::values::dtype::Dtype;
use crate::values::handle::Handle;
use crate::values::json;
use crate::values::named_arrays::{NamedArray, reference, take};
use crate::values::value::Value;

/// The most levels of lists and dictionaries in plain data. The reader of JSON takes 128, and some of the description are around them.
const MAX_LEVELS: usize = 100;

/// The description of a run as JSON, and the arrays that it names.
pub(crate) struct Description<E: Engine> {
    pub(crate) content: String,
    pub(crate) arrays: Vec<SavedArray<E>>,
}

/// Describes objects by their names.
pub(crate) fn describe<E: Engine>(
    session: &Session<E>,
    objects: Vec<(String, Value)>,
    buffers: Buffers,
) -> Result<Description<E>> {
    let mut run = SavedRun {
        session,
        buffers,
        modules: Vec::new(),
        optimizers: Vec::new(),
        places: Vec::new(),
        arrays: RefCell::default(),
    };
    run.find_owners(&objects)?;
    let mut described = Vec::new();
    for (name, object) in objects {
        let entry = run.entry(&checked_name(&name)?, object).map_err(|error| error.within(&format!("`{name}`")))?;
        described.push((name, entry));
    }
    let generator = generator_value(&session.random);
    let mut content = String::new();
    json::write(&Value::object([("objects", Value::Object(described)), ("generator", generator)]), &mut content)?;
    Ok(Description { content, arrays: run.arrays.into_inner() })
}

/// The place of a tensor: its object, and its name there.
struct Place {
    identity: u64,
    object: String,
    name: String,
}

/// Objects to be found by identity, and the arrays so far.
struct SavedRun<'a, E: Engine> {
    session: &'a Session<E>,
    /// Of optimizers.
    buffers: Buffers,
    /// The modules of the objects by their names, models' among them.
    modules: Vec<(String, Shared<Module<E>>)>,
    /// The optimizers by the names of objects, which may be models.
    optimizers: Vec<(String, Shared<SharedCell<BoundOptimizer<E>>>)>,
    /// In ascending order of identities.
    places: Vec<Place>,
    arrays: RefCell<Vec<SavedArray<E>>>,
}

impl<E: Engine> SavedRun<'_, E> {
    /// Finds the objects that others refer to. A module comes before a model of it.
    fn find_owners(&mut self, objects: &[(String, Value)]) -> Result<()> {
        let mut of_models = Vec::new();
        for (name, object) in objects {
            let Value::Handle(handle) = object else { continue };
            match self.session.object(*handle).map_err(|error| error.within(&format!("`{name}`")))? {
                Object::Module(module) => self.modules.push((name.clone(), Shared::clone(module))),
                Object::Model(model) => of_models.push((name.clone(), Shared::clone(&model.module))),
                Object::Optimizer(bound) => {
                    if let Some((other, _)) = self.optimizers.iter().find(|(_, known)| Shared::ptr_eq(known, bound)) {
                        let message = format_args!("`{other}` and `{name}` are one optimizer: save it under one name");
                        return Err(Error::new(Code::Argument, message));
                    }
                    self.optimizers.push((name.clone(), Shared::clone(bound)));
                }
                Object::Tensor(tensor) => self.place(name, String::new(), tensor),
                Object::Vector(tensors) => {
                    for (position, tensor) in tensors.iter().enumerate() {
                        self.place(name, position.to_string(), tensor);
                    }
                }
                Object::Dictionary(entries) => {
                    entries.iter().for_each(|(key, tensor)| self.place(name, key.clone(), tensor));
                }
                Object::Loss(_) => {}
            }
        }
        for (name, module) in of_models {
            if !self.modules.iter().any(|(_, known)| Shared::ptr_eq(known, &module)) {
                self.modules.push((name, module));
            }
        }
        for (name, module) in self.modules.clone() {
            for named in module.parameters_and_buffers() {
                self.place(&name, named.name, &named.tensor);
            }
        }
        // Stable, so that the first name of a tensor that an object has twice comes first.
        self.places.sort_by_key(|place| place.identity);
        for pair in self.places.windows(2) {
            if let [one, other] = pair
                && one.identity == other.identity
                && one.object != other.object
            {
                let [a, b] = [one, other].map(|place| joined(&place.object, &place.name));
                let message = format_args!(
                    "`{a}` and `{b}` are one tensor, which would come apart: save one of the objects, or a module that has both"
                );
                return Err(Error::new(Code::Parameter, message));
            }
        }
        Ok(())
    }

    fn place(&mut self, object: &str, name: String, tensor: &E::Tensor) {
        let identity = self.session.engine.identity(tensor);
        self.places.push(Place { identity, object: object.to_owned(), name });
    }

    /// The entry of an object.
    fn entry(&mut self, name: &str, object: Value) -> Result<Value> {
        let Value::Handle(handle) = object else {
            let mut value = object;
            if levels(&value) > MAX_LEVELS {
                let message = format!("expected plain data of at most {MAX_LEVELS} levels, given more");
                return Err(Error::new(Code::Argument, message));
            }
            self.take(&mut value, name);
            return Ok(Value::object([("kind", Value::string("data")), ("value", value)]));
        };
        let session = self.session;
        let entry = match session.object(handle)? {
            Object::Module(module) => {
                let (state, frozen) = self.module(name, module)?;
                vec![("kind", Value::string("module")), ("state", state), ("frozen", frozen)]
            }
            Object::Optimizer(_) => {
                vec![("kind", Value::string("optimizer")), ("state", self.optimizer(name, handle)?)]
            }
            Object::Loss(loss) => vec![("kind", Value::string("loss")), ("loss", loss_value(loss))],
            Object::Tensor(tensor) => self.tensors("tensor", name, vec![(String::new(), tensor)])?,
            Object::Vector(tensors) => {
                let named = tensors.iter().enumerate().map(|(position, tensor)| (position.to_string(), tensor));
                self.tensors("vector", name, named.collect())?
            }
            Object::Dictionary(entries) => {
                let named = entries.iter().map(|(key, tensor)| (key.clone(), tensor));
                self.tensors("dictionary", name, named.collect())?
            }
            Object::Model(_) => self.model(name, handle)?,
        };
        Ok(Value::object(entry))
    }

    /// Takes the arrays out of plain data.
    fn take(&self, value: &mut Value, name: &str) {
        let mut taken: Vec<NamedArray> = Vec::new();
        take(value, name, &mut taken);
        self.arrays.borrow_mut().extend(taken.into_iter().map(SavedArray::from));
    }

    /// An array in the place of a tensor.
    fn tensor(&self, name: String, tensor: E::Tensor) -> Result<Value> {
        let place = reference(&name);
        self.arrays.borrow_mut().push(SavedArray::of_tensor(&self.session.engine, name, tensor)?);
        Ok(place)
    }

    fn tensors(
        &self,
        kind: &'static str,
        object: &str,
        tensors: Vec<(String, &E::Tensor)>,
    ) -> Result<Vec<(&'static str, Value)>> {
        let engine = &self.session.engine;
        let (mut keys, mut elements, mut trained) = (Vec::new(), Vec::new(), Vec::new());
        for (key, tensor) in tensors {
            elements.push(self.tensor(joined(object, &key), tensor.clone())?);
            trained.push(Value::Bool(engine.is_leaf(tensor) && engine.requires_grad(tensor)));
            keys.push(Value::String(key));
        }
        Ok(vec![
            ("kind", Value::string(kind)),
            ("keys", Value::Array(keys)),
            ("elements", Value::Array(elements)),
            ("gradient", Value::Array(trained)),
        ])
    }

    /// The rows of a module, and the names of its frozen parameters.
    fn module(&self, name: &str, module: &Shared<Module<E>>) -> Result<(Value, Value)> {
        let engine = &self.session.engine;
        let read = |_: &E, path: &str, tensors: Vec<(String, E::Tensor)>| {
            let prefix = joined(name, path);
            let entries = tensors.into_iter().map(|(own, tensor)| {
                let place = self.tensor(joined(&prefix, &own), tensor)?;
                Ok((own, place))
            });
            Ok(Value::Object(entries.values()?))
        };
        let rows = rows_with(engine, module, &read)?;
        let frozen = module.parameters().into_iter().filter(|named| !engine.requires_grad(&named.tensor));
        let frozen = Value::strings(frozen.map(|named| named.name));
        Ok((rows, frozen))
    }

    /// The state of an optimizer. Each parameter has the name of its object, and its name there.
    fn optimizer(&self, name: &str, handle: Handle) -> Result<Value> {
        let session = self.session;
        let shared = session.shared_optimizer(handle)?;
        let mut places = Vec::new();
        for tensor in shared.borrow().tensors() {
            let identity = session.engine.identity(tensor);
            let first = self.places.partition_point(|place| place.identity < identity);
            match self.places.get(first).filter(|place| place.identity == identity) {
                Some(place) => places.push(place),
                None => {
                    let message = "its parameters belong to no object that is saved with it: add their module, vector, dictionary or tensor";
                    return Err(Error::new(Code::Parameter, message));
                }
            }
        }
        // The name of the only object is left out.
        let is_single = places.iter().all(|place| place.object == places[0].object);
        let name_of = |parameter: usize| match places.get(parameter) {
            Some(place) if is_single => joined(name, &place.name),
            Some(place) => joined(&joined(name, &place.object), &place.name),
            None => name.to_owned(),
        };
        let keys: Vec<_> = shared.borrow().optimizer.definition().state_keys().collect();
        let read: &mut BufferReader<'_> = &mut |parameter, index, buffer, shape, is_own| {
            let key = keys.iter().find(|(_, known)| *known == index).map_or("", |(key, _)| key);
            let array = joined(&name_of(parameter), key);
            let place = reference(&array);
            let elements = match is_own {
                true => Elements::Buffer(Shared::clone(shared), parameter, index),
                false => Elements::Own(buffer.try_into()?),
            };
            let dtype = match buffer {
                Buffer::Float(_) => Dtype::Float,
                Buffer::Double(_) => Dtype::Double,
                Buffer::BFloat16(_) => Dtype::BFloat16,
            };
            self.arrays.borrow_mut().push(SavedArray { name: array, dtype, shape: shape.to_vec(), elements });
            Ok(place)
        };
        let mut state = describe_with(session, handle, true, Some(self.buffers), read)?;
        let Value::Object(entries) = &mut state else { return Ok(state) };
        for (key, value) in entries {
            let Value::Array(rows) = value else { continue };
            if key != "parms" {
                continue;
            }
            for ((position, row), place) in rows.iter_mut().enumerate().zip(&places) {
                let Value::Object(columns) = row else { continue };
                // An address means nothing in another process.
                columns.retain(|(key, _)| key != "pointer");
                for (key, column) in columns.iter_mut() {
                    match key.as_str() {
                        "name" => *column = Value::string(&place.name),
                        // Vectors of L-BFGS.
                        "buffers" => self.take_vectors(column, &name_of(position)),
                        _ => {}
                    }
                }
                columns.push(("object".to_owned(), Value::string(&place.object)));
            }
        }
        Ok(state)
    }

    /// Takes arrays out of buffers, some of which have names already.
    fn take_vectors(&self, buffers: &mut Value, name: &str) {
        let Value::Object(entries) = buffers else { return };
        for (key, value) in entries {
            if let Value::NumericArray(_) | Value::Array(_) = value {
                self.take(value, &joined(name, key));
            }
        }
    }

    /// A model: its parts, or the names under which they are saved too.
    fn model(&mut self, name: &str, handle: Handle) -> Result<Vec<(&'static str, Value)>> {
        let session = self.session;
        let model = session.model(handle)?;
        let own = self.modules.iter().find(|(_, module)| Shared::ptr_eq(module, &model.module));
        let (module, frozen) = match own {
            Some((owner, _)) if owner != name => (Value::string(owner), Value::Null),
            _ => self.module(name, &model.module)?,
        };
        let known = self.optimizers.iter().find(|(_, known)| Shared::ptr_eq(known, &model.optimizer));
        let optimizer = match known {
            Some((owner, _)) => Value::string(owner),
            None => Value::object([("state", self.optimizer(name, handle)?)]),
        };
        if known.is_none() {
            self.optimizers.push((name.to_owned(), Shared::clone(&model.optimizer)));
        }
        let loss = match model.own_loss {
            Some(_) => Value::Null,
            None => loss_value(&model.loss),
        };
        let mut train = loader_value(&model.train, model.train.options_value(TrainOptions::SPECS));
        self.take(&mut train, &joined(name, "train"));
        let mut test = loader_value(&model.test, model.test.options_value(TestOptions::SPECS));
        self.take(&mut test, &joined(name, "test"));
        Ok(vec![
            ("kind", Value::string("model")),
            ("module", module),
            ("frozen", frozen),
            ("optimizer", optimizer),
            ("loss", loss),
            ("train", train),
            ("test", test),
        ])
    }
}

/// The number of lists and dictionaries around the innermost value.
fn levels(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(levels).max().unwrap_or(0),
        Value::Object(entries) => 1 + entries.iter().map(|(_, item)| levels(item)).max().unwrap_or(0),
        _ => 0,
    }
}

fn loss_value(loss: &LossFunction) -> Value {
    let options = loss.options();
    let options = options.iter().map(|(name, value)| (*name, to_value(value)));
    Value::object([("name", Value::string(loss.name())), ("options", Value::object(options))])
}

/// The state of a generator: the key as hexadecimal digits, and the position, which a number of JavaScript may not hold.
fn generator_value(random: &Random) -> Value {
    let (words, position) = random.state();
    let digits: String = words.iter().flat_map(|word| word.to_le_bytes()).map(|byte| format!("{byte:02x}")).collect();
    Value::object([("key", Value::String(digits)), ("position", Value::String(position.to_string()))])
}
