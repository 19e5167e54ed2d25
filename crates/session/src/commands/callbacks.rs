//! Modules whose forward passes are functions of JavaScript. The SDK calls these commands, which are not functions of the k-api.

use std::cell::Cell;

use stepwell_optim::{Code, Error, OptionValue, Result};

use crate::commands::arguments::Arguments;
use crate::engine::Engine;
use crate::nn::callback::{Callback, FUNCTION};
use crate::nn::container::Container;
use crate::nn::module::{Module, checked_name};
use crate::session::{Object, Session};
use crate::values::handle::{Handle, ObjectKind};
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
        function: Cell::new(Some(function)),
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
        if let Some(function) = module.as_callback().and_then(|callback| callback.function.get()) {
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
    module.as_callback().ok_or_else(malformed)?.function.set(Some(function));
    Ok(Value::Null)
}

/// `runningcall()`: the number of the function that is to run, whether it trains, and its inputs.
pub(crate) fn running<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    arguments.finish()?;
    session.running_call()
}

/// `outputs(tensor, ..)`: the outputs of the function that is running.
pub(crate) fn outputs<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let mut outputs = Vec::new();
    while !arguments.is_empty() {
        let handle: Handle = arguments.handle(ObjectKind::Tensor)?;
        outputs.push(session.tensor(handle)?.clone());
    }
    session.set_outputs(outputs)?;
    Ok(Value::Null)
}

fn malformed() -> Error {
    Error::new(Code::Argument, "expected the members of a module")
}
