//! `load(path, objects, { only, rename, strict })`: tensors of a run by name in given objects, and a report of the others.

use std::collections::{HashMap, HashSet};

use stepwell_optim::{Brief, Code, Error, Result, Shared};

use crate::commands::load_report::{LoadReport, check_ties, saved_names};
use crate::commands::loaded_run::LoadedRun;
use crate::commands::loaded_states::LoadedStates;
use crate::commands::loose_tensors::loose_tensors;
use crate::commands::run_changes::Change;
use crate::commands::run_part::Part;
use crate::commands::run_sources::Sources;
use crate::commands::state_entries::{Entries, dictionary, find, list};
use crate::engine::Engine;
use crate::nn::module::Named;
use crate::nn::module_state::joined;
use crate::training::parameter_list::LOOSE;
use crate::values::handle::ObjectKind;
use crate::values::value::Value;

impl<'a, E: Engine> LoadedRun<'a, E> {
    /// Finds the tensors of a part of the file in given objects.
    pub(crate) fn prepare_part(
        &mut self,
        objects: &[(String, Value)],
        given: &[(String, Value)],
        mut part: Part<'a>,
    ) -> Result<()> {
        let sources = Sources::of(objects)?;
        let mut own: Vec<Named<E>> = Vec::new();
        let mut parameters: HashSet<String> = HashSet::new();
        for (name, module) in &self.modules {
            // A model can be given with its module.
            if !part.given.insert(name.clone()) {
                continue;
            }
            parameters.extend(module.parameters().iter().map(|named| joined(name, &named.name)));
            let tensors = module.parameters_and_buffers().into_iter();
            own.extend(tensors.map(|named| Named { name: joined(name, &named.name), ..named }));
        }
        for (name, target) in given {
            let Value::Handle(handle) = target else { continue };
            let kind = handle.kind();
            if !matches!(kind, Some(ObjectKind::Tensor | ObjectKind::Vector | ObjectKind::Dictionary)) {
                continue;
            }
            let tensors = loose_tensors(self.session, *handle).map_err(|error| error.within(&format!("`{name}`")))?;
            let named = |(key, tensor): &(String, E::Tensor)| Named {
                name: joined(name, key),
                kind: LOOSE,
                tensor: tensor.clone(),
            };
            own.extend(tensors.iter().map(named));
            part.given.insert(name.clone());
            self.loose.push((name.clone(), tensors, kind == Some(ObjectKind::Dictionary)));
        }

        let (engine, saved) = (&self.session.engine, &self.arrays.0);
        let known: Vec<&str> = own.iter().map(|named| named.name.as_str()).collect();
        let is_given = |object: &str| part.given.contains(object);
        let is_target = |name: &str| is_given(name) || given.iter().any(|(known, _)| known == name);
        let is_selectable = |name: &&str| part.is_strict() && !part.selection.renames() || is_target(name);
        let whole: Vec<&str> = objects.iter().map(|(name, _)| name.as_str()).filter(is_selectable).collect();
        let names = part.selection.names_of_run(&known, &whole, &sources.names, &is_given, saved)?;
        own.retain(|named| names.selects(&named.name));
        let tensors = saved_names(engine, own, &names)?;
        self.session.check_written(&mut tensors.iter().map(|named| &named.tensor))?;
        let report = LoadReport::of(engine, &tensors, &names, false)?;
        let place = Brief(saved.place()).to_string();
        if part.is_strict() {
            report.require_all(&place, "the given objects do not have")?;
        } else {
            part.report = report.to_value();
        }
        check_ties(engine, &report.matched, &place)?;
        let mut flags = Vec::new();
        for matched in &report.matched {
            let (from, Named { name, tensor, .. }) = (matched.saved.name().into_owned(), matched.named);
            let is_frozen = sources.frozen.contains(&from);
            if parameters.contains(name) && engine.requires_grad(tensor) == is_frozen {
                flags.push((tensor.clone(), !is_frozen));
            }
            part.loaded.insert(from.clone(), (engine.identity(tensor), name.clone()));
            self.changes.push(Change::Elements { array: from, to: tensor.clone() });
        }
        if !flags.is_empty() {
            self.changes.push(Change::Gradients { flags });
        }
        part.aliases = sources.aliases;
        self.part = Some(part);
        Ok(())
    }

    /// Takes the state of the parameters that are loaded into a given optimizer, which keeps its groups and options.
    pub(crate) fn prepare_states(&mut self, name: &str, state: &Entries) -> Result<()> {
        let target = self.optimizers.iter().find(|(known, _)| known == name).map(|(_, target)| Shared::clone(target));
        let (Some(target), Some(part)) = (target, &mut self.part) else { return Ok(()) };
        let Ok(own) = target.try_borrow() else { return Err(Error::new(Code::Busy, "its step is not over yet")) };
        let mut loaded = LoadedStates::new(&own, state)?;
        let mut positions: HashMap<u64, usize> = HashMap::new();
        for (position, tensor) in own.tensors().iter().enumerate() {
            positions.insert(self.session.engine.identity(tensor), position);
        }
        let (mut unexpected, mut taken) = (Vec::new(), HashSet::new());
        for row in list(state, "parms")? {
            let row = dictionary("parms", row)?;
            let source = part.source_of(row)?;
            // The report names parameters that are not loaded, once.
            let Some((identity, _)) = part.loaded.get(&source) else { continue };
            let Some(position) = positions.get(identity) else {
                unexpected.push(joined(name, &source));
                continue;
            };
            taken.insert(*identity);
            if let Some(buffers) = find(row, "buffers") {
                let buffers = dictionary("buffers", buffers)?;
                loaded.take(&self.session.engine, self.arrays, &own, *position, &source, buffers)?;
            }
        }
        let of_own = |(identity, _): &&(u64, String)| positions.contains_key(identity) && !taken.contains(identity);
        let mut missing: Vec<_> = part.loaded.values().filter(of_own).map(|(_, own)| joined(name, own)).collect();
        missing.sort_unstable();
        part.extend_report("missing", missing);
        part.extend_report("unexpected", unexpected);
        drop(own);
        self.changes.push(Change::States { target, loaded: Box::new(loaded) });
        Ok(())
    }
}
