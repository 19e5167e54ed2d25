//! Training by several processes: their group, collective operations on objects, and optimizers that they share.
//!
//! An operation waits for the other processes, so the SDK calls these commands as jobs.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use stepwell_optim::{Code, Error, Limit::*, OptionSet, Result, Shared, defaults, options, parse};

use crate::commands::arguments::Arguments;
use crate::commands::state::describe;
use crate::engine::Engine;
use crate::engine::process_group::{GroupSettings, ProcessGroup, ReduceOp};
use crate::nn::module::{Module, Named};
use crate::session::{Object, Session};
use crate::training::bound_optimizer::BoundOptimizer;
use crate::training::common_tensors::CommonModules;
use crate::training::data_parallel::DataParallel;
use crate::training::same_objects::{Digest, Part, PartKind};
use crate::values::convert::{named_options, plain_text, to_value};
use crate::values::device::Device;
use crate::values::handle::{Handle, ObjectKind};
use crate::values::value::Value;

options! {
    /// The place of a process in its group. torchrun and `stepwell launch` set environment variables that give it.
    pub(crate) struct GroupOptions {
        /// The number of this process, from 0; null: `RANK`.
        rank: Option<i64> = None, limit AtLeast(0.0);
        /// The number of processes; null: `WORLD_SIZE`.
        size: Option<i64> = None, limit Closed(1.0, 1_000_000.0);
        /// The port at the host where the processes meet; null: `MASTER_PORT`.
        port: Option<i64> = None, limit Closed(1.0, 65_535.0);
        /// The longest wait for another process, in seconds, at the start and in each operation.
        timeout: f64 = 60.0, limit Closed(0.001, 1_000_000.0);
        /// Whether this process opens the port; null: rank 0 does, unless torchrun has opened it.
        hosts: Option<bool> = None;
    }
}

options! {
    /// How processes train the parameters of an optimizer.
    pub(crate) struct DistributedOptions {
        /// Each process has the state of a part of the parameters alone, as in PyTorch's `ZeroRedundancyOptimizer`.
        sharded: bool = false;
    }
}

/// `initProcessGroup(host, interface, [options])`: meets the other processes. Returns this process's rank and their number.
pub(crate) fn initgroup<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let host = arguments.text("the name or address of a host")?;
    let interface = match arguments.next() {
        Value::Null => None,
        Value::String(name) => Some(name),
        other => return Err(arguments.argument_error("the name or address of a network interface (a string)", &other)),
    };
    let given = arguments.options()?;
    arguments.finish()?;
    let specs = GroupOptions::SPECS;
    let row = parse("initProcessGroup", specs, &defaults(specs), &[], &named_options(given)?)?;
    let GroupOptions { rank, size, port, timeout, hosts } = GroupOptions::from_values(&row)?;
    let (Some(rank), Some(size), Some(port)) = (rank, size, port) else {
        return Err(Error::new(Code::Argument, "expected options rank, size and port"));
    };
    if rank >= size {
        let message = format!("option rank: expected less than size, which is {size}, given {rank}");
        return Err(Error::new(Code::OptionRange, message));
    }
    for name in [Some(&host), interface.as_ref()].into_iter().flatten() {
        if name.is_empty() || name.contains('\0') {
            return Err(Error::new(Code::Argument, format!("expected the name or address of a host, given {name:?}")));
        }
    }
    if session.engine.process_group().is_some() {
        let message = "this process is in a group: call destroyProcessGroup first";
        return Err(Error::new(Code::Argument, message));
    }
    session.engine.connect(&GroupSettings {
        rank: rank as usize,
        size: size as usize,
        host,
        port: port as u16,
        timeout: Duration::from_secs_f64(timeout),
        hosts_store: hosts.unwrap_or(rank == 0),
        interface,
    })?;
    Ok(Value::object([("rank", Value::Number(rank as f64)), ("size", Value::Number(size as f64))]))
}

/// `destroyProcessGroup()`: leaves the group, if there is one. Optimizers then make their steps alone.
pub(crate) fn endgroup<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    arguments.finish()?;
    session.engine.disconnect();
    Ok(Value::Null)
}

/// `allReduce(object, [operation])`: replaces each element of tensors by the reduced elements of all processes.
pub(crate) fn allreduce<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let tensors = tensors(session, &mut arguments)?;
    let op = reduction(&mut arguments)?;
    arguments.finish()?;
    group(session)?.all_reduce(&tensors, op)?;
    Ok(Value::Null)
}

/// `broadcast(object, [rank])`: replaces the elements of tensors by the elements of one process.
pub(crate) fn broadcast<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let tensors = tensors(session, &mut arguments)?;
    let from = match arguments.peek() {
        Value::Undefined => {
            arguments.next();
            0
        }
        _ => arguments.whole("a rank", 0)?,
    };
    arguments.finish()?;
    group(session)?.broadcast(&tensors, from as usize)?;
    Ok(Value::Null)
}

/// `allGather(tensor)`: the tensors of all processes, along a new first dimension.
pub(crate) fn allgather<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.handle(ObjectKind::Tensor)?;
    arguments.finish()?;
    let gathered = group(session)?.all_gather(session.tensor(handle)?)?;
    session.insert(Object::Tensor(gathered))
}

/// `reduceScatter(tensor, [operation])`: the part of this process of the reduced elements. Parts are along the first dimension.
pub(crate) fn reducescatter<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.handle(ObjectKind::Tensor)?;
    let op = reduction(&mut arguments)?;
    arguments.finish()?;
    let part = group(session)?.reduce_scatter(session.tensor(handle)?, op)?;
    session.insert(Object::Tensor(part))
}

/// `barrier()`: waits until every process has called it.
pub(crate) fn barrier<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    arguments.finish()?;
    group(session)?.barrier()?;
    Ok(Value::Null)
}

/// `distributed(optimizer, [options])`: trains its parameters with the other processes from now on. All begin with the parameters and buffers of
/// rank 0: see [`trained_modules`]. If they train it already, compares them once more.
pub(crate) fn distributed<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.handle_or_model(ObjectKind::Optimizer)?;
    let given = arguments.options()?;
    arguments.finish()?;
    let specs = DistributedOptions::SPECS;
    let row = parse("distributed", specs, &defaults(specs), &[], &named_options(given)?)?;
    let DistributedOptions { sharded } = DistributedOptions::from_values(&row)?;
    // Before the others are asked.
    group(session)?;
    if sharded {
        session.optimizer(handle)?.check_sharded()?;
    }
    let (mut bound, engine) = session.optimizer_mut(handle)?;
    bound.leave_ended_group()?;
    bound.take_whole_state(engine)?;
    let before = (bound.data_parallel.take(), bound.sharding.take());
    drop(bound);
    let begun = begin(session, handle, sharded);
    let (mut bound, engine) = session.optimizer_mut(handle)?;
    match begun {
        Ok(parallel) => bound.begin_parallel(engine, parallel, sharded),
        Err(error) => {
            (bound.data_parallel, bound.sharding) = before;
            bound.keep_owned()?;
            Err(error)
        }
    }?;
    Ok(Value::Null)
}

/// Begins to train an optimizer with the processes of the engine. It has the state of all its parameters.
fn begin<E: Engine>(session: &Session<E>, handle: Handle, sharded: bool) -> Result<DataParallel<E>> {
    let state = describe(session, handle, true, true)?;
    let bound = session.optimizer(handle)?;
    let (engine, parameters) = (&session.engine, bound.tensors());
    let modules = CommonModules::new(trained_modules(session, handle, &bound)?);
    let tensors = modules.tensors(engine, parameters);
    let mut parts = option_parts(&state);
    parts.push(Part { kind: PartKind::Option, text: format!("sharded {sharded}") });
    for ((group, _), (name, tensor)) in bound.parameters().zip(&tensors) {
        let mut text = format!("`{name}` {}", tensor_text(session, tensor)?);
        if group > 0 {
            text += &format!(" in group {group}");
        }
        if !session.engine.requires_grad(tensor) {
            text += ", frozen";
        }
        parts.push(Part { kind: PartKind::Parameter, text });
    }
    for Named { name, tensor, .. } in modules.other_parameters(engine, parameters) {
        let text = format!("`{name}` {} in no group", tensor_text(session, &tensor)?);
        parts.push(Part { kind: PartKind::Parameter, text });
    }
    for Named { name, tensor, .. } in modules.buffers(engine) {
        parts.push(Part { kind: PartKind::Buffer, text: format!("`{name}` {}", tensor_text(session, &tensor)?) });
    }
    for module in modules.iter() {
        parts.push(module_part("", module));
        parts.extend(module.descendants().iter().map(|(path, module)| module_part(path, module)));
    }
    parts.push(Part { kind: PartKind::State, text: state_text(state) });
    DataParallel::begin(engine, &parts, parameters, modules)
}

/// The modules that the processes have in common: the origins of the parameters, and the module of a model. Without a model, all modules with a
/// parameter of the optimizer and something besides. A loop uses such a module in its forward pass, which needs the same on each process.
fn trained_modules<E: Engine>(
    session: &Session<E>,
    handle: Handle,
    bound: &BoundOptimizer<E>,
) -> Result<Vec<Shared<Module<E>>>> {
    let mut modules: Vec<_> = bound.registry.module().into_iter().collect();
    if let Object::Model(model) = session.object(handle)? {
        if !modules.iter().any(|known| known.holds(&model.module)) {
            modules.push(Shared::clone(&model.module));
        }
        return Ok(modules);
    }
    let identities = |tensors: &[E::Tensor]| -> HashSet<u64> {
        tensors.iter().map(|tensor| session.engine.identity(tensor)).collect()
    };
    let trained = identities(bound.tensors());
    let mut known = trained.clone();
    modules.iter().for_each(|module| known.extend(identities(&module.tensors_of_all())));
    let mut found: Vec<Shared<Module<E>>> = Vec::new();
    for (_, counted) in session.table.iter() {
        let module = match &counted.object {
            Object::Module(module) => module,
            Object::Model(model) => &model.module,
            _ => continue,
        };
        let own = identities(&module.tensors_of_all());
        if own.is_disjoint(&trained) || own.is_subset(&known) {
            continue;
        }
        // A container that adds no tensor, such as one with a softmax after the model, may be there on one process alone.
        let (mut inner, is_all) = (module, |child: &Module<E>| identities(&child.tensors_of_all()) == own);
        while let Some((_, child)) = inner.children().iter().find(|(_, child)| is_all(child)) {
            inner = child;
        }
        if !found.iter().any(|other| other.holds(inner)) {
            found.retain(|other| !inner.holds(other));
            found.push(Shared::clone(inner));
        }
    }
    // Handles have another order on each process.
    found.sort_by_cached_key(|module| {
        let names = module.parameters_and_buffers().into_iter().map(|named| named.name);
        names.collect::<Vec<_>>().join(" ")
    });
    modules.append(&mut found);
    Ok(modules)
}

fn tensor_text<E: Engine>(session: &Session<E>, tensor: &E::Tensor) -> Result<String> {
    let (shape, dtype) = (session.engine.shape(tensor)?, session.engine.dtype(tensor)?.name());
    let place = if session.engine.device(tensor)? == Device::Cpu { "" } else { " on a GPU" };
    Ok(format!("{shape:?} {dtype}{place}"))
}

/// A module with its options, such as the rate of a dropout, and without what it consists of.
fn module_part<E: Engine>(path: &str, module: &Module<E>) -> Part {
    let options = module.options.iter().map(|(name, value)| format!("{name} {}", plain_text(&to_value(value))));
    let text = format!("`{path}` {} ({})", module.kind, options.collect::<Vec<_>>().join(", "));
    Part { kind: PartKind::Module, text }
}

/// The name and the options of an optimizer.
fn option_parts(state: &Value) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut add = |text| parts.push(Part { kind: PartKind::Option, text });
    let Value::Object(entries) = state else { return parts };
    for (key, value) in entries {
        match value {
            Value::String(name) => add(format!("{key} {name}")),
            Value::Array(rows) if key == "options" => {
                for (group, row) in rows.iter().enumerate() {
                    let Value::Object(options) = row else { continue };
                    for (name, value) in options {
                        add(format!("{name} {} in group {group}", plain_text(value)));
                    }
                }
            }
            _ => {}
        }
    }
    parts
}

/// The state as a digest. Addresses of parameters differ from process to process.
fn state_text(mut state: Value) -> String {
    if let Value::Object(entries) = &mut state {
        for (_, value) in entries.iter_mut().filter(|(key, _)| key == "parms") {
            let Value::Array(rows) = value else { continue };
            for row in rows {
                if let Value::Object(columns) = row {
                    columns.retain(|(key, _)| key != "pointer");
                }
            }
        }
    }
    let mut digest = Digest::default();
    digest.add(format!("{state:?}").as_bytes());
    format!("one of digest {}", digest.text())
}

fn group<E: Engine>(session: &Session<E>) -> Result<Arc<dyn ProcessGroup<E::Tensor>>> {
    session
        .engine
        .process_group()
        .ok_or_else(|| Error::new(Code::Argument, "no process group: call initProcessGroup in each process first"))
}

/// The tensors of an object: of a tensor, a vector, a dictionary, a module or a model.
fn tensors<E: Engine>(session: &Session<E>, arguments: &mut Arguments) -> Result<Vec<E::Tensor>> {
    let handle = arguments.any_handle("a tensor, a vector, a dictionary, a module or a model")?;
    let object = session.object(handle)?;
    if let Object::Optimizer(_) | Object::Loss(_) = object {
        let message = format!("expected an object of tensors, given {}", object.kind().with_article());
        return Err(Error::new(Code::HandleKind, message));
    }
    session.tensors_of(object)
}

/// The operation of the next argument, by default a sum.
fn reduction(arguments: &mut Arguments) -> Result<ReduceOp> {
    match arguments.next() {
        Value::Undefined => Ok(ReduceOp::Sum),
        Value::String(name) => operation(&name),
        other => Err(arguments.argument_error("the name of an operation (a string)", &other)),
    }
}

fn operation(name: &str) -> Result<ReduceOp> {
    let found = ReduceOp::NAMES.iter().find(|(known, _)| *known == name);
    found.map(|(_, op)| *op).ok_or_else(|| {
        let known = ReduceOp::NAMES.map(|(name, _)| name).join(", ");
        Error::new(Code::OptionRange, format!("unknown operation {name:?}, expected one of {known}"))
    })
}
