//! Definitions and states of optimizers, as plain data.

use stepwell_optim::{Buffer, Definition, Optimizer, OptionValue, Result, defaults};

use crate::commands::lbfgs_state::{count, state_dict_values};
use crate::commands::{schedules, steps};
use crate::engine::Engine;
use crate::session::Session;
use crate::training::bound_optimizer::{BoundOptimizer, WithState};
use crate::values::convert::to_value;
use crate::values::dedupe::first_positions;
use crate::values::handle::Handle;
use crate::values::value::{Entries, NumericArray, Value};

/// Reads a buffer of a parameter: the positions of both, the buffer, and the shape of the parameter. The last argument is true if
/// the optimizer's own buffer has the elements, and false if the tensor library or a device has them.
pub(crate) type BufferReader<'a> = dyn FnMut(usize, usize, &Buffer, &[usize], bool) -> Result<Value> + 'a;

/// The definition of an optimizer as plain data; with buffers, its state.
pub(crate) fn describe<E: Engine>(
    session: &Session<E>,
    handle: Handle,
    all: bool,
    with_buffers: bool,
) -> Result<Value> {
    describe_with(session, handle, all, with_buffers.then_some(Buffers::Whole), &mut |_, _, buffer, shape, _| {
        Ok(Value::NumericArray(NumericArray { data: buffer.try_into()?, shape: shape.to_vec() }))
    })
}

/// The buffers that a process describes, if processes share the state of an optimizer.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Buffers {
    /// With the elements of all processes.
    Whole,
    /// Each process has its part of the elements.
    #[cfg(not(target_family = "wasm"))]
    InParts,
}

/// As [`describe`], with what `read` makes of the buffers.
pub(crate) fn describe_with<E: Engine>(
    session: &Session<E>,
    handle: Handle,
    all: bool,
    buffers: Option<Buffers>,
    read: &mut BufferReader<'_>,
) -> Result<Value> {
    let with_buffers = buffers.is_some();
    if with_buffers {
        session.settle(handle)?;
    }
    let bound = session.optimizer(handle)?;
    let engine = &session.engine;
    let optimizer = match buffers {
        Some(buffers) => whole_state(session, &bound, buffers)?,
        None => WithState::Own(&bound.optimizer),
    };
    let is_own = !matches!(optimizer, WithState::Copy(_));
    let definition = optimizer.definition();
    let names = bound.registry.names(engine);
    let mut identities: Vec<_> = names.iter().map(|(identity, _)| *identity).collect();
    identities.extend(bound.tensors().iter().map(|tensor| engine.identity(tensor)));
    let first_positions = first_positions(&identities)?;
    let mut states = optimizer.groups().iter().flat_map(|group| group.states());
    let trained = bound.trained(engine);
    let lbfgs_state_is_current = bound.lbfgs_state_is_current(&trained);
    let mut parms = Vec::new();
    for (i, (group, parameter)) in bound.parameters().enumerate() {
        let identity = engine.identity(&parameter.tensor);
        let name = names.get(first_positions[names.len() + i]).map_or("", |(_, name)| name);
        let shape = engine.shape(&parameter.tensor)?;
        let mut row = Entries::new();
        row.number("parmgroup", group as f64);
        row.number("pointer", identity as f64);
        row.text("module", parameter.kind);
        row.text("name", name);
        row.add("size", Value::sizes(&shape));
        if with_buffers {
            let mut buffers = Vec::new();
            if let Some(state) = states.next().and_then(Option::as_ref) {
                if definition.counts_steps {
                    buffers.push(("step", count(state.step)));
                }
                for (position, (key, index)) in definition.state_keys().enumerate() {
                    // Buffers that any optimizer can have are included if they are in use.
                    match &state.buffers[index] {
                        Some(buffer) => buffers.push((key, read(i, index, buffer, &shape, is_own)?)),
                        None if position < definition.buffers.len() => buffers.push((key, Value::Null)),
                        None => {}
                    }
                }
            }
            // The state of L-BFGS belongs to all parameters; PyTorch shows it at the first. A state that the next step
            // would not use is left out: a restored optimizer would use it.
            if i == 0
                && lbfgs_state_is_current
                && let Some(curvature) = optimizer.lbfgs_state_dict()?
            {
                buffers = state_dict_values(curvature, &trained);
            }
            row.add("buffers", Value::object(buffers));
        }
        parms.push(row.value());
    }
    let mut entries = Entries::new();
    entries.text("optimizer", definition.name);
    entries.add("options", options_table(definition, &optimizer, all));
    entries.add("parms", Value::Array(parms));
    if let (true, Some(schedule)) = (with_buffers, optimizer.schedule_state()) {
        entries.add("schedule", schedules::schedule_value(schedule));
    }
    if let (true, Some(scale)) = (with_buffers, &optimizer.loss_scale) {
        entries.add("lossscale", steps::loss_scale_value(scale));
    }
    if with_buffers && optimizer.is_swapped() {
        entries.flag("averaged", true);
    }
    if bound.library().is_some() {
        entries.flag("fused", false);
    }
    if bound.is_offloaded() {
        entries.flag("offload", true);
    }
    Ok(entries.value())
}

/// The optimizer with its state, wherever it is.
#[cfg(not(target_family = "wasm"))]
fn whole_state<'a, E: Engine>(
    session: &Session<E>,
    bound: &'a BoundOptimizer<E>,
    buffers: Buffers,
) -> Result<WithState<'a>> {
    if bound.sharding.is_some() {
        steps::check_turn(session)?;
    }
    bound.with_whole_state(&session.engine, buffers == Buffers::Whole)
}

#[cfg(target_family = "wasm")]
fn whole_state<'a, E: Engine>(_: &Session<E>, bound: &'a BoundOptimizer<E>, _: Buffers) -> Result<WithState<'a>> {
    bound.with_state()
}

/// A row for each group. Without `all`: the learning rate, and the options that any group has changed. An extension is
/// included only if a group has changed it.
fn options_table(definition: &Definition, optimizer: &Optimizer, all: bool) -> Value {
    let standard = defaults(definition.options);
    let rows: Vec<&[OptionValue]> = optimizer.groups().iter().map(|group| group.options()).collect();
    let included = |i: usize| i == 0 || (all && !definition.options[i].extension);
    // Once for all rows, of which a file may have very many.
    let shown: Vec<bool> =
        (0..standard.len()).map(|i| included(i) || rows.iter().any(|row| row[i] != standard[i])).collect();
    let row = |row: &&[OptionValue]| {
        let columns = definition.options.iter().zip(*row).enumerate().filter(|(i, _)| shown[*i]);
        Value::object(columns.map(|(_, (spec, value))| (spec.name, to_value(value))))
    };
    Value::Array(rows.iter().map(row).collect())
}
