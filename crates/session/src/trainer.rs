//! An optimizer together with the tensors that it updates.

use std::collections::HashMap;

use stepwell_optim::{Code, Error, Optimizer, Result, Value};

use crate::Engine;
use crate::container::Container;
use crate::selection::Selection;

/// An optimizer, its parameters and where they came from.
pub(crate) struct Trainer<E: Engine> {
    pub(crate) optimizer: Optimizer,
    pub(crate) container: Container<E>,
    groups: Vec<Vec<Parameter<E>>>,
    /// The tensors of all groups, one group after the other.
    tensors: Vec<E::Tensor>,
}

/// A parameter of a group.
pub(crate) struct Parameter<E: Engine> {
    pub(crate) tensor: E::Tensor,
    /// The kind of the module that owns it.
    pub(crate) kind: &'static str,
}

impl<E: Engine> Trainer<E> {
    pub(crate) fn new(optimizer: Optimizer) -> Self {
        Self { optimizer, container: Container::new(), groups: vec![Vec::new()], tensors: Vec::new() }
    }

    /// Sets options of a group, or adds the group, and appends parameters to it. A failure changes nothing.
    pub(crate) fn edit(
        &mut self,
        engine: &E,
        group: usize,
        selection: Selection<E>,
        positional: &[Value],
        named: &[(String, Value)],
    ) -> Result<()> {
        let options = self.optimizer.plan(group, positional, named)?;
        self.check(engine, &selection)?;
        let mut container = self.container.clone();
        container.add(&selection)?;
        self.optimizer.edit(group, options, selection.tensors.len())?;

        self.container = container;
        self.groups.resize_with(self.optimizer.groups().len(), Vec::new);
        let added = selection.tensors.into_iter().map(|named| Parameter { tensor: named.tensor, kind: named.kind });
        self.groups[group].extend(added);
        self.tensors = self.groups.iter().flatten().map(|parameter| parameter.tensor.clone()).collect();
        Ok(())
    }

    /// Fails if one of the tensors cannot become a parameter.
    fn check(&self, engine: &E, selection: &Selection<E>) -> Result<()> {
        let mut taken = HashMap::new();
        for (group, parameters) in self.groups.iter().enumerate() {
            taken.extend(parameters.iter().map(|p| (engine.identity(&p.tensor), Some(group))));
        }
        for (i, named) in selection.tensors.iter().enumerate() {
            let name = if named.name.is_empty() { String::new() } else { format!(" (`{}`)", named.name) };
            let refuse = |what: String| Err(Error::new(Code::Parameter, format!("parameter[{i}]{name} {what}")));
            if !engine.is_leaf(&named.tensor) {
                return refuse("is not a leaf tensor".into());
            }
            if !engine.dtype(&named.tensor)?.is_floating() {
                return refuse("is not of floating point, so it can have no gradient".into());
            }
            match taken.insert(engine.identity(&named.tensor), None) {
                None => {}
                Some(Some(group)) => return refuse(format!("already in group {group}")),
                Some(None) => return refuse("is given twice".into()),
            }
        }
        Ok(())
    }

    /// Every parameter with its group, in the order of the groups.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (usize, &Parameter<E>)> {
        self.groups.iter().enumerate().flat_map(|(group, parameters)| parameters.iter().map(move |p| (group, p)))
    }

    /// The tensors of all groups, one group after the other.
    pub(crate) fn tensors(&self) -> &[E::Tensor] {
        &self.tensors
    }

    /// Updates every parameter that has a gradient.
    pub(crate) fn step(&mut self, engine: &E) -> Result<()> {
        let optimizer = &mut self.optimizer;
        engine.lend(&self.tensors, &mut |views| optimizer.step(views))
    }
}
