//! Models and losses of the file of a run.

use stepwell_optim::{Code, Error, Result, Shared};

use crate::commands::data_positions::{LoaderState, check_positions, loader_state, set_loaders};
use crate::commands::loaded_run::LoadedRun;
use crate::commands::run_changes::Change;
use crate::commands::run_sources::kind_of;
use crate::commands::saved_file::malformed;
use crate::commands::state_entries::{dictionary, entry, text};
use crate::engine::Engine;
use crate::nn::loss::LossFunction;
use crate::session::Object;
use crate::training::model::Model;
use crate::values::convert::named_options;
use crate::values::handle::Handle;
use crate::values::named_arrays::put;
use crate::values::value::Value;

impl<E: Engine> LoadedRun<'_, E> {
    /// Makes the modules of new models, since an optimizer of an own name may have their parameters.
    pub(crate) fn make_modules_of_models(
        &mut self,
        objects: &[(String, Value)],
        given: &[(String, Value)],
    ) -> Result<()> {
        for (name, object) in objects {
            let is_made = self.part.as_ref().is_none_or(|part| part.makes(name, "model"));
            let is_known = |known: &str| known == name;
            if kind_of(object) != Some("model")
                || !is_made
                || given.iter().any(|(known, _)| is_known(known))
                || self.modules.iter().any(|(known, _)| is_known(known))
            {
                continue;
            }
            let entries = dictionary("object", object)?;
            let state = entry(entries, "module")?;
            if !matches!(state, Value::String(_)) {
                let frozen = entry(entries, "frozen")?;
                self.module(name, state, frozen).map_err(|error| error.within(&format!("`{name}`")))?;
                self.models_with_module.push(name.clone());
            }
        }
        Ok(())
    }

    pub(crate) fn model(
        &mut self,
        name: &str,
        mut entries: Vec<(String, Value)>,
        handle: Option<Handle>,
    ) -> Result<()> {
        let known = |owner: &str| {
            let known = self.modules.iter().find(|(known, _)| known == owner);
            Ok(Shared::clone(known.map(|(_, module)| module).ok_or_else(|| malformed("a module of a model"))?))
        };
        let module = match entry(&entries, "module")? {
            Value::String(owner) => known(owner)?,
            _ if self.models_with_module.iter().any(|made| made == name) => known(name)?,
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
        if let Some(handle) = handle {
            return self.data_of_model(entries, handle);
        }
        let loaders = self.loaders(&mut entries)?;
        let loss = match entry(&entries, "loss")? {
            Value::Null => {
                let message = "its loss is a function of the program that saved it: make a model, and give it to load";
                return Err(Error::new(Code::Argument, message));
            }
            saved => loss(saved)?,
        };
        let mut model = Model::new(module, loss, optimizer)?;
        check_positions(&model, &loaders)?;
        set_loaders(&mut model, loaders)?;
        self.make(name, Object::Model(Box::new(model)));
        Ok(())
    }

    /// The positions of a given model in its data, and a check of its loss.
    pub(crate) fn data_of_model(&mut self, mut entries: Vec<(String, Value)>, handle: Handle) -> Result<()> {
        let loaders = self.loaders(&mut entries)?;
        self.session.check_not_stepping(handle)?;
        let model = self.session.model(handle)?;
        let saved = match entry(&entries, "loss")? {
            Value::Null => None,
            saved => Some(loss(saved)?),
        };
        if let (Some(saved), None) = (saved, model.own_loss) {
            check_loss(&model.loss, &saved)?;
        }
        check_positions(model, &loaders)?;
        self.changes.push(Change::Model { handle, loaders: Box::new(loaders) });
        Ok(())
    }

    /// The positions of a model in its data.
    pub(crate) fn loaders(&self, entries: &mut [(String, Value)]) -> Result<[LoaderState; 2]> {
        for (key, value) in &mut *entries {
            if key == "train" || key == "test" {
                put(value, &mut |array| self.arrays.read(array))?;
            }
        }
        Ok([loader_state(entries, "train")?, loader_state(entries, "test")?])
    }
}

pub(crate) fn loss(saved: &Value) -> Result<LossFunction> {
    let entries = dictionary("loss", saved)?;
    let options = dictionary("options", entry(entries, "options")?)?;
    LossFunction::new(text(entries, "name")?, &named_options(options.to_vec())?)
}

pub(crate) fn check_loss(own: &LossFunction, saved: &LossFunction) -> Result<()> {
    if (own.name(), own.options()) == (saved.name(), saved.options()) {
        return Ok(());
    }
    let message =
        format_args!("expected the loss of the file, {} with its options, given {}", saved.name(), own.name());
    Err(Error::new(Code::Argument, message))
}
