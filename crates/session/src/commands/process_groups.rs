//! Training by several processes: their group, collective operations on objects, and optimizers that they share.
//!
//! An operation waits for the other processes, so the SDK calls these commands as jobs.

use std::sync::Arc;
use std::time::Duration;

use stepwell_optim::{Code, Error, Limit::*, OptionSet, Result, defaults, options, parse};

use crate::commands::arguments::Arguments;
use crate::engine::Engine;
use crate::engine::process_group::{GroupSettings, ProcessGroup, ReduceOp};
use crate::session::{Object, Session};
use crate::training::data_parallel::DataParallel;
use crate::values::convert::named_options;
use crate::values::handle::ObjectKind;
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

/// `destroyProcessGroup()`: leaves the group, if there is one.
pub(crate) fn endgroup<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    arguments.finish()?;
    session.engine.disconnect();
    Ok(Value::Null)
}

/// `allReduce(object, [operation])`: replaces each element of tensors by the reduced elements of all processes.
pub(crate) fn allreduce<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let tensors = tensors(session, &mut arguments)?;
    let op = match arguments.next() {
        Value::Undefined => ReduceOp::Sum,
        Value::String(name) => operation(&name)?,
        other => return Err(arguments.argument_error("the name of an operation (a string)", &other)),
    };
    arguments.finish()?;
    let group = group(session)?;
    for tensor in &tensors {
        let dtype = session.engine.dtype(tensor)?;
        if op == ReduceOp::Mean && !dtype.is_floating() {
            let message = format!("expected elements of floating point for a mean, given {}", dtype.name());
            return Err(Error::new(Code::Dtype, message));
        }
    }
    tensors.iter().try_for_each(|tensor| group.all_reduce(tensor, op))?;
    Ok(Value::Null)
}

/// `broadcast(object, [rank])`: replaces the elements of tensors by the elements of one process.
pub(crate) fn broadcast<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let tensors = tensors(session, &mut arguments)?;
    let from = match arguments.is_empty() {
        true => 0,
        false => arguments.whole("a rank", 0)?,
    };
    arguments.finish()?;
    let group = group(session)?;
    if from >= group.size() as u64 {
        let message = format!("expected a rank from 0 to {}, given {from}", group.size() - 1);
        return Err(Error::new(Code::Argument, message));
    }
    tensors.iter().try_for_each(|tensor| group.broadcast(tensor, from as usize))?;
    Ok(Value::Null)
}

/// `allGather(tensor)`: the tensors of all processes, along a new first dimension.
pub(crate) fn allgather<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.handle(ObjectKind::Tensor)?;
    arguments.finish()?;
    let gathered = group(session)?.all_gather(session.tensor(handle)?)?;
    session.insert(Object::Tensor(gathered))
}

/// `barrier()`: waits until every process has called it.
pub(crate) fn barrier<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    arguments.finish()?;
    group(session)?.barrier()?;
    Ok(Value::Null)
}

/// `distributed(optimizer)`: trains its parameters with the other processes from now on. All begin with the values of rank 0.
pub(crate) fn distributed<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.handle_or_model(ObjectKind::Optimizer)?;
    arguments.finish()?;
    let (parameters, buffers) = {
        let bound = session.optimizer(handle)?;
        if bound.data_parallel.is_some() {
            return Err(Error::new(Code::Argument, "the processes train this optimizer already"));
        }
        let names = bound.registry.names(&session.engine);
        let mut parameters = Vec::new();
        for (index, tensor) in bound.tensors().iter().enumerate() {
            let identity = session.engine.identity(tensor);
            let name = names.iter().find(|(other, _)| *other == identity);
            parameters.push((name.map_or_else(|| index.to_string(), |(_, name)| name.clone()), tensor.clone()));
        }
        let buffers = bound.registry.module().map_or_else(Vec::new, |module| module.written(true));
        (parameters, buffers.into_iter().map(|named| named.tensor).collect::<Vec<_>>())
    };
    let parallel = DataParallel::begin(&session.engine, &parameters, &buffers)?;
    session.optimizer_mut(handle)?.0.data_parallel = Some(parallel);
    Ok(Value::Null)
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

fn operation(name: &str) -> Result<ReduceOp> {
    const NAMES: [(&str, ReduceOp); 5] = [
        ("sum", ReduceOp::Sum),
        ("mean", ReduceOp::Mean),
        ("min", ReduceOp::Min),
        ("max", ReduceOp::Max),
        ("product", ReduceOp::Product),
    ];
    let found = NAMES.iter().find(|(known, _)| *known == name);
    found.map(|(_, op)| *op).ok_or_else(|| {
        let known = NAMES.map(|(name, _)| name).join(", ");
        Error::new(Code::OptionRange, format!("unknown operation {name:?}, expected one of {known}"))
    })
}
