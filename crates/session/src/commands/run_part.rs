//! The part of a run that is loaded, and what the report says of the rest.

use std::collections::{HashMap, HashSet};

use stepwell_optim::{Brief, Code, Error, Result};

use crate::commands::saved_file::malformed;
use crate::commands::selection::{Selection, object_of};
use crate::commands::state_entries::{Entries, dictionary, text};
use crate::nn::module_state::joined;
use crate::values::value::Value;

/// A part of a run, and the names that its tensors have in given objects.
pub(crate) struct Part<'a> {
    pub(crate) selection: &'a Selection,
    is_strict: bool,
    /// By the name of a tensor in the file its identity in a given object, and its name there.
    pub(crate) loaded: HashMap<String, (u64, String)>,
    /// By another name of a tensor in the file the one that it is saved under.
    pub(crate) aliases: HashMap<String, String>,
    /// The objects that were given or have a tensor of another name.
    pub(crate) given: HashSet<String>,
    pub(crate) report: Value,
}

impl<'a> Part<'a> {
    pub(crate) fn new(selection: &'a Selection, is_strict: bool) -> Self {
        let (loaded, aliases, given) = (HashMap::new(), HashMap::new(), HashSet::new());
        Self { selection, is_strict, loaded, aliases, given, report: Value::Null }
    }

    pub(crate) fn is_strict(&self) -> bool {
        self.is_strict
    }

    /// Whether an object that is not given is made anew. Plain data have no tensors of other names.
    pub(crate) fn makes(&self, object: &str, kind: &str) -> bool {
        self.is_strict && self.selects(object) && (kind == "data" || !self.selection.renames())
    }

    /// Whether an object is loaded as a whole.
    pub(crate) fn selects(&self, object: &str) -> bool {
        self.selection.selects_object(object)
    }

    /// The report, unless the load is strict.
    pub(crate) fn into_report(self) -> Option<Value> {
        (!self.is_strict).then_some(self.report)
    }

    /// The name in the file of the parameter of a row, under which its elements are.
    pub(crate) fn source_of(&self, row: &Entries) -> Result<String> {
        let name = joined(text(row, "object")?, text(row, "name")?);
        Ok(self.aliases.get(&name).cloned().unwrap_or(name))
    }

    /// Gives the parameters of the state of an optimizer their names in given objects. All have to be loaded with it.
    pub(crate) fn rename_parameters(&self, state: &mut Value) -> Result<()> {
        let Value::Object(entries) = state else { return Err(malformed("the state of an optimizer")) };
        let Some((_, Value::Array(rows))) = entries.iter_mut().find(|(key, _)| key == "parms") else {
            return Err(malformed("parameters of an optimizer"));
        };
        for row in rows {
            let source = self.source_of(dictionary("parms", row)?)?;
            let Some((_, name)) = self.loaded.get(&source) else {
                if !self.given.contains(object_of(&source)) {
                    // Its object is made anew, or is not there, which is an error of the optimizer.
                    continue;
                }
                let message = format_args!(
                    "its parameter `{}` is not loaded: with strict: false it takes the state of those that are",
                    Brief(&source)
                );
                return Err(Error::new(Code::Parameter, message));
            };
            let (object, name) = name.split_once('.').unwrap_or((name, ""));
            let Value::Object(columns) = row else { continue };
            for (key, column) in columns {
                match key.as_str() {
                    "object" => *column = Value::string(object),
                    "name" => *column = Value::string(name),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    pub(crate) fn extend_report(&mut self, column: &str, names: Vec<String>) {
        let Value::Object(columns) = &mut self.report else { return };
        if let Some((_, Value::Array(list))) = columns.iter_mut().find(|(key, _)| key == column) {
            list.extend(names.into_iter().map(Value::String));
        }
    }
}
