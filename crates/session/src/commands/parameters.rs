//! Parameters that a call selects: a tensor, a vector, a dictionary, a module or a model, or a list out of one.

use stepwell_optim::{Code, Error, Number, Result, Results, Shared};

use crate::engine::Engine;
use crate::nn::module::{Module, Named};
use crate::nn::ties::distinct;
use crate::session::{Object, Session};
use crate::training::parameter_list::{LOOSE, ParameterList, ParameterOrigin};
use crate::values::dedupe::positions_of;
use crate::values::value::Value;

/// True for an argument that selects parameters, and not for an option.
pub(crate) fn is_parameter_list(given: &Value) -> bool {
    match given {
        Value::Handle(_) => true,
        Value::Array(list) => list.is_empty() || matches!(list[0], Value::Handle(_)),
        _ => false,
    }
}

/// The selected tensors. `null` and an empty list select none.
pub(crate) fn resolve_parameters<E: Engine>(session: &Session<E>, given: &Value) -> Result<ParameterList<E>> {
    let none = ParameterList { tensors: Vec::new(), origin: ParameterOrigin::Nothing };
    let (handle, selector) = match given {
        Value::Null => return Ok(none),
        Value::Array(list) => match list.as_slice() {
            [] => return Ok(none),
            [Value::Handle(handle)] => (*handle, None),
            list if list.iter().all(|item| matches!(item, Value::Handle(_))) => {
                let message =
                    "expected one object, given a list of objects: join tensors by vector(x, y) or dict({ x, y })";
                return Err(Error::new(Code::Argument, message));
            }
            [Value::Handle(handle), selector] => (*handle, Some(selector)),
            _ => return Err(selector_error("an object, or an object and one selector", given)),
        },
        Value::Handle(handle) => (*handle, None),
        _ => return Err(selector_error("a tensor, vector, dictionary, module or model", given)),
    };
    let loose = |name: String, tensor: &E::Tensor| Named { name, kind: LOOSE, tensor: tensor.clone() };
    let object = session.object(handle)?;
    let module = match object {
        Object::Module(module) => Some(module),
        Object::Model(model) => Some(&model.module),
        _ => None,
    };
    if let Some(module) = module {
        let tensors = match selector {
            None => module.parameters(),
            Some(selector) => select_from_module(module, selector)?,
        };
        // A tensor that the module has twice counts once.
        let tensors = distinct(&session.engine, tensors)?;
        return Ok(ParameterList { tensors, origin: ParameterOrigin::Module(Shared::clone(module)) });
    }
    Ok(match object {
        Object::Tensor(tensor) if selector.is_none() => {
            ParameterList { tensors: vec![loose(String::new(), tensor)], origin: ParameterOrigin::Unnamed }
        }
        Object::Vector(vector) => {
            let mut tensors = Vec::new();
            match selector {
                None => tensors.extend(vector.iter().map(|tensor| loose(String::new(), tensor))),
                Some(selector) => {
                    for index in indices(selector, vector.len(), "vector")? {
                        tensors.push(loose(String::new(), &vector[index]));
                    }
                }
            }
            ParameterList { tensors, origin: ParameterOrigin::Unnamed }
        }
        Object::Dictionary(entries) => {
            let tensors = match selector {
                None => entries.iter().map(|(key, tensor)| loose(key.clone(), tensor)).collect(),
                Some(selector) => {
                    let keys = keys(selector)?;
                    let known: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
                    let mut tensors = Vec::new();
                    for (key, index) in keys.iter().zip(positions_of(&keys, &known)?) {
                        let Some((_, tensor)) = entries.get(index) else {
                            let message = format_args!("no dictionary parameter named `{key}`");
                            return Err(Error::new(Code::Parameter, message));
                        };
                        tensors.push(loose((*key).to_owned(), tensor));
                    }
                    tensors
                }
            };
            ParameterList { tensors, origin: ParameterOrigin::Named }
        }
        Object::Tensor(_) | Object::Optimizer(_) | Object::Loss(_) | Object::Module(_) | Object::Model(_) => {
            return Err(selector_error("a tensor, vector, dictionary, module or model", given));
        }
    })
}

fn select_from_module<E: Engine>(module: &Shared<Module<E>>, selector: &Value) -> Result<Vec<Named<E>>> {
    let descendants = module.descendants();
    let mut selected = Vec::new();
    if let Ok(names) = keys(selector) {
        let parameters = module.parameters();
        let paths: Vec<&str> = descendants.iter().map(|(path, _)| path.as_str()).collect();
        let own: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let (modules, own) = (positions_of(&names, &paths)?, positions_of(&names, &own)?);
        for ((name, module), parameter) in names.iter().zip(modules).zip(own) {
            // A module wins over a parameter of the same name.
            match (descendants.get(module), parameters.get(parameter)) {
                (Some(child), _) => add_under(child, &mut selected),
                (None, Some(Named { kind, tensor, .. })) => {
                    selected.push(Named { name: (*name).to_owned(), kind, tensor: tensor.clone() });
                }
                _ => return Err(Error::new(Code::Parameter, format_args!("no module or parameter named `{name}`"))),
            }
        }
        return Ok(selected);
    }
    for index in indices(selector, descendants.len(), "module")? {
        add_under(&descendants[index], &mut selected);
    }
    Ok(selected)
}

/// Adds the parameters of a descendant, each under its path.
fn add_under<E: Engine>((path, module): &(String, Shared<Module<E>>), selected: &mut Vec<Named<E>>) {
    for parameter in module.parameters() {
        selected.push(Named { name: format!("{path}.{}", parameter.name), ..parameter });
    }
}

/// One index or several, all below `count`.
pub(crate) fn indices(selector: &Value, count: usize, what: &str) -> Result<Vec<usize>> {
    let list = match selector {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut indices = Vec::new();
    for item in list {
        match item {
            Value::Number(x) if x.fract() == 0.0 && *x >= 0.0 && *x < count as f64 => indices.push(*x as usize),
            Value::Number(x) => {
                let x = Number(*x);
                let message = format_args!("{what}[{x}] out of bounds, index must be a whole number less than {count}");
                return Err(Error::new(Code::Parameter, message));
            }
            _ => return Err(selector_error("an index, a name or a list of one of them", selector)),
        }
    }
    Ok(indices)
}

/// One name or several.
fn keys(selector: &Value) -> Result<Vec<&str>> {
    let list = match selector {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    list.iter()
        .map(|item| match item {
            Value::String(name) => Ok(name.as_str()),
            _ => Err(selector_error("a name or a list of names", selector)),
        })
        .values()
}

fn selector_error(expected: &str, given: &Value) -> Error {
    let code = if matches!(given, Value::Handle(_)) { Code::HandleKind } else { Code::Argument };
    Error::new(code, format_args!("expected {expected}, given {given}"))
}
