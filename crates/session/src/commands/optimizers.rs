//! `opt` in its forms, and `state`.

use stepwell_optim::{Code, Error, Number, Optimizer, OptionValue, Result, Results, definition};

use crate::commands::arguments::Arguments;
use crate::commands::parameters::{is_parameter_list, resolve_parameters};
use crate::commands::restore::restore;
use crate::commands::state::describe;
use crate::engine::Engine;
use crate::engine::library_optimizers::{MODE_OPTIONS, take_mode_options};
use crate::nn::module_state;
use crate::session::{Object, Session};
use crate::training::bound_optimizer::BoundOptimizer;
use crate::training::parameter_list::{ParameterList, ParameterOrigin};
use crate::training::step_mode::step_mode;
use crate::values::convert::{named_options, positional_options};
use crate::values::handle::{Handle, ObjectKind};
use crate::values::value::Value;

/// `opt(name, [group], [parameters], options..)` makes an optimizer, `opt(optimizer, ..)` edits one, and
/// `opt(optimizer)` or `opt(optimizer, all)` returns its definition. `opt(state, module)` restores one. `opt(model)` is
/// the model's optimizer.
pub(crate) fn opt<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    match arguments.next() {
        Value::String(name) => create(session, &name, arguments),
        // The optimizer of a model, under a handle of its own.
        Value::Handle(handle) if handle.kind() == Some(ObjectKind::Model) => {
            arguments.finish()?;
            let bound = session.shared_optimizer(handle)?.clone();
            session.insert(Object::Optimizer(bound))
        }
        Value::Handle(handle) => match arguments.peek() {
            Value::Bool(_) => {
                let all = arguments.flag("whether to include all options")?;
                arguments.finish()?;
                describe(session, handle, all.unwrap_or(session.all_options), false)
            }
            _ if arguments.is_empty() => describe(session, handle, session.all_options, false),
            _ => edit(session, handle, arguments),
        },
        Value::Object(saved) => restore(session, &saved, arguments),
        other => Err(arguments.argument_error("the name of an optimizer, an optimizer handle or a state", &other)),
    }
}

/// `state(optimizer, [all])`: the definition, the buffers of each parameter, and the schedule if there is one.
pub(crate) fn state<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.any_handle("an optimizer or module handle")?;
    if handle.kind() == Some(ObjectKind::Module) {
        arguments.finish()?;
        return module_state::rows(&session.engine, &session.module(handle)?);
    }
    if handle.kind() == Some(ObjectKind::Model) {
        session.model(handle)?;
        return Err(arguments.argument_error("an optimizer or module handle", &Value::Handle(handle)));
    }
    let all = arguments.flag("whether to include all options")?;
    arguments.finish()?;
    describe(session, handle, all.unwrap_or(session.all_options), true)
}

fn create<E: Engine>(session: &mut Session<E>, name: &str, arguments: Arguments) -> Result<Value> {
    let definition = definition(name)?;
    let mut call = OptArguments::parse(arguments, definition.name)?;
    let [fused, offload] = take_mode_options(definition.name, &mut call.named)?;
    if let Some(group) = call.group.filter(|group| *group != 0) {
        let message =
            format_args!("cannot define group {group} until optimizer is created with initial parameter group");
        return Err(Error::new(Code::Group, message));
    }
    let list = resolve_parameters(session, &call.parameters)?;
    check_trains(&session.engine, &list)?;
    let optimizer = Optimizer::new(definition, &call.positional, &call.named)?;
    let mode = step_mode(&session.engine, definition, fused.unwrap_or(true), offload.unwrap_or(false))?;
    let mut bound = BoundOptimizer::new(optimizer, mode);
    bound.edit(&session.engine, 0, list, &[], &[])?;
    session.insert(Object::optimizer(bound))
}

fn edit<E: Engine>(session: &mut Session<E>, handle: Handle, arguments: Arguments) -> Result<Value> {
    let owner = session.optimizer(handle)?.optimizer.definition().name;
    let mut call = OptArguments::parse(arguments, owner)?;
    let given = take_mode_options(owner, &mut call.named)?;
    if let Some(index) = given.iter().position(Option::is_some) {
        let message = format_args!("{owner} {}: can be given only when the optimizer is made", MODE_OPTIONS[index]);
        return Err(Error::new(Code::Argument, message));
    }
    let list = resolve_parameters(session, &call.parameters)?;
    check_trains(&session.engine, &list)?;
    // Its step works on the parameters from its start.
    let definition = session.optimizer(handle)?.optimizer.definition();
    if !list.tensors.is_empty() && definition.needs_closure() && session.is_stepping(handle)? {
        let message = format_args!("{owner} cannot take more parameters while it steps");
        return Err(Error::new(Code::Parameter, message));
    }
    session.settle_scales()?;
    let scale = session.optimizer(handle)?.scale_of_loss();
    if scale != 1.0 && !list.tensors.is_empty() {
        let tensors: Vec<_> = list.tensors.iter().map(|named| named.tensor.clone()).collect();
        session.check_scaled(&tensors, scale)?;
    }
    let (mut bound, engine) = session.optimizer_mut(handle)?;
    bound.edit(engine, call.group.unwrap_or(0), list, &call.positional, &call.named)?;
    Ok(Value::Null)
}

/// Fails for tensors outside of modules none of which requires a gradient, since no step would change them.
fn check_trains<E: Engine>(engine: &E, list: &ParameterList<E>) -> Result<()> {
    let is_loose = matches!(list.origin, ParameterOrigin::Unnamed | ParameterOrigin::Named);
    if !is_loose || list.tensors.is_empty() || list.tensors.iter().any(|named| engine.requires_grad(&named.tensor)) {
        return Ok(());
    }
    let message =
        "expected a tensor that requires a gradient, given none: make it with \"grad\", or call gradflag(x, true)";
    Err(Error::new(Code::Parameter, message))
}

/// The arguments of `opt` after the first.
struct OptArguments {
    group: Option<usize>,
    parameters: Value,
    positional: Vec<OptionValue>,
    named: Vec<(String, OptionValue)>,
}

impl OptArguments {
    fn parse(mut arguments: Arguments, owner: &str) -> Result<Self> {
        let mut group = None;
        if let Value::Number(number) = *arguments.peek() {
            arguments.next();
            if number.fract() != 0.0 || number < 0.0 {
                let number = Number(number);
                let message = format_args!("group {number} invalid, expected a whole number that is not negative");
                return Err(Error::new(Code::Group, message));
            }
            group = Some(number as usize);
        }
        let parameters = match arguments.peek() {
            _ if arguments.is_empty() => Value::Null,
            // A missing field of an object must not make an optimizer without parameters.
            nothing @ (Value::Null | Value::Undefined) => {
                let nothing = nothing.clone();
                arguments.next();
                return Err(arguments.argument_error("parameters, a list of nothing for none,", &nothing));
            }
            given if is_parameter_list(given) => arguments.next(),
            _ => Value::Null,
        };
        let is_named = |given: &Value| matches!(given, Value::Object(_) | Value::Array(_));
        let mut positional = arguments.rest();
        let count = positional.iter().position(is_named).unwrap_or(positional.len());
        let rest = positional.split_off(count);
        let positional = positional_options(owner, &positional)?;
        let mut named = Vec::new();
        for given in rest {
            named.extend(match given {
                Value::Object(entries) => named_options(entries)?,
                Value::Array(list) => named_options(pairs(list)?)?,
                Value::Undefined => Vec::new(),
                other => {
                    let message = format_args!("expected options by position before those by name, given {other}");
                    return Err(Error::new(Code::Argument, message));
                }
            });
        }
        Ok(Self { group, parameters, positional, named })
    }
}

/// Names and values, as a list of pairs or flat.
fn pairs(list: Vec<Value>) -> Result<Vec<(String, Value)>> {
    let nested = matches!(list.first(), Some(Value::Array(_)));
    let pairs: Vec<Vec<Value>> = if nested {
        list.into_iter()
            .enumerate()
            .map(|(i, pair)| match pair {
                Value::Array(pair) if pair.len() == 2 => Ok(pair),
                other => {
                    let message = format_args!("expected a name and a value as pair[{i}], given {other}");
                    Err(Error::new(Code::Argument, message))
                }
            })
            .values()?
    } else if list.len().is_multiple_of(2) {
        list.chunks(2).map(<[Value]>::to_vec).collect()
    } else {
        let message = format_args!("expected names and values in turn, given an uneven number of them: {}", list.len());
        return Err(Error::new(Code::Argument, message));
    };
    pairs
        .into_iter()
        .map(|mut pair| match (pair.pop(), pair.pop()) {
            (Some(value), Some(Value::String(name))) => Ok((name, value)),
            (_, other) => {
                let given = other.unwrap_or(Value::Null);
                Err(Error::new(Code::Argument, format_args!("expected the name of an option, given {given}")))
            }
        })
        .values()
}
