//! Modules: making and running them, and selecting their parts.

use stepwell_optim::{Code, Error, Result, Shared};

use crate::commands::arguments::Arguments;
use crate::commands::tensors::tensor_or_numbers;
use crate::engine::Engine;
use crate::nn::buffer_snapshot::BufferSnapshot;
use crate::nn::context::{ForwardContext, InitContext, check_device};
use crate::nn::host::Host;
use crate::nn::module::{Module, Named};
use crate::nn::ties::distinct;
use crate::nn::{module_copy, module_state};
use crate::random::Random;
#[cfg(not(target_family = "wasm"))]
use crate::session::drawing::check_not_drawn;
use crate::session::hosting::SessionAccess;
use crate::session::{Object, Session};
use crate::values::device::Device;
use crate::values::dtype::Dtype;
use crate::values::handle::ObjectKind;
use crate::values::value::Value;

/// `module(specification)`: a module with fresh parameters. `module(state)`: restores a module from the result of
/// `state(module)`. `module(optimizer)`: the container of everything that the optimizer's parameters came from.
/// `module(model)`: the model's module.
pub(crate) fn module<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let given = arguments.next();
    arguments.finish()?;
    if let Value::Handle(handle) = given {
        if handle.kind() == Some(ObjectKind::Model) {
            let module = session.module(handle)?;
            return session.insert(Object::Module(module));
        }
        let container = session.optimizer(handle)?.registry.module();
        let none = || Error::new(Code::Parameter, "no module or tensor was given to this optimizer");
        let container = container.ok_or_else(none)?;
        container.check_extent()?;
        return session.insert(Object::Module(container));
    }
    let is_state = module_state::is_state(&given);
    // Restoring draws no random numbers from the session.
    let mut scratch = Random::new(0);
    let Session { engine, random, table, .. } = session;
    let random = if is_state { &mut scratch } else { random };
    let mut context = InitContext { engine, random, parts: Vec::new(), remaining: usize::MAX, is_blank: false };
    let module = if is_state {
        module_state::restore(&given, &mut context)?
    } else {
        Module::make(&given, Some(&*table), &mut context)?
    };
    module.check_extent()?;
    session.insert(Object::Module(module))
}

/// `forward(module, input, ..)`: a forward pass in training mode, with a graph for `backward`. Several outputs are a list. Within
/// a function of a module it is a pass of the mode of that module.
pub(crate) fn forward<E: Engine>(access: &mut SessionAccess<'_, E>, arguments: Arguments) -> Result<Value> {
    let training = access.session().calls.last().is_none_or(|call| call.training);
    run(access, arguments, training)
}

/// `evaluate(module, input, ..)`: without dropout, with running statistics, and recording nothing.
pub(crate) fn evaluate<E: Engine>(access: &mut SessionAccess<'_, E>, arguments: Arguments) -> Result<Value> {
    run(access, arguments, false)
}

fn run<E: Engine>(access: &mut SessionAccess<'_, E>, mut arguments: Arguments, training: bool) -> Result<Value> {
    let (module, inputs, engine, mut random, command) = {
        let session = access.session();
        let module = session.module(arguments.handle_or_model(ObjectKind::Module)?)?;
        let mut inputs = Vec::new();
        loop {
            inputs.push(input_of(&session, &module, &arguments.next(), inputs.len())?);
            if arguments.is_empty() {
                break;
            }
        }
        (module, inputs, session.engine.clone(), session.random.clone(), session.command)
    };
    #[cfg(not(target_family = "wasm"))]
    let lent = access.session().lent_generator();
    let outputs = {
        let host = access.host();
        let host = host.as_ref().map(|host| host as &dyn Host<E>);
        let mut context = ForwardContext { engine: &engine, random: &mut random, training, host };
        let snapshot = BufferSnapshot::of(&engine, &module, training)?;
        let outputs = match training {
            true => module.forward_unshared(&mut context, &inputs),
            false => module.evaluate_detached(&mut context, &inputs),
        };
        #[cfg(not(target_family = "wasm"))]
        let outputs = outputs.and_then(|outputs| check_not_drawn(lent.as_ref(), context.random).map(|()| outputs));
        snapshot.restore_unless(outputs.is_ok(), &engine)?;
        outputs?
    };
    let mut session = access.session();
    session.random = random;
    session.command = command;
    let outputs = if module.calls_functions() { session.unshared(outputs, training)? } else { outputs };
    session.insert_outputs(outputs)
}

/// A tensor that a module can take as the input at a position: the one that is given, or one of plain numbers.
pub(crate) fn input_of<E: Engine>(
    session: &Session<E>,
    module: &Module<E>,
    given: &Value,
    position: usize,
) -> Result<E::Tensor> {
    match given {
        Value::Null | Value::Undefined => {
            let position = position + 2;
            let message =
                format_args!("expected an input as argument {position}, a tensor handle or numbers, given {given}");
            Err(Error::new(Code::Argument, message))
        }
        // Indices stay long; other numbers take the dtype of the module.
        Value::NumericArray(array)
            if array.data.dtype() == Dtype::Long
                && (position > 0 || module.calls_functions() || !takes_floating(module)) =>
        {
            session.engine.tensor(&array.data, &array.shape, device(session, module)?)
        }
        _ => {
            let input = tensor_or_numbers(session, given, dtype(session, module)?, device(session, module)?)?;
            if let Some(device) = module.device(&session.engine)? {
                check_device(&session.engine, "an input", &input, device)?;
            }
            Ok(input)
        }
    }
}

/// Kinds of layers that take indices.
const INDEXED: [&str; 4] = ["embedding", "embedbag", "embedpos", "onehot"];

/// Whether the first parameter of a module says that its input is of floating point.
fn takes_floating<E: Engine>(module: &Module<E>) -> bool {
    module.parameters().first().is_some_and(|named| !INDEXED.contains(&named.kind))
}

/// The dtype of a module's input: the dtype of its first parameter, or long if it begins with a layer that takes indices.
fn dtype<E: Engine>(session: &Session<E>, module: &Module<E>) -> Result<Dtype> {
    match module.parameters().first() {
        Some(Named { kind, .. }) if INDEXED.contains(kind) => Ok(Dtype::Long),
        Some(named) => session.engine.dtype(&named.tensor),
        None if INDEXED.contains(&module.kind) => Ok(Dtype::Long),
        None => Ok(Dtype::Float),
    }
}

/// The device of a module's input.
pub(crate) fn device<E: Engine>(session: &Session<E>, module: &Module<E>) -> Result<Device> {
    Ok(module.device(&session.engine)?.unwrap_or(Device::Cpu))
}

/// `names(module)`: all descendants, depth first, with dotted names.
pub(crate) fn names<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let module = session.module(arguments.handle(ObjectKind::Module)?)?;
    arguments.finish()?;
    Ok(Value::strings(module.descendants().into_iter().map(|(name, _)| name)))
}

/// `childnames(module)`: direct children.
pub(crate) fn childnames<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let module = session.module(arguments.handle(ObjectKind::Module)?)?;
    arguments.finish()?;
    Ok(Value::strings(module.children().iter().map(|(name, _)| name)))
}

/// `parmnames(module)`: parameters, with dotted names.
pub(crate) fn parmnames<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let module = session.module(arguments.handle(ObjectKind::Module)?)?;
    arguments.finish()?;
    Ok(Value::strings(distinct(&session.engine, module.parameters())?.into_iter().map(|named| named.name)))
}

/// `buffernames(module)`: buffers, with dotted names.
pub(crate) fn buffernames<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let module = session.module(arguments.handle(ObjectKind::Module)?)?;
    arguments.finish()?;
    Ok(Value::strings(module.buffers().into_iter().map(|named| named.name)))
}

/// `buffers(module)`: the buffers as a dictionary by dotted name, shared with the module.
pub(crate) fn buffers<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let module = session.module(arguments.handle(ObjectKind::Module)?)?;
    arguments.finish()?;
    let named = module.buffers().into_iter().map(|named| (named.name, named.tensor));
    session.insert(Object::Dictionary(named.collect()))
}

/// `buffer(module, name)`: the buffer of that dotted name, shared with the module.
pub(crate) fn buffer<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let module = session.module(arguments.handle(ObjectKind::Module)?)?;
    let name = arguments.text("the name of a buffer")?;
    arguments.finish()?;
    let found = module.buffers().into_iter().find(|named| named.name == name);
    let named = found.ok_or_else(|| Error::new(Code::Parameter, format_args!("no buffer named `{name}`")))?;
    session.insert(Object::Tensor(named.tensor))
}

/// `moduletypes(module)`: the kinds of all descendants by dotted name.
pub(crate) fn moduletypes<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let module = session.module(arguments.handle(ObjectKind::Module)?)?;
    arguments.finish()?;
    let kinds = module.descendants().into_iter().map(|(name, module)| (name, Value::string(module.kind)));
    Ok(Value::Object(kinds.collect()))
}

/// `parmtypes(module)`: for each parameter by dotted name the kind of its module.
pub(crate) fn parmtypes<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let module = session.module(arguments.handle(ObjectKind::Module)?)?;
    arguments.finish()?;
    let kinds = module.parameters().into_iter().map(|named| (named.name, Value::string(named.kind)));
    Ok(Value::Object(kinds.collect()))
}

/// `children(module)`: handles of the direct children, shared with the module.
pub(crate) fn children<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let module = session.module(arguments.handle(ObjectKind::Module)?)?;
    arguments.finish()?;
    session.insert_all(module.children().iter().map(|(_, child)| Object::Module(Shared::clone(child))).collect())
}

/// `modules(module)`: handles of all descendants, depth first, shared with the module.
pub(crate) fn modules<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let module = session.module(arguments.handle(ObjectKind::Module)?)?;
    arguments.finish()?;
    session.insert_all(module.descendants().into_iter().map(|(_, child)| Object::Module(child)).collect())
}

/// `child(module, name)`: the descendant of that dotted name, shared with the module.
pub(crate) fn child<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let module = session.module(arguments.handle(ObjectKind::Module)?)?;
    let name = arguments.text("the name of a child")?;
    arguments.finish()?;
    let found = module.descendants().into_iter().find(|(path, _)| *path == name);
    let (_, child) = found.ok_or_else(|| Error::new(Code::Parameter, format_args!("no module named `{name}`")))?;
    session.insert(Object::Module(child))
}

/// `parms(module)`: the parameters as a dictionary by dotted name, shared with the module.
pub(crate) fn parms<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let module = session.module(arguments.handle(ObjectKind::Module)?)?;
    arguments.finish()?;
    let named = distinct(&session.engine, module.parameters())?.into_iter().map(|named| (named.name, named.tensor));
    session.insert(Object::Dictionary(named.collect()))
}

/// `parm(module, name)`: the parameter or buffer of that dotted name, shared with the module.
pub(crate) fn parm<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let module = session.module(arguments.handle(ObjectKind::Module)?)?;
    let name = arguments.text("the name of a parameter")?;
    arguments.finish()?;
    let found = module.parameters_and_buffers().into_iter().find(|named| named.name == name);
    let named =
        found.ok_or_else(|| Error::new(Code::Parameter, format_args!("no parameter or buffer named `{name}`")))?;
    session.insert(Object::Tensor(named.tensor))
}

/// `clone(module)`: a module with copies of the parameters and buffers.
pub(crate) fn clone<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let module = session.module(arguments.handle_or_model(ObjectKind::Module)?)?;
    arguments.finish()?;
    let copy = module_copy::copy_of(&session.engine, &module)?;
    session.insert(Object::Module(copy))
}

/// `copyparms(from, to)`: overwrites the parameters and buffers of a module from another one, all or none.
pub(crate) fn copyparms<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let from = session.module(arguments.handle_or_model(ObjectKind::Module)?)?;
    let to = session.module(arguments.handle_or_model(ObjectKind::Module)?)?;
    arguments.finish()?;
    let engine = &session.engine;
    let pairs = module_copy::paired(engine, &from, &to)?;
    session.check_written(&mut pairs.iter().map(|(_, named)| &named.tensor))?;
    // Conversions need memory, and so come before the first change.
    let mut sources = Vec::new();
    for (from, to) in &pairs {
        let (dtype, device) = (engine.dtype(&to.tensor)?, engine.device(&to.tensor)?);
        let equal = engine.dtype(from)? == dtype && engine.device(from)? == device;
        sources.push(if equal { from.clone() } else { engine.convert(from, dtype, device)? });
    }
    for (from, (_, to)) in sources.iter().zip(&pairs) {
        engine.copy(from, &to.tensor)?;
    }
    Ok(Value::Null)
}
