//! The tensors of a file under the names of a module or of the objects of a run: the options `rename` and `only` of `load`.

use std::collections::{HashMap, HashSet};

use stepwell_checkpoint::{ReadAt, SavedTensor};
use stepwell_optim::{Brief, Code, Error, Result, Results};

use crate::commands::saved_file::SavedFile;
use crate::values::value::Value;

/// The options that are taken, for the error of an unknown one.
pub(crate) const SELECTING: &str = ", only, rename";

type Tensor<'a> = SavedTensor<'a, Box<dyn ReadAt>>;

/// Which tensors are loaded, and under which names.
#[derive(Default)]
pub(crate) struct Selection {
    /// The name in the module for a name in the file; `None` for a tensor that is left out.
    renamed: HashMap<String, Option<String>>,
    /// Whether a function has given the names. It was asked for all of the file.
    is_function: bool,
    /// Names in the module, or beginnings of them up to a dot; empty for all.
    only: Vec<String>,
}

impl Selection {
    /// Takes the two options out of all.
    pub(crate) fn take(options: &mut Vec<(String, Value)>) -> Result<Self> {
        let mut selection = Self::default();
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
                // The results of a function for all tensors of a run.
                ("rename", Value::Array(pairs)) => {
                    selection.is_function = true;
                    for pair in pairs {
                        let (Value::Array(pair), expected) = (pair, "pairs of names") else { continue };
                        match <[Value; 2]>::try_from(pair) {
                            Ok([Value::String(from), Value::String(to)]) => selection.renamed.insert(from, Some(to)),
                            Ok([Value::String(from), Value::Null]) => selection.renamed.insert(from, None),
                            Ok(pair) => return Err(refuse(expected, &Value::Array(pair.into()))),
                            Err(pair) => return Err(refuse(expected, &Value::Array(pair))),
                        };
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

    /// Whether all is loaded under its own name.
    pub(crate) fn is_all(&self) -> bool {
        self.only.is_empty() && !self.renames()
    }

    /// Whether no part of a run is left out by `only`.
    pub(crate) fn is_whole_run(&self) -> bool {
        self.only.is_empty()
    }

    /// Whether names are changed.
    pub(crate) fn renames(&self) -> bool {
        self.is_function || !self.renamed.is_empty()
    }

    /// Whether an object of a run is loaded as a whole.
    pub(crate) fn selects_object(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }

    /// The tensors of a run by their names in given objects. `sources` has their names in the file, `objects` names that `only` can have.
    ///
    /// # Errors
    /// [`Code::Argument`] for a name that neither side has, and for two tensors of one name.
    pub(crate) fn names_of_run<'a>(
        &self,
        own: &[&str],
        objects: &[&str],
        sources: &[String],
        is_given: &dyn Fn(&str) -> bool,
        saved: &'a SavedFile,
    ) -> Result<SavedNames<'a>> {
        let fail = |message: String| Err(Error::new(Code::Argument, message));
        let known: HashSet<&str> = sources.iter().map(String::as_str).collect();
        if let Some(name) = self.renamed.keys().find(|name| saved.find(name).is_none()) {
            return fail(format!("rename: the file has no `{}`", Brief(name)));
        }
        if let Some(name) = self.renamed.keys().find(|name| !self.is_function && !known.contains(name.as_str())) {
            let name = Brief(name);
            return fail(format!(
                "rename: `{name}` is plain data, or state of an optimizer, which has the names of its parameters"
            ));
        }
        let selects = |only: &str| objects.contains(&only) || own.iter().any(|name| begins(name, only));
        if let Some(name) = self.only.iter().find(|only| !selects(only)) {
            let name = Brief(name);
            return fail(format!("only: neither an object of the file nor a part of the given ones is `{name}`"));
        }
        let mut by_name: HashMap<String, String> = HashMap::new();
        for from in sources {
            let to = match self.renamed.get(from) {
                Some(None) => continue,
                Some(Some(to)) => to,
                None => from,
            };
            if !is_given(object_of(to)) {
                if is_given(object_of(from)) {
                    let [from, to] = [from, to].map(|name| Brief(name).to_string());
                    return fail(format!("rename: `{from}` becomes `{to}`, which is in no given object"));
                }
                continue;
            }
            if let Some(other) = by_name.insert(to.clone(), from.clone()) {
                let [other, from, to] = [&other, from, to].map(|name| Brief(name).to_string());
                return fail(format!("rename: `{other}` and `{from}` of the file are both `{to}`"));
            }
        }
        Ok(SavedNames { saved, renamed: Some(by_name), only: self.only.clone() })
    }

    /// The tensors of a file by the names of a module.
    ///
    /// # Errors
    /// [`Code::Argument`] for a name that neither side has, and for two tensors of one name.
    pub(crate) fn names<'a>(self, own: impl Iterator<Item = &'a str>, saved: &SavedFile) -> Result<SavedNames<'_>> {
        let Self { renamed, only, .. } = self;
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

/// The name of the object in the name of a tensor of a run.
pub(crate) fn object_of(name: &str) -> &str {
    name.split_once('.').map_or(name, |(object, _)| object)
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
