//! `opt(state, module)`: restores an optimizer from the result of `state(optimizer)`, on the parameters of a module.
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
use crate::session::{Object, Session};
use crate::training::bound_optimizer::BoundOptimizer;
use crate::training::parameter_list::{ParameterList, ParameterOrigin};
use crate::training::step_mode::step_mode;
use crate::values::convert::{check_keys, named_options};
use crate::values::dedupe::positions_of;
use crate::values::dtype::Dtype;
use crate::values::handle::ObjectKind;
use crate::values::numbers::{array, size};
use crate::values::value::Value;

/// Makes the optimizer of a state on the parameters of a module.
pub(crate) fn restore<E: Engine>(session: &mut Session<E>, saved: &Entries, mut arguments: Arguments) -> Result<Value> {
    let module = session.module(arguments.handle(ObjectKind::Module)?)?;
    arguments.finish()?;
    let bound = restored(session, saved, &module)?;
    session.scales_losses |= bound.optimizer.loss_scale.is_some();
    session.insert(Object::optimizer(bound))
}

/// The optimizer of a state, on the parameters of a module. The session is as before.
pub(crate) fn restored<E: Engine>(
    session: &Session<E>,
    saved: &Entries,
    module: &Shared<Module<E>>,
) -> Result<BoundOptimizer<E>> {
    const KEYS: &[&str] = &["optimizer", "options", "parms", "schedule", "lossscale", "averaged", "fused", "offload"];
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
    let parameters = module.parameters();
    let mut groups: Vec<Vec<Named<E>>> = optimizer.groups().iter().map(|_| Vec::new()).collect();
    let mut states: Vec<Vec<Option<State>>> = groups.iter().map(|_| Vec::new()).collect();
    let mut taken = filled(parameters.len(), false)?;
    let (mut rows, mut names, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for row in list(saved, "parms")? {
        let row = dictionary("parms", row)?;
        check_keys("state attribute parms", row, &["parmgroup", "pointer", "module", "name", "size", "buffers"])?;
        names.push(text(row, "name")?);
        rows.push(row);
    }
    for parameter in &parameters {
        known.push(parameter.name.as_str());
    }
    for ((row, name), index) in rows.into_iter().zip(&names).zip(positions_of(&names, &known)?) {
        let (name, group) = (*name, whole(row, "parmgroup", u64::from(u32::MAX))? as usize);
        let count = groups.len();
        let (Some(members), Some(states)) = (groups.get_mut(group), states.get_mut(group)) else {
            let message = format_args!("group[{group}] for parameter `{name}` is invalid, {count} group(s) defined");
            return Err(Error::new(Code::Group, message));
        };
        let Some(parameter) = parameters.get(index) else {
            return Err(Error::new(Code::Parameter, format_args!("unable to find parameter `{name}` in the module")));
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
        members.push(Named { name: name.to_owned(), kind: parameter.kind, tensor: parameter.tensor.clone() });
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
    let averaged = flag(saved, "averaged")?.unwrap_or(false);
    optimizer.set_swapped(averaged && states.iter().flatten().flatten().any(State::has_average));
    let mut bound = BoundOptimizer::new(optimizer, mode);
    for (group, tensors) in groups.into_iter().enumerate() {
        let list = ParameterList { tensors, origin: ParameterOrigin::Module(Shared::clone(module)) };
        bound.edit(engine, group, list, &[], &[])?;
    }
    if let Some(scale) = scales {
        session.check_scaled(bound.tensors(), scale)?;
    }
    bound.set_states(states.into_iter().flatten().collect())?;
    // Last, because L-BFGS takes no parameters once it has a state.
    if let Some((lbfgs_state, trained)) = lbfgs_state {
        bound.set_lbfgs_state(lbfgs_state, trained);
    }
    Ok(bound)
}

/// The state of a parameter; `None` before its first step.
fn state_of(
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
        state.buffers[index] = Some(found.data.to_buffer(index)?);
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
