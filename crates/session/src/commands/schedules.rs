//! Learning rates and the schedules that set them. A schedule crosses as plain data: its name, its options, its progress,
//! and the schedules inside it.

use stepwell_optim::{
    Children, Code, Error, Optimizer, Result, Results, Schedule, ScheduleInstance, schedule_definition,
};

use crate::commands::arguments::Arguments;
use crate::engine::Engine;
use crate::session::Session;
use crate::values::convert::{named_options, option_entries, to_value};
use crate::values::handle::ObjectKind;
use crate::values::numbers::array;
use crate::values::value::Value;

/// `lr(optimizer)` returns the learning rate of each group; `lr(optimizer, rates)` sets one for all or one for each.
pub(crate) fn lr<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.handle_or_model(ObjectKind::Optimizer)?;
    if arguments.is_empty() {
        let rates = session.optimizer(handle)?.optimizer.rates();
        return Ok(Value::Array(rates.into_iter().map(Value::Number).collect()));
    }
    let rates = arguments.numbers("learning rates")?;
    arguments.finish()?;
    session.optimizer_mut(handle)?.0.optimizer.set_rates(&rates)?;
    Ok(Value::Null)
}

/// `schedule(optimizer)` returns the schedule, `schedule(optimizer, specification)` binds one, and `schedule(optimizer,
/// null)` unbinds it and leaves the learning rates as they are.
pub(crate) fn schedule<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.handle(ObjectKind::Optimizer)?;
    if arguments.is_empty() {
        let bound = session.optimizer(handle)?;
        return Ok(bound.optimizer.schedule_state().map_or(Value::Null, schedule_value));
    }
    arguments.require_defined()?;
    let given = arguments.next();
    arguments.finish()?;
    let (mut bound, _) = session.optimizer_mut(handle)?;
    let optimizer = &mut bound.optimizer;
    match given {
        Value::Null => optimizer.set_schedule_state(None)?,
        given => {
            let (curve, base) = specified(given)?;
            optimizer.bind(curve, base)?;
        }
    }
    Ok(Value::Null)
}

/// Restores a schedule with its progress from the result of [`schedule`]. Learning rates stay as they are.
pub(crate) fn restore(optimizer: &mut Optimizer, given: &Value) -> Result<()> {
    let (curve, base) = specified(given.clone())?;
    let base = base.unwrap_or_else(|| optimizer.rates());
    optimizer.set_schedule_state(Some(Schedule::new(curve, base)))
}

/// `advance(optimizer, [metric])` makes a schedule step: it sets the learning rate of each group.
pub(crate) fn advance<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.handle(ObjectKind::Optimizer)?;
    let metric = match arguments.next() {
        Value::Undefined => None,
        Value::Number(metric) => Some(metric),
        other => return Err(arguments.argument_error("a metric (a number)", &other)),
    };
    arguments.finish()?;
    session.optimizer_mut(handle)?.0.optimizer.advance(metric)?;
    Ok(Value::Null)
}

/// A bound schedule as plain data, from which [`specified`] makes it again.
pub(crate) fn schedule_value(schedule: &Schedule) -> Value {
    let base = schedule.base_rates().iter().map(|rate| Value::Number(*rate)).collect();
    let mut entries = curve_entries(schedule.instance());
    entries.push(("base".into(), Value::Array(base)));
    Value::Object(entries)
}

fn curve_entries(curve: &ScheduleInstance) -> Vec<(String, Value)> {
    let definition = curve.definition();
    let mut entries = vec![("schedule".to_owned(), Value::string(definition.name))];
    let options = definition.options.iter().zip(curve.options());
    entries.extend(options.map(|(spec, value)| (spec.name.to_owned(), to_value(value))));
    if !definition.progress.is_empty() {
        entries.push(("progress".into(), option_entries(definition.progress, curve.progress())));
    }
    let mut children = curve.children().iter().map(|child| Value::Object(curve_entries(child)));
    match definition.children {
        Children::None => {}
        Children::One(key) => entries.extend(children.next().map(|child| (key.to_owned(), child))),
        Children::Several(key) => entries.push((key.to_owned(), Value::Array(children.collect()))),
    }
    entries
}

/// A schedule out of plain data, with its base rates if it has any.
pub(crate) fn specified(given: Value) -> Result<(ScheduleInstance, Option<Vec<f64>>)> {
    let mut entries = specification(given)?;
    let base = remove_entry(&mut entries, "base").map(rates).transpose()?;
    Ok((curve(entries)?, base))
}

fn specification(given: Value) -> Result<Vec<(String, Value)>> {
    match given {
        Value::Object(entries) => Ok(entries),
        other => {
            let message =
                format_args!("expected a schedule such as {{ schedule: \"cosine\", steps: 100 }}, given {other}");
            Err(Error::new(Code::Argument, message))
        }
    }
}

fn curve(mut entries: Vec<(String, Value)>) -> Result<ScheduleInstance> {
    let definition = match remove_entry(&mut entries, "schedule") {
        Some(Value::String(name)) => schedule_definition(&name)?,
        other => {
            let given = other.unwrap_or(Value::Null);
            let message = format_args!("schedule: expected the name of a schedule (a string), given {given}");
            return Err(Error::new(Code::Argument, message));
        }
    };
    let name = definition.name;
    let progress = match remove_entry(&mut entries, "progress") {
        None => Vec::new(),
        Some(Value::Object(progress)) => named_options(progress)?,
        Some(other) => {
            let message = format_args!("{name} progress: expected a dictionary, given {other}");
            return Err(Error::new(Code::OptionType, message));
        }
    };
    let inside = match definition.children {
        Children::None => Vec::new(),
        Children::One(key) => remove_entry(&mut entries, key).into_iter().collect(),
        Children::Several(key) => match remove_entry(&mut entries, key) {
            None => Vec::new(),
            Some(Value::Array(list)) => list,
            Some(other) => {
                let message = format_args!("{name} {key}: expected a list of schedules, given {other}");
                return Err(Error::new(Code::OptionType, message));
            }
        },
    };
    let children = inside.into_iter().map(|child| curve(specification(child)?)).values()?;
    ScheduleInstance::new(definition, &named_options(entries)?, &progress, children)
}

fn remove_entry(entries: &mut Vec<(String, Value)>, key: &str) -> Option<Value> {
    let index = entries.iter().position(|(name, _)| name == key)?;
    Some(entries.remove(index).1)
}

fn rates(given: Value) -> Result<Vec<f64>> {
    match array(&given)?.filter(|array| array.shape.len() == 1) {
        Some(array) => array.doubles(),
        None => Err(Error::new(Code::OptionType, format_args!("base: expected a list of numbers, given {given}"))),
    }
}
