//! `opt(state, module)`: restores an optimizer from the result of `state(optimizer)`, on the parameters of a module. The file of a
//! run restores one on the parameters of several objects.
//!
//! Parameters are matched by name. Every check comes before anything is made, so a failure changes nothing.

use std::mem;

use stepwell_optim::fallible::filled;
use stepwell_optim::{
    Code, Definition, Error, LossScale, MAX_BUFFERS, MAX_STEPS, Optimizer, Result, Results, Shared, State, definition,
};

use crate::commands::arguments::Arguments;
use crate::commands::lbfgs_state::lbfgs_state_of;
use crate::commands::state_entries::{Entries, dictionary, entry, find, flag, list, malformed, numbers, text, whole};
use crate::commands::{schedules, steps};
use crate::engine::Engine;
use crate::nn::module::{Module, Named};
use crate::nn::module_state::joined;
use crate::session::{Object, Session};
use crate::training::bound_optimizer::BoundOptimizer;
#[cfg(not(target_arch = "wasm32"))]
use crate::training::parameter_list::LOOSE;
use crate::training::parameter_list::{ParameterList, ParameterOrigin};
use crate::training::step_mode::step_mode;
use crate::values::convert::{check_keys, named_options};
use crate::values::dedupe::positions_of;
use crate::values::dtype::Dtype;
use crate::values::handle::ObjectKind;
use crate::values::numbers::{array, size};
use crate::values::value::Value;

/// Whether parameters can belong to several objects, as in the file of a run. WebAssembly has neither files nor libtorch.
const HAS_RUNS: bool = cfg!(not(target_arch = "wasm32"));

/// Makes the optimizer of a state on the parameters of a module.
pub(crate) fn restore<E: Engine>(session: &mut Session<E>, saved: &Entries, mut arguments: Arguments) -> Result<Value> {
    let module = session.module(arguments.handle(ObjectKind::Module)?)?;
    arguments.finish()?;
    let origins = [(String::new(), Origin::Module(module))];
    let bound = restored(session, saved, &origins)?.finish()?;
    session.scales_losses |= bound.optimizer.loss_scale.is_some();
    session.insert(Object::optimizer(bound))
}

/// An object that parameters of an optimizer belong to.
pub(crate) enum Origin<E: Engine> {
    Module(Shared<Module<E>>),
    /// Tensors outside of modules. The names of a dictionary are the caller's.
    #[cfg(not(target_arch = "wasm32"))]
    Loose {
        tensors: Vec<(String, E::Tensor)>,
        is_named: bool,
    },
}

impl<E: Engine> Origin<E> {
    /// The parameters, each with its name in the object.
    fn parameters(&self) -> Vec<Named<E>> {
        match self {
            Origin::Module(module) => module.parameters(),
            #[cfg(not(target_arch = "wasm32"))]
            Origin::Loose { tensors, .. } => {
                let named = tensors.iter().map(|(name, tensor)| (name.clone(), tensor.clone()));
                named.map(|(name, tensor)| Named { name, kind: LOOSE, tensor }).collect()
            }
        }
    }

    fn of_list(&self) -> ParameterOrigin<E> {
        match self {
            Origin::Module(module) => ParameterOrigin::Module(Shared::clone(module)),
            #[cfg(not(target_arch = "wasm32"))]
            Origin::Loose { is_named: true, .. } => ParameterOrigin::Named,
            #[cfg(not(target_arch = "wasm32"))]
            Origin::Loose { is_named: false, .. } => ParameterOrigin::Unnamed,
        }
    }
}

/// An optimizer, and the state of each parameter, which it does not have yet.
pub(crate) struct Restored<E: Engine> {
    pub(crate) bound: BoundOptimizer<E>,
    pub(crate) states: Vec<Option<State>>,
    /// Whether parameters and averages are swapped.
    is_averaged: bool,
}

impl<E: Engine> Restored<E> {
    /// The optimizer with its state.
    pub(crate) fn finish(self) -> Result<BoundOptimizer<E>> {
        let Self { mut bound, states, is_averaged } = self;
        bound.optimizer.set_swapped(is_averaged && states.iter().flatten().any(State::has_average));
        bound.set_states(states)?;
        Ok(bound)
    }
}

/// The optimizer of a state, on the parameters of objects with their names. The name of a single object may be empty. The
/// session is as before. A buffer without the elements of its shape is left out of the state.
pub(crate) fn restored<E: Engine>(
    session: &Session<E>,
    saved: &Entries,
    origins: &[(String, Origin<E>)],
) -> Result<Restored<E>> {
    const KEYS: &[&str] = &["optimizer", "options", "parms", "schedule", "lossscale", "averaged", "fused", "offload"];
    const COLUMNS: &[&str] = &["parmgroup", "pointer", "module", "name", "size", "buffers", "object"];
    check_keys("state", saved, KEYS)?;
    let name = match entry(saved, "optimizer")? {
        Value::String(name) => name,
        other => return Err(malformed("optimizer", "a string", other)),
    };
    let definition = definition(name)?;
    let fused = flag(saved, "fused")?.unwrap_or(true);
    let offload = flag(saved, "offload")?.unwrap_or(false);
    let rows = list(saved, "options")?.iter().map(|row| {
        let row = dictionary("options", row)?;
        // A default would silently replace the learning rate.
        entry(row, "lr")?;
        named_options(row.to_vec())
    });
    let mut optimizer = Optimizer::with_groups(definition, &rows.values()?)?;
    let mode = step_mode(&session.engine, definition, fused, offload)?;

    let engine = &session.engine;
    let is_of_run = HAS_RUNS && origins.iter().any(|(object, _)| !object.is_empty());
    // The columns of a row before its object, which the state of an optimizer does not have.
    let columns = &COLUMNS[..COLUMNS.len() - usize::from(!is_of_run)];
    let (mut parameters, mut keys, mut owners) = (Vec::new(), Vec::new(), Vec::new());
    for (position, (object, origin)) in origins.iter().enumerate() {
        let own = origin.parameters();
        if is_of_run {
            keys.extend(own.iter().map(|parameter| joined(object, &parameter.name)));
            owners.resize(owners.len() + own.len(), position);
        }
        parameters.extend(own);
    }
    let mut groups: Vec<Vec<Named<E>>> = optimizer.groups().iter().map(|_| Vec::new()).collect();
    // The objects of these parameters.
    let mut owners_of_groups: Vec<Vec<usize>> = groups.iter().map(|_| Vec::new()).collect();
    let mut states: Vec<Vec<Option<State>>> = groups.iter().map(|_| Vec::new()).collect();
    let mut taken = filled(parameters.len(), false)?;
    let (mut rows, mut names, mut known, mut of_objects) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in list(saved, "parms")? {
        let row = dictionary("parms", row)?;
        check_keys("state attribute parms", row, columns)?;
        let name = text(row, "name")?;
        if is_of_run {
            of_objects.push(joined(text(row, "object")?, name));
        }
        names.push(name);
        rows.push(row);
    }
    if is_of_run {
        names = of_objects.iter().map(String::as_str).collect();
        known.extend(keys.iter().map(String::as_str));
    } else {
        for parameter in &parameters {
            known.push(parameter.name.as_str());
        }
    }
    for ((row, name), index) in rows.into_iter().zip(&names).zip(positions_of(&names, &known)?) {
        let (name, group) = (*name, whole(row, "parmgroup", u64::from(u32::MAX))? as usize);
        let count = groups.len();
        let (Some(members), Some(states)) = (groups.get_mut(group), states.get_mut(group)) else {
            let message = format_args!("group[{group}] for parameter `{name}` is invalid, {count} group(s) defined");
            return Err(Error::new(Code::Group, message));
        };
        let Some(parameter) = parameters.get(index) else {
            let owner = if is_of_run { "objects" } else { "module" };
            return Err(Error::new(Code::Parameter, format_args!("unable to find parameter `{name}` in the {owner}")));
        };
        if mem::replace(&mut taken[index], true) {
            return Err(Error::new(Code::Parameter, format_args!("parameter `{name}` is repeated")));
        }
        let shape = engine.shape(&parameter.tensor)?;
        check_size(row, name, &shape)?;
        states.push(match (definition.needs_closure(), find(row, "buffers")) {
            (false, Some(buffers)) => {
                let dtype = engine.dtype(&parameter.tensor)?;
                state_of(definition, dictionary("buffers", buffers)?, name, &shape, dtype, fused)?
            }
            _ => None,
        });
        if is_of_run {
            owners_of_groups[group].push(owners[index]);
        }
        let Named { name, kind, tensor } = parameter;
        members.push(Named { name: name.clone(), kind, tensor: tensor.clone() });
    }
    let lbfgs_state = if definition.needs_closure() { lbfgs_state_of(engine, saved, &groups)? } else { None };
    if let Some(schedule) = find(saved, "schedule") {
        schedules::restore(&mut optimizer, schedule)?;
    }
    let mut scales = None;
    if let Some(scale) = find(saved, "lossscale") {
        if definition.needs_closure() || !fused {
            let message =
                format_args!("{} with a loss scale: expected an optimizer that scales losses", definition.name);
            return Err(Error::new(Code::Format, message));
        }
        steps::restore_loss_scale(&mut optimizer, dictionary("lossscale", scale)?)?;
        scales = optimizer.loss_scale.as_ref().map(LossScale::scale);
    }
    let is_averaged = flag(saved, "averaged")?.unwrap_or(false);
    let mut bound = BoundOptimizer::new(optimizer, mode);
    for (group, (mut tensors, mut owners)) in groups.into_iter().zip(owners_of_groups).enumerate() {
        // A list has the parameters of one object.
        while HAS_RUNS && owners.iter().any(|owner| *owner != owners[0]) {
            let count = owners.iter().take_while(|owner| **owner == owners[0]).count();
            let (later, after) = (tensors.split_off(count), owners.split_off(count));
            let list =
                ParameterList { tensors: mem::replace(&mut tensors, later), origin: origins[owners[0]].1.of_list() };
            bound.edit(engine, group, list, &[], &[])?;
            owners = after;
        }
        // The first one tells the optimizer how many groups there are. A file may have very many.
        if group > 0 && tensors.is_empty() {
            continue;
        }
        let origin = match owners.first() {
            Some(owner) => origins[*owner].1.of_list(),
            None if origins.len() == 1 => origins[0].1.of_list(),
            None => ParameterOrigin::Nothing,
        };
        bound.edit(engine, group, ParameterList { tensors, origin }, &[], &[])?;
    }
    if let Some(scale) = scales {
        session.check_scaled(bound.tensors(), scale)?;
    }
    // Last, because L-BFGS takes no parameters once it has a state.
    if let Some((lbfgs_state, trained)) = lbfgs_state {
        bound.set_lbfgs_state(lbfgs_state, trained);
    }
    Ok(Restored { bound, states: states.into_iter().flatten().collect(), is_averaged })
}

/// The state of a parameter; `None` before its first step.
pub(crate) fn state_of(
    definition: &Definition,
    buffers: &Entries,
    name: &str,
    shape: &[usize],
    dtype: Dtype,
    fused: bool,
) -> Result<Option<State>> {
    if buffers.is_empty() {
        return Ok(None);
    }
    let known =
        |key: &str| (definition.counts_steps && key == "step") || definition.state_keys().any(|(own, _)| own == key);
    if let Some((key, _)) = buffers.iter().find(|(key, _)| !known(key)) {
        let message = format_args!("`{name}`: {} has no buffer `{key}`", definition.name);
        return Err(Error::new(Code::Format, message));
    }
    let step = if definition.counts_steps { whole(buffers, "step", MAX_STEPS)? } else { 0 };
    let mut state = State { step, buffers: [const { None }; MAX_BUFFERS] };
    for (key, index) in definition.state_keys() {
        // A state contains every buffer of the optimizer; null if it is not in use.
        let given = if definition.buffers.contains(&key) {
            entry(buffers, key)?
        } else {
            find(buffers, key).unwrap_or(&Value::Null)
        };
        if *given == Value::Null {
            // An option that was set after the last step uses a buffer that does not exist yet.
            if step > 0 && index < definition.required_buffers {
                return Err(malformed(key, "numbers, since `step` is not 0", given));
            }
            continue;
        }
        if HAS_RUNS && !fused && !definition.buffers.contains(&key) {
            let message =
                format_args!("`{name}` {key}: libtorch's own optimizer does not have it: expected fused: true");
            return Err(Error::new(Code::Format, message));
        }
        let found = array(given)?.ok_or_else(|| malformed(key, "numbers", given))?;
        if found.shape != shape {
            let message = format_args!("size mismatch for `{name}` {key}, expected {shape:?}, given {:?}", found.shape);
            return Err(Error::new(Code::Shape, message));
        }
        let fits = match found.data.dtype() {
            // A step converts buffers of another dtype, after `to` or a change of the option `moments`.
            Dtype::Float => fused || dtype != Dtype::Double,
            Dtype::Double => fused || dtype == Dtype::Double,
            Dtype::BFloat16 => fused && definition.buffers.contains(&key),
            Dtype::Half | Dtype::Long | Dtype::Bool => false,
        };
        if !fits {
            let expected = if dtype == Dtype::Double { Dtype::Double } else { Dtype::Float };
            let (expected, given) = (expected.name(), found.data.dtype().name());
            let message = format_args!("`{name}` {key}: expected dtype {expected}, given {given}");
            return Err(Error::new(Code::Dtype, message));
        }
        if found.data.len() == shape.iter().product::<usize>() {
            state.buffers[index] = Some(found.data.to_buffer(index)?);
        }
    }
    Ok(Some(state))
}

fn check_size(row: &Entries, name: &str, shape: &[usize]) -> Result<()> {
    let saved = numbers(row, "size")?;
    if saved.iter().copied().eq(shape.iter().map(|size| *size as f64)) {
        return Ok(());
    }
    let saved = saved.into_iter().map(size).values()?;
    let message = format_args!("size mismatch for parameter `{name}`, expected {saved:?}, given {shape:?}");
    Err(Error::new(Code::Shape, message))
}
