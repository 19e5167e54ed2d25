//! Modules whose forward passes are functions of JavaScript. The SDK calls these commands, which are not functions of the k-api.

use stepwell_optim::{Code, Error, OptionValue, Result, SharedCell};

use crate::commands::arguments::Arguments;
use crate::engine::Engine;
use crate::nn::callback::{Callback, FUNCTION};
use crate::nn::container::Container;
use crate::nn::host::Host;
use crate::nn::module::{Module, checked_name};
use crate::session::hosting::SessionAccess;
use crate::session::{Object, Session};
use crate::values::data::Data;
use crate::values::device::Device;
use crate::values::handle::ObjectKind;
use crate::values::value::Value;

/// `callback(function, name, members, buffers)`: a module of the function of a number. `members` are pairs of a name and a value:
/// a module, a tensor, or a list or dictionary of one of them. A leaf that requires a gradient becomes a parameter. A
/// tensor in `buffers`, a list of names, becomes a buffer. Returns the handle, and the names of the parameters.
pub(crate) fn callback<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let function = arguments.whole("the number of a function", 0)?;
    let name = arguments.text("the name of a function")?;
    let (members, buffers) = (arguments.next(), arguments.next());
    arguments.finish()?;
    let (Value::Array(members), Value::Array(buffers)) = (members, buffers) else { return Err(malformed()) };
    let is_buffer = |name: &str| buffers.iter().any(|other| matches!(other, Value::String(other) if other == name));
    let mut callback = Callback {
        function: SharedCell::new(Some(function)),
        parameters: Vec::new(),
        buffers: Vec::new(),
        children: Vec::new(),
    };
    for member in &members {
        let Value::Array(pair) = member else { return Err(malformed()) };
        let [Value::String(name), value] = pair.as_slice() else { return Err(malformed()) };
        let name = checked_name(name)?;
        match value {
            Value::Handle(handle) if handle.kind() == Some(ObjectKind::Tensor) => {
                let tensor = session.tensor(*handle)?.clone();
                if is_buffer(&name) {
                    callback.buffers.push((name, tensor));
                } else if is_parameter(session, &tensor) {
                    callback.parameters.push((name, tensor));
                }
            }
            Value::Handle(handle) => callback.children.push((name, session.module(*handle)?)),
            Value::Array(list) => {
                let entries = list.iter().enumerate().map(|(position, value)| (position.to_string(), value)).collect();
                group(session, &mut callback, name, entries, ("modulelist", Container::ModuleList))?;
            }
            Value::Object(entries) => {
                let entries = entries.iter().map(|(key, value)| (key.clone(), value)).collect();
                group(session, &mut callback, name, entries, ("moduledict", Container::ModuleDict))?;
            }
            _ => return Err(malformed()),
        }
    }
    let options = vec![(FUNCTION, OptionValue::Word(name))];
    let names: Vec<_> = callback.parameters.iter().map(|(name, _)| name.clone()).collect();
    let module = Module::callback(None, options, callback)?;
    module.check_extent()?;
    let handle = session.insert(Object::Module(module.into()))?;
    Ok(Value::Array(vec![handle, Value::strings(names)]))
}

/// Adds a list or dictionary of modules as a module of them; or one of tensors, of which parameters are added.
fn group<E: Engine>(
    session: &Session<E>,
    callback: &mut Callback<E, Module<E>>,
    name: String,
    entries: Vec<(String, &Value)>,
    kind: (&'static str, Container),
) -> Result<()> {
    let (mut modules, mut tensors) = (Vec::new(), Vec::new());
    for (key, value) in entries {
        let Value::Handle(handle) = value else { return Err(malformed()) };
        let key = checked_name(&key)?;
        if handle.kind() == Some(ObjectKind::Tensor) {
            tensors.push((key, session.tensor(*handle)?.clone()));
        } else {
            modules.push((key, session.module(*handle)?));
        }
    }
    if !modules.is_empty() {
        callback.children.push((name, Module::under_keys(kind, None, modules).into()));
        return Ok(());
    }
    tensors.retain(|(_, tensor)| is_parameter(session, tensor));
    if !tensors.is_empty() {
        callback.children.push((name, Module::parameter_dictionary(tensors).into()));
    }
    Ok(())
}

fn is_parameter<E: Engine>(session: &Session<E>, tensor: &E::Tensor) -> bool {
    session.engine.is_leaf(tensor) && session.engine.requires_grad(tensor)
}

/// `isparameter(tensor)`: whether a module takes the tensor as a parameter.
pub(crate) fn is_trained<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.handle(ObjectKind::Tensor)?;
    arguments.finish()?;
    Ok(Value::Bool(is_parameter(session, session.tensor(handle)?)))
}

/// `callbacks(module)`: the dotted name and the number of the function of each callback, depth first.
pub(crate) fn callbacks<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let module = session.module(arguments.handle_or_model(ObjectKind::Module)?)?;
    arguments.finish()?;
    let mut all = module.descendants();
    all.insert(0, (String::new(), module));
    let mut rows = Vec::new();
    for (name, module) in all {
        if let Some(function) = module.as_callback().and_then(|callback| *callback.function.borrow()) {
            rows.push(Value::Array(vec![Value::String(name), Value::Number(function as f64)]));
        }
    }
    Ok(Value::Array(rows))
}

/// `bindcallback(module, function)`: gives a callback another function.
pub(crate) fn bind<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let module = session.module(arguments.handle(ObjectKind::Module)?)?;
    let function = arguments.whole("the number of a function", 0)?;
    arguments.finish()?;
    *module.as_callback().ok_or_else(malformed)?.function.borrow_mut() = Some(function);
    Ok(Value::Null)
}

/// `runningcall()`: the number of the function that is to run, whether it trains, and its inputs.
pub(crate) fn running<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    arguments.finish()?;
    session.running_call()
}

/// `outputs(tensor, ..)`: the outputs of the function that is running; null for one that it leaves out.
pub(crate) fn outputs<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let mut outputs = Vec::new();
    while !arguments.is_empty() {
        outputs.push(match arguments.peek() {
            Value::Null => {
                arguments.next();
                None
            }
            _ => Some(session.tensor(arguments.handle(ObjectKind::Tensor)?)?.clone()),
        });
    }
    session.set_outputs(outputs)?;
    Ok(Value::Null)
}

/// `gradient(forward, backward, input, ..)`: the output of a function of a number, whose backward is another function. That one gets the
/// gradient of the output and the inputs, and returns a gradient of each input, or null.
pub(crate) fn gradient<E: Engine>(access: &mut SessionAccess<'_, E>, mut arguments: Arguments) -> Result<Value> {
    let forward = arguments.whole("the number of a function", 0)?;
    let backward = arguments.whole("the number of a function", 0)?;
    let (engine, mut random, inputs, command) = {
        let session = access.session();
        let mut inputs = Vec::new();
        while !arguments.is_empty() || inputs.is_empty() {
            let tensor = session.tensor(arguments.handle(ObjectKind::Tensor)?)?;
            if session.engine.device(tensor)? != Device::Cpu {
                let message =
                    "a function with a backward of its own takes tensors on the CPU: to(x, \"cpu\") copies one";
                return Err(Error::new(Code::Unsupported, message));
            }
            inputs.push(tensor.clone());
        }
        (session.engine.clone(), session.random.clone(), inputs, session.command)
    };
    let training = access.session().calls.last().is_none_or(|call| call.training);
    let outputs = {
        let host = access.host().ok_or_else(|| Error::new(Code::Internal, "a function without its engine"))?;
        engine.no_grad(|| host.call(forward, training, &mut random, &inputs))?
    };
    let [Some(output)] = outputs.as_slice() else {
        let message = format_args!("expected the function to return one tensor, given {}", outputs.len());
        return Err(Error::new(Code::Argument, message));
    };
    let dtype = engine.dtype(output)?;
    if !dtype.is_floating() {
        let message =
            format_args!("expected the function to return a tensor of floating point, given {}", dtype.name());
        return Err(Error::new(Code::Dtype, message));
    }
    // A copy, whose elements no other tensor changes.
    let output = engine.convert(output, dtype, Device::Cpu)?;
    let marker = engine.tensor(&Data::Bool(vec![true]), &[], Device::Cpu)?;
    let output = engine.with_backward(backward, &marker, &inputs, &output)?;
    let mut session = access.session();
    session.random = random;
    session.command = command;
    session.functions_of_graphs.push((backward, marker));
    if session.functions_of_graphs.len().is_power_of_two() {
        session.functions_of_graphs();
    }
    session.insert(Object::Tensor(output))
}

/// `graphfunctions()`: the numbers of the functions that a backward may still call.
pub(crate) fn of_graphs<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    arguments.finish()?;
    let numbers = session.functions_of_graphs().iter().map(|(function, _)| Value::Number(*function as f64));
    Ok(Value::Array(numbers.collect()))
}

fn malformed() -> Error {
    Error::new(Code::Argument, "expected the members of a module")
}
