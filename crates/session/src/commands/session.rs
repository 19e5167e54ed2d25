//! Functions of the session: help, settings, random numbers and reset.

use stepwell_optim::{CATALOG, Code, Error, OptionSpec, Result, SCHEDULES, defaults, definition, positional};

use crate::commands::arguments::Arguments;
pub(crate) use crate::commands::generator::generator;
use crate::engine::Engine;
use crate::engine::element_count::checked_element_count;
use crate::nn::container::Container;
use crate::nn::kind_names::{LAYER_NAMES, kind_of};
use crate::nn::layers::layer_kinds;
use crate::nn::module::CALLBACK;
use crate::random::Random;
use crate::session::Session;
use crate::values::convert::option_entries;
use crate::values::data::Data;
use crate::values::dtype::Dtype;
use crate::values::value::{NumericArray, Value};

/// `help(topic)` returns the options of each row of a list, in the order of the texts that the SDK has of them. The topics are
/// optimizer, module, schedule, tensor and preset; the SDK has all of the rows of the last two. `help(name)` returns the options and
/// defaults of an optimizer or module. A second argument `true` includes extensions.
pub(crate) fn help<E: Engine>(_: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let topic = match arguments.next() {
        Value::Undefined => "optimizer".to_owned(),
        Value::String(topic) => topic,
        other => return Err(arguments.argument_error("a topic (a string)", &other)),
    };
    let all = arguments.flag("whether to include extensions")?.unwrap_or(false);
    arguments.finish()?;
    let row = |specs: &'static [OptionSpec]| {
        let included = if all { specs } else { positional(specs) };
        option_entries(included, &defaults(included))
    };
    let mut rows = Vec::new();
    match topic.as_str() {
        "optimizer" => rows.extend(CATALOG.iter().map(|definition| row(definition.options))),
        "module" => rows.extend(layer_kinds::<E>().map(|kind| row(kind.options))),
        "schedule" => rows.extend(SCHEDULES.iter().map(|schedule| row(schedule.options))),
        "tensor" | "preset" => {}
        _ => {
            let kind = layer_kinds::<E>().find(|kind| kind.name == kind_of(LAYER_NAMES, &topic));
            let options = match kind {
                Some(kind) => kind.options,
                None if topic == CALLBACK || Container::named(&topic).is_some() => &[],
                None => optimizer_options(&topic)?,
            };
            return Ok(row(options));
        }
    }
    Ok(Value::Array(rows))
}

fn optimizer_options(topic: &str) -> Result<&'static [OptionSpec]> {
    let found = definition(topic).ok().map(|definition| definition.options);
    found.ok_or_else(|| {
        let message = format_args!(
            "unknown topic `{topic}`, expected optimizer, module, tensor, schedule, preset or the name of an optimizer or module"
        );
        Error::new(Code::UnknownName, message)
    })
}

/// `setting(name)` returns a setting, `setting(name, value)` sets it. `alloptions`: whether definitions include all
/// options, or only options that differ from the defaults. `threads`: how many threads operations and steps use at
/// most.
pub(crate) fn setting<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let name = arguments.text("the name of a setting")?;
    arguments.require_defined()?;
    match name.as_str() {
        "alloptions" => {
            let flag = arguments.flag("its value")?;
            arguments.finish()?;
            let Some(flag) = flag else { return Ok(Value::Bool(session.all_options)) };
            session.all_options = flag;
            Ok(Value::Null)
        }
        "threads" => {
            let count = match arguments.next() {
                Value::Undefined => None,
                // 1024 is more than machines have; more threads would only fail later.
                Value::Number(count) if count.fract() == 0.0 && (1.0..=1024.0).contains(&count) => Some(count),
                other => return Err(arguments.argument_error("a whole number of threads from 1 to 1024", &other)),
            };
            arguments.finish()?;
            let Some(count) = count else { return Ok(Value::Number(session.engine.thread_limit() as f64)) };
            session.engine.set_threads(count as usize)?;
            Ok(Value::Null)
        }
        _ => {
            let message = format_args!("unknown setting `{name}`, expected alloptions or threads");
            Err(Error::new(Code::UnknownName, message))
        }
    }
}

/// `reset()`: frees all objects and restores the initial seed and settings.
pub(crate) fn reset<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    arguments.finish()?;
    session.check_none_stepping()?;
    session.clear();
    #[cfg(not(target_family = "wasm"))]
    session.forget_jobs();
    session.random = Random::new(0);
    session.all_options = true;
    Ok(Value::Null)
}

/// `handlecount()`: how many objects live.
pub(crate) fn handlecount<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    arguments.finish()?;
    Ok(Value::Number(session.live_handles() as f64))
}

/// `seed(n)`: restarts the random numbers of initial weights, dropout and permutations.
pub(crate) fn seed<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let seed = arguments.whole("a seed", 0)?;
    arguments.finish()?;
    session.random = Random::new(seed);
    Ok(Value::Null)
}

/// `randperm(n)`: the numbers from 0 to n - 1 in random order.
pub(crate) fn randperm<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let n = checked_element_count(
        &session.engine,
        &[usize::try_from(arguments.whole("how many numbers", 0)?).unwrap_or(usize::MAX)],
        Dtype::Long,
    )?;
    arguments.finish()?;
    Ok(Value::NumericArray(NumericArray { data: Data::Long(session.random.permutation(n)?), shape: vec![n] }))
}

/// `errorcodes()`: every code an error can have.
pub(crate) fn errorcodes<E: Engine>(_: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    arguments.finish()?;
    Ok(Value::strings(Code::ALL.iter().map(|code| code.as_str())))
}
