//! The tensors of a file under the names of a module: the options `rename` and `only` of `load(module, path)`.

use std::collections::HashMap;

use stepwell_checkpoint::{ReadAt, SavedTensor};
use stepwell_optim::{Brief, Code, Error, Result, Results};

use crate::commands::saved_file::SavedFile;
use crate::values::value::Value;

type Tensor<'a> = SavedTensor<'a, Box<dyn ReadAt>>;

/// Which tensors are loaded, and under which names.
pub(crate) struct Selection {
    /// The name in the module for a name in the file; `None` for a tensor that is left out.
    renamed: HashMap<String, Option<String>>,
    /// Names in the module, or beginnings of them up to a dot; empty for all.
    only: Vec<String>,
}

impl Selection {
    /// Takes the two options out of all.
    pub(crate) fn take(options: &mut Vec<(String, Value)>) -> Result<Self> {
        let mut selection = Self { renamed: HashMap::new(), only: Vec::new() };
        for (key, value) in options.extract_if(.., |(key, _)| key == "rename" || key == "only") {
            let refuse = |expected: &str, given: &Value| {
                Error::new(Code::OptionType, format!("{key}: expected {expected}, given {given}"))
            };
            match (key.as_str(), value) {
                ("rename", Value::Object(entries)) => {
                    for (from, to) in entries {
                        let to = match to {
                            Value::String(to) => Some(to),
                            Value::Null => None,
                            other => return Err(refuse("names, or null for tensors to leave out", &other)),
                        };
                        selection.renamed.insert(from, to);
                    }
                }
                ("only", Value::String(name)) => selection.only = vec![name],
                ("only", Value::Array(list)) if !list.is_empty() => {
                    let names = list.into_iter().map(|name| match name {
                        Value::String(name) => Ok(name),
                        other => Err(refuse("names", &other)),
                    });
                    selection.only = names.values()?;
                }
                ("rename", other) => {
                    return Err(refuse("a dictionary of names in the module by names in the file", &other));
                }
                (_, other) => return Err(refuse("a name or a list of names", &other)),
            }
        }
        Ok(selection)
    }

    /// The tensors of a file by the names of a module.
    ///
    /// # Errors
    /// [`Code::Argument`] for a name that neither side has, and for two tensors of one name.
    pub(crate) fn names<'a>(self, own: impl Iterator<Item = &'a str>, saved: &SavedFile) -> Result<SavedNames<'_>> {
        let Self { renamed, only } = self;
        let fail = |message: String| Err(Error::new(Code::Argument, message));
        if let Some(name) = renamed.keys().find(|name| saved.find(name).is_none()) {
            return fail(format!("rename: the file has no `{}`", Brief(name)));
        }
        let own: Vec<&str> = own.collect();
        if let Some(name) = only.iter().find(|only| !own.iter().any(|name| begins(name, only))) {
            return fail(format!("only: the module has neither a tensor nor a module `{}`", Brief(name)));
        }
        let mut names = SavedNames { saved, renamed: None, only };
        if !renamed.is_empty() {
            let mut by_name = HashMap::new();
            for tensor in saved.tensors() {
                let from = tensor.name().into_owned();
                let to = match renamed.get(&from) {
                    Some(None) => continue,
                    Some(Some(to)) => to.clone(),
                    None => from.clone(),
                };
                if let Some(other) = by_name.insert(to.clone(), from.clone()) {
                    let [other, from, to] = [&other, &from, &to].map(|name| Brief(name).to_string());
                    return fail(format!("rename: `{other}` and `{from}` of the file are both `{to}`"));
                }
            }
            names.renamed = Some(by_name);
        }
        Ok(names)
    }
}

/// True for a name itself, and for its beginning up to a dot.
fn begins(name: &str, beginning: &str) -> bool {
    name.strip_prefix(beginning).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The tensors of a file by the names of a module.
pub(crate) struct SavedNames<'a> {
    saved: &'a SavedFile,
    /// Names in the file by names in the module; `None` if they are the same.
    renamed: Option<HashMap<String, String>>,
    only: Vec<String>,
}

impl<'a> SavedNames<'a> {
    /// Whether a tensor of the module is loaded.
    pub(crate) fn selects(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| begins(name, only))
    }

    /// The tensor for a name in the module.
    pub(crate) fn find(&self, name: &str) -> Option<Tensor<'a>> {
        match &self.renamed {
            None => self.saved.find(name),
            Some(renamed) => self.saved.find(renamed.get(name)?),
        }
    }

    /// All tensors that are selected, each with its name in the module. There may be a million.
    pub(crate) fn tensors(&self) -> Box<dyn Iterator<Item = (String, Tensor<'a>)> + '_> {
        match &self.renamed {
            None => {
                let all = self.saved.tensors().map(|tensor| (tensor.name().into_owned(), tensor));
                Box::new(all.filter(|(name, _)| self.selects(name)))
            }
            Some(renamed) => {
                let mut names: Vec<_> = renamed.iter().filter(|(name, _)| self.selects(name)).collect();
                names.sort_unstable();
                Box::new(names.into_iter().filter_map(|(name, from)| Some((name.clone(), self.saved.find(from)?))))
            }
        }
    }
}
