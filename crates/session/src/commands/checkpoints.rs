//! `save(path, objects)` and `inspect(path)`: everything that a run consists of in one file.
//!
//! The description of the file has an entry for each object, by the name that the caller gave it. An entry has the kind and
//! the state of the object as plain data. Arrays are tensors of the file. Their names begin with the name of the object.

use std::path::Path;

use stepwell_checkpoint::{TensorHeader, write_file};
use stepwell_optim::{Code, Error, OptionSet, Result, Shared};

use crate::commands::arguments::Arguments;
use crate::commands::data_positions::loader_value;
use crate::commands::saved_file::{entries_of, failed, malformed, open};
use crate::commands::state::describe;
use crate::engine::Engine;
use crate::nn::loss::LossFunction;
use crate::nn::module::{Module, checked_name};
use crate::nn::module_state;
use crate::session::{Object, Session};
use crate::training::data_loader::{TestOptions, TrainOptions};
use crate::values::convert::to_value;
use crate::values::element_bytes::{dtype_of, word, write_elements};
use crate::values::handle::Handle;
use crate::values::json;
use crate::values::named_arrays::{NamedArray, take};
use crate::values::value::{NumericArray, Value};

/// `save(path, objects)`.
pub(crate) fn save<E: Engine>(session: &Session<E>, path: &str, mut arguments: Arguments) -> Result<Value> {
    let objects = match arguments.next() {
        Value::Object(entries) if !entries.is_empty() => entries,
        other => return Err(arguments.argument_error("a dictionary of objects and plain data by name", &other)),
    };
    arguments.finish()?;
    let mut run = SavedRun { session, modules: Vec::new(), optimizers: Vec::new(), arrays: Vec::new() };
    run.find_owners(&objects)?;
    let mut described = Vec::new();
    for (name, object) in objects {
        let entry = run.describe(&checked_name(&name)?, object).map_err(|error| error.within(&format!("`{name}`")))?;
        described.push((name, entry));
    }
    let content = Value::object([("objects", Value::Object(described)), ("generator", generator(session))]);
    let arrays = run.arrays;
    let mut text = String::new();
    json::write(&content, &mut text)?;
    let mut headers = Vec::new();
    for NamedArray { name, array } in &arrays {
        headers.push(TensorHeader { name: name.clone(), dtype: word(array.data.dtype()), shape: array.shape.clone() });
    }
    write_file(Path::new(path), &headers, &text, &mut |i, sink| {
        write_elements(sink, &arrays[i].array.data).map_err(|error| failed("write", path, &error))
    })?;
    Ok(Value::Null)
}

/// `inspect(path)`: what a file holds, without its elements.
pub(crate) fn inspect<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let path = arguments.text("a path")?;
    arguments.finish()?;
    let saved = open(&path, session.engine.memory_limit(usize::MAX))?;
    let tensors = saved.tensors().map(|tensor| {
        let (word, shape) = tensor.type_and_shape();
        let shape = shape.iter().map(|size| Value::Number(*size as f64)).collect();
        Value::object([
            ("name", Value::string(tensor.name())),
            ("dtype", Value::string(dtype_of(word).map_or(word, |dtype| dtype.name()))),
            ("shape", Value::Array(shape)),
            ("bytes", Value::Number(tensor.bytes() as f64)),
        ])
    });
    let tensors = Value::Array(tensors.collect());
    let mut objects = Vec::new();
    if let Some(content) = saved.content() {
        let read = json::read(content).map_err(|problem| Error::new(Code::Format, problem))?;
        for (name, entry) in entries_of(read, "objects")? {
            let kind = match entry {
                Value::Object(entries) => entries.into_iter().find(|(key, _)| key == "kind").map(|(_, kind)| kind),
                _ => None,
            };
            objects.push((name, kind.unwrap_or(Value::Null)));
        }
    }
    let text = |text: Option<&str>| text.map_or(Value::Null, Value::string);
    Ok(Value::object([
        ("version", saved.version().map_or(Value::Null, |version| Value::Number(version as f64))),
        ("sha256", text(saved.checksum())),
        ("bytes", Value::Number(saved.bytes() as f64)),
        ("objects", Value::Object(objects)),
        ("tensors", tensors),
    ]))
}

/// The state of the generator of random numbers.
fn generator<E: Engine>(session: &Session<E>) -> Value {
    let (key, position) = session.random.state();
    let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    // A number of JavaScript does not hold every position.
    Value::object([("key", Value::String(key)), ("position", Value::String(position.to_string()))])
}

/// The objects that were described so far, to be found by identity.
struct SavedRun<'a, E: Engine> {
    session: &'a Session<E>,
    /// The modules of the objects by their names, models' among them.
    modules: Vec<(String, Shared<Module<E>>)>,
    optimizers: Vec<(String, Handle)>,
    arrays: Vec<NamedArray>,
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
                Object::Optimizer(_) => self.optimizers.push((name.clone(), *handle)),
                _ => {}
            }
        }
        self.modules.append(&mut of_models);
        Ok(())
    }

    /// The entry of an object.
    fn describe(&mut self, name: &str, object: Value) -> Result<Value> {
        let Value::Handle(handle) = object else {
            let mut value = object;
            take(&mut value, name, &mut self.arrays);
            return Ok(Value::object([("kind", Value::string("data")), ("value", value)]));
        };
        let session = self.session;
        let entry = match session.object(handle)? {
            Object::Module(module) => vec![("kind", Value::string("module")), ("state", self.rows(name, module)?)],
            Object::Optimizer(_) => {
                let (module, state) = self.optimizer(name, handle)?;
                vec![("kind", Value::string("optimizer")), ("module", Value::String(module)), ("state", state)]
            }
            Object::Loss(loss) => vec![("kind", Value::string("loss")), ("loss", loss_value(loss))],
            Object::Tensor(tensor) => {
                let (data, shape) = (session.engine.data(tensor)?, session.engine.shape(tensor)?);
                let mut array = Value::NumericArray(NumericArray { data, shape });
                take(&mut array, name, &mut self.arrays);
                let is_trained = session.engine.is_leaf(tensor) && session.engine.requires_grad(tensor);
                vec![("kind", Value::string("tensor")), ("elements", array), ("gradient", Value::Bool(is_trained))]
            }
            Object::Model(_) => self.model(name, handle)?,
            Object::Vector(_) | Object::Dictionary(_) => {
                let message = "expected a module, an optimizer, a model, a loss, a tensor or plain data, given a vector or dictionary";
                return Err(Error::new(Code::HandleKind, message));
            }
        };
        Ok(Value::object(entry))
    }

    fn rows(&mut self, name: &str, module: &Shared<Module<E>>) -> Result<Value> {
        let mut rows = module_state::rows(&self.session.engine, module)?;
        let paths = module_state::paths_of(&rows)?;
        let Value::Array(list) = &mut rows else { return Ok(rows) };
        for (row, path) in list.iter_mut().zip(paths) {
            let prefix = if path.is_empty() { name.to_owned() } else { format!("{name}.{path}") };
            let Value::Object(columns) = row else { continue };
            for (_, column) in columns {
                take(column, &prefix, &mut self.arrays);
            }
        }
        Ok(rows)
    }

    /// The name of the module that has the parameters of an optimizer, and the state with their names there.
    fn optimizer(&mut self, name: &str, handle: Handle) -> Result<(String, Value)> {
        let session = self.session;
        let mut state = describe(session, handle, true, true)?;
        let bound = session.optimizer(handle)?;
        let identities: Vec<u64> = bound.tensors().iter().map(|tensor| session.engine.identity(tensor)).collect();
        drop(bound);
        let names_in = |module: &Shared<Module<E>>| -> Option<Vec<String>> {
            let known = module.parameters();
            let known: std::collections::HashMap<u64, &str> =
                known.iter().rev().map(|named| (session.engine.identity(&named.tensor), &*named.name)).collect();
            identities.iter().map(|identity| known.get(identity).map(|name| (*name).to_owned())).collect()
        };
        let found = self.modules.iter().find_map(|(owner, module)| Some((owner.clone(), names_in(module)?)));
        let Some((owner, names)) = found else {
            let message = "its parameters belong to no module that is saved with it: add the module to the objects";
            return Err(Error::new(Code::Parameter, message));
        };
        let Value::Object(entries) = &mut state else { return Err(malformed("a state")) };
        for (key, value) in entries {
            let Value::Array(rows) = value else { continue };
            if key != "parms" {
                continue;
            }
            for (row, parameter) in rows.iter_mut().zip(&names) {
                let Value::Object(columns) = row else { continue };
                // An address means nothing in another process.
                columns.retain(|(key, _)| key != "pointer");
                for (key, column) in columns {
                    match key.as_str() {
                        "name" => *column = Value::string(parameter),
                        "buffers" => take(column, &format!("{name}.{parameter}"), &mut self.arrays),
                        _ => {}
                    }
                }
            }
        }
        // Arrays outside of buffers, if there are any.
        take_rest(&mut state, name, &mut self.arrays);
        Ok((owner, state))
    }

    /// A model: its parts, or the names under which they are saved too.
    fn model(&mut self, name: &str, handle: Handle) -> Result<Vec<(&'static str, Value)>> {
        let session = self.session;
        let model = session.model(handle)?;
        let own = self.modules.iter().find(|(_, module)| Shared::ptr_eq(module, &model.module));
        let module = match own {
            Some((owner, _)) if owner != name => Value::string(owner),
            _ => self.rows(name, &model.module)?,
        };
        let mut optimizer = Value::Null;
        for (other, candidate) in &self.optimizers {
            if Shared::ptr_eq(session.shared_optimizer(*candidate)?, &model.optimizer) {
                optimizer = Value::string(other);
            }
        }
        if optimizer == Value::Null {
            let (owner, state) = self.optimizer(name, handle)?;
            optimizer = Value::object([("module", Value::String(owner)), ("state", state)]);
        }
        let loss = match model.own_loss {
            Some(_) => Value::Null,
            None => loss_value(&model.loss),
        };
        let mut train = loader_value(&model.train, model.train.options_value(TrainOptions::SPECS));
        take(&mut train, &format!("{name}.train"), &mut self.arrays);
        let mut test = loader_value(&model.test, model.test.options_value(TestOptions::SPECS));
        take(&mut test, &format!("{name}.test"), &mut self.arrays);
        Ok(vec![
            ("kind", Value::string("model")),
            ("module", module),
            ("optimizer", optimizer),
            ("loss", loss),
            ("train", train),
            ("test", test),
        ])
    }
}

fn loss_value(loss: &LossFunction) -> Value {
    let options = loss.options();
    let options = options.iter().map(|(name, value)| (*name, to_value(value)));
    Value::object([("name", Value::string(loss.name())), ("options", Value::object(options))])
}

/// Takes arrays out of the entries of a state that [`take`] has not seen.
fn take_rest(state: &mut Value, name: &str, arrays: &mut Vec<NamedArray>) {
    let Value::Object(entries) = state else { return };
    for (key, value) in entries {
        if key != "parms" {
            take(value, &format!("{name}.{key}"), arrays);
        }
    }
}
