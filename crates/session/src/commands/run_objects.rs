//! One object of the file of a run after the other, by its kind.

use stepwell_optim::{Code, Error, Result, Shared, SharedCell};

use crate::commands::loaded_model::{check_loss, loss};
use crate::commands::loaded_optimizer::{LoadedOptimizer, fills_of};
use crate::commands::loaded_run::LoadedRun;
use crate::commands::restore::{Origin, restored};
use crate::commands::run_changes::{Change, Made, SharedOptimizer};
use crate::commands::run_sources::kind_of;
use crate::commands::saved_file::malformed;
use crate::commands::state_entries::{dictionary, entry, find};
use crate::engine::Engine;
use crate::session::Object;
use crate::values::handle::{Handle, ObjectKind};
use crate::values::named_arrays::put;
use crate::values::value::Value;

impl<E: Engine> LoadedRun<'_, E> {
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
        let is_made = target.is_none() && self.part.as_ref().is_none_or(|part| part.makes(name, &kind));
        let handle = match (target, expected) {
            // A part of a model can be given without its own name.
            (None, _) if is_made || kind == "optimizer" => None,
            (None, _) => return Ok(()),
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
        if self.part.is_some() {
            match (kind.as_str(), handle) {
                // Their tensors are prepared.
                ("module" | "tensor" | "vector" | "dictionary", Some(_)) => return Ok(()),
                ("optimizer" | "model", _) if !is_made => return self.prepare_given(name, &kind, entries, handle),
                ("loss", Some(_)) if self.part.as_ref().is_some_and(|part| !part.selects(name)) => return Ok(()),
                _ => {}
            }
        }
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

    /// An optimizer or a model of a part of a run, if it is given or belongs to a given model.
    fn prepare_given(
        &mut self,
        name: &str,
        kind: &str,
        entries: Vec<(String, Value)>,
        handle: Option<Handle>,
    ) -> Result<()> {
        let has_optimizer = self.optimizers.iter().any(|(known, _)| known == name);
        let Some(part) = &self.part else { return Ok(()) };
        let is_strict = part.is_strict();
        if !part.selects(name) {
            return Ok(());
        }
        if let Some(handle) = handle {
            self.session.check_not_stepping(handle)?;
        }
        let own = if kind == "model" { entry(&entries, "optimizer")?.clone() } else { Value::Object(entries.clone()) };
        match (own, kind) {
            (Value::Object(own), _) if has_optimizer && is_strict => drop(self.optimizer(name, &own)?),
            (Value::Object(own), _) if has_optimizer => {
                self.prepare_states(name, dictionary("state", entry(&own, "state")?)?)?;
            }
            _ => {}
        }
        match handle {
            Some(handle) if kind == "model" && is_strict => self.data_of_model(entries, handle),
            _ => Ok(()),
        }
    }

    /// The optimizer of a name: the given one, whose state is to be set, or a new one.
    pub(crate) fn optimizer(&mut self, name: &str, entries: &[(String, Value)]) -> Result<SharedOptimizer<E>> {
        let mut state = entry(entries, "state")?.clone();
        if let Some(part) = &self.part {
            part.rename_parameters(&mut state)?;
        }
        let state = &state;
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
        if origins.is_empty() {
            let message = "its parameters belong to no object that is loaded with it: load their module, vector, dictionary or tensor too";
            return Err(Error::new(Code::Parameter, message));
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
}
