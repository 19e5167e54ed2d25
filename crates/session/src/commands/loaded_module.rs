//! Modules and tensors of the file of a run: given ones, or new ones.

use stepwell_optim::{Code, Error, Result, Shared};

use crate::commands::loaded_run::LoadedRun;
use crate::commands::loose_tensors::loose_tensors;
use crate::commands::run_changes::Change;
use crate::commands::run_sources::arrays_of_rows;
use crate::commands::saved_file::malformed;
use crate::commands::state_entries::{Entries, list};
use crate::engine::Engine;
use crate::nn::context::InitContext;
use crate::nn::module::{Module, Named};
use crate::nn::module_state;
use crate::random::Random;
use crate::session::Object;
use crate::values::data::Data;
use crate::values::dedupe::{first_positions, positions_of};
use crate::values::handle::Handle;
use crate::values::named_arrays::{put, referenced};
use crate::values::value::{NumericArray, Value};

impl<E: Engine> LoadedRun<'_, E> {
    /// A tensor, a vector or a dictionary.
    pub(crate) fn tensors(&mut self, name: &str, kind: &str, entries: &Entries, handle: Option<Handle>) -> Result<()> {
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
        let targets = loose_tensors(self.session, handle)?;
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
    pub(crate) fn fill_by_name(&mut self, targets: &[(String, E::Tensor)], saved: &[(String, String)]) -> Result<()> {
        let engine = &self.session.engine;
        self.session.check_written(&mut targets.iter().map(|(_, tensor)| tensor))?;
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
    pub(crate) fn module(&mut self, name: &str, state: &Value, frozen: &Value) -> Result<Shared<Module<E>>> {
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
    pub(crate) fn placeholder(&self, array: &str) -> Result<NumericArray> {
        let (dtype, shape) = self.arrays.describe(array)?;
        Ok(NumericArray { data: Data::empty(dtype), shape })
    }
}
