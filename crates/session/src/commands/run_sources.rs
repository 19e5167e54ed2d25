//! The tensors of the objects of a run by name, as its description has them.

use std::collections::{HashMap, HashSet};

use stepwell_optim::Result;

use crate::commands::saved_file::malformed;
use crate::commands::state_entries::{Entries, dictionary, entry, find, list};
use crate::nn::module_state::{self, joined};
use crate::values::named_arrays::referenced;
use crate::values::value::Value;

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

/// Tensors of the objects of a file.
#[derive(Default)]
pub(crate) struct Sources {
    pub(crate) names: Vec<String>,
    /// Parameters that are frozen.
    pub(crate) frozen: HashSet<String>,
    /// By another name of a tensor the one that it is saved under.
    pub(crate) aliases: HashMap<String, String>,
}

impl Sources {
    pub(crate) fn of(objects: &[(String, Value)]) -> Result<Self> {
        let mut sources = Self::default();
        for (name, object) in objects {
            let entries = dictionary("object", object)?;
            match kind_of(object) {
                Some("module") => sources.module(name, entry(entries, "state")?, entries)?,
                // The module of another name is an object of its own.
                Some("model") => match entry(entries, "module")? {
                    Value::String(_) => {}
                    rows => sources.module(name, rows, entries)?,
                },
                Some("tensor" | "vector" | "dictionary") => {
                    for key in list(entries, "keys")? {
                        let Value::String(key) = key else { return Err(malformed("keys as texts")) };
                        sources.names.push(joined(name, key));
                    }
                }
                _ => {}
            }
        }
        Ok(sources)
    }

    fn module(&mut self, object: &str, rows: &Value, entries: &Entries) -> Result<()> {
        self.names.extend(arrays_of_rows(rows)?.into_iter().map(|(name, _)| joined(object, &name)));
        for name in list(entries, "frozen")? {
            let Value::String(name) = name else { return Err(malformed("names of frozen parameters")) };
            self.frozen.insert(joined(object, name));
        }
        let Value::Array(list) = rows else { return Err(malformed("rows of a module")) };
        for (row, path) in list.iter().zip(module_state::paths_of(rows)?) {
            for column in ["parms", "buffers"] {
                for (name, value) in dictionary(column, entry(dictionary("row", row)?, column)?)? {
                    if let Value::String(place) = value {
                        let alias = joined(object, &joined(&path, name));
                        self.aliases.insert(alias, joined(object, place));
                    }
                }
            }
        }
        Ok(())
    }
}

/// The names of the tensors in rows of a module, each with the name of its array.
pub(crate) fn arrays_of_rows(rows: &Value) -> Result<Vec<(String, String)>> {
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
