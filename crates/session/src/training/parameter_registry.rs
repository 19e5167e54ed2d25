//! The objects that the parameters of an optimizer came from, which give each parameter its name.
//!
//! The names of one module are used as they are. With several modules, each has its own name as a prefix, or
//! its position if it has none. Loose tensors have the prefix `parms`.

use stepwell_optim::{Code, Error, Result, Shared};

use crate::engine::Engine;
use crate::nn::module::{Module, checked_name};
use crate::training::parameter_list::{ParameterList, ParameterOrigin};
use crate::values::dedupe::repeated;

/// Modules and loose tensors that an optimizer's parameters came from.
pub(crate) struct ParameterRegistry<E: Engine> {
    entries: Vec<Entry<E>>,
}

/// Not derived, since that would ask the engine to be cloneable.
impl<E: Engine> Clone for ParameterRegistry<E> {
    fn clone(&self) -> Self {
        Self { entries: self.entries.clone() }
    }
}

enum Entry<E: Engine> {
    Module { key: String, module: Shared<Module<E>> },
    Loose { key: String, tensors: Vec<(String, E::Tensor)> },
}

impl<E: Engine> Clone for Entry<E> {
    fn clone(&self) -> Self {
        match self {
            Entry::Module { key, module } => Entry::Module { key: key.clone(), module: Shared::clone(module) },
            Entry::Loose { key, tensors } => Entry::Loose { key: key.clone(), tensors: tensors.clone() },
        }
    }
}

impl<E: Engine> Entry<E> {
    fn key(&self) -> &str {
        match self {
            Entry::Module { key, .. } | Entry::Loose { key, .. } => key,
        }
    }
}

impl<E: Engine> ParameterRegistry<E> {
    pub(crate) fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Adds the origin of a list.
    pub(crate) fn add(&mut self, list: &ParameterList<E>) -> Result<()> {
        match &list.origin {
            ParameterOrigin::Nothing => Ok(()),
            ParameterOrigin::Module(module) => self.add_module(module),
            ParameterOrigin::Unnamed => self.add_loose(list, false),
            ParameterOrigin::Named => self.add_loose(list, true),
        }
    }

    fn add_module(&mut self, module: &Shared<Module<E>>) -> Result<()> {
        let held = |entry: &Entry<E>| matches!(entry, Entry::Module { module: root, .. } if root.holds(module));
        if self.entries.iter().any(held) {
            return Ok(());
        }
        let key = match &module.name {
            Some(name) if self.entries.iter().any(|entry| entry.key() == name) => {
                let message =
                    format_args!("a {} module named `{name}` already registered with the optimizer", module.kind);
                return Err(Error::new(Code::Parameter, message));
            }
            Some(name) => name.clone(),
            None => self.free_key(self.entries.len(), usize::to_string),
        };
        self.entries.push(Entry::Module { key, module: Shared::clone(module) });
        Ok(())
    }

    fn add_loose(&mut self, list: &ParameterList<E>, named: bool) -> Result<()> {
        let index = match self.entries.iter().position(|entry| matches!(entry, Entry::Loose { .. })) {
            Some(index) => index,
            None => {
                let key = self.free_key(0, |n| if *n == 0 { "parms".to_owned() } else { format!("parms{n}") });
                self.entries.push(Entry::Loose { key, tensors: Vec::new() });
                self.entries.len() - 1
            }
        };
        let Entry::Loose { tensors, .. } = &mut self.entries[index] else { return Ok(()) };
        for parameter in &list.tensors {
            let name = if named { checked_name(&parameter.name)? } else { tensors.len().to_string() };
            tensors.push((name, parameter.tensor.clone()));
        }
        let names: Vec<&str> = tensors.iter().map(|(name, _)| name.as_str()).collect();
        match repeated(&names)? {
            None => Ok(()),
            Some(name) => Err(Error::new(Code::Parameter, format_args!("parameter `{name}` already defined"))),
        }
    }

    fn free_key(&self, first: usize, key: impl Fn(&usize) -> String) -> String {
        let taken = |key: &String| self.entries.iter().any(|entry| entry.key() == key);
        let mut n = first;
        while taken(&key(&n)) {
            n += 1;
        }
        key(&n)
    }

    /// All objects as one module; `None` if no object was added.
    pub(crate) fn module(&self) -> Option<Shared<Module<E>>> {
        let module = |entry: &Entry<E>| match entry {
            Entry::Module { module, .. } => Shared::clone(module),
            Entry::Loose { tensors, .. } => Shared::new(Module::parameter_dictionary(tensors.clone())),
        };
        match self.entries.as_slice() {
            [] => None,
            [entry] => Some(module(entry)),
            entries => {
                let children = entries.iter().map(|entry| (entry.key().to_owned(), module(entry))).collect();
                Some(Shared::new(Module::dictionary(children)))
            }
        }
    }

    /// The dotted name of a tensor; its index if it does not have one.
    pub(crate) fn name_of(&self, engine: &E, tensors: &[E::Tensor], index: usize) -> String {
        let identity = tensors.get(index).map(|tensor| engine.identity(tensor));
        for (other, name) in self.names(engine) {
            if Some(other) == identity {
                return name;
            }
        }
        index.to_string()
    }

    /// The names of all parameters, with the identities of their tensors.
    pub(crate) fn names(&self, engine: &E) -> Vec<(u64, String)> {
        let mut names = Vec::new();
        if let Some(module) = self.module() {
            for named in module.parameters() {
                names.push((engine.identity(&named.tensor), named.name));
            }
        }
        names
    }
}
