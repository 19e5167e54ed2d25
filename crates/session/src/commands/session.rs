//! Lists of optimizers, modules, schedules and presets, with options and defaults.

use stepwell_optim::{CATALOG, Code, Error, PRESETS, Result, defaults, definition, positional};

use crate::commands::arguments::Arguments;
use crate::commands::schedules;
use crate::engine::Engine;
use crate::nn::layers::layer_kinds;
use crate::session::Session;
use crate::values::convert::to_value;
use crate::values::value::Value;

/// `help()`, `help("optimizer")`, `help("module")`, `help("schedule")` and `help("preset")` return lists; `help(name)`
/// returns the options and defaults of an optimizer or module. A second argument `true` includes extensions.
pub(crate) fn help<E: Engine>(_: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let topic = match arguments.next() {
        Value::Undefined => "optimizer".to_owned(),
        Value::String(topic) => topic,
        other => return Err(arguments.argument_error("a topic (a string)", &other)),
    };
    let all = arguments.flag("whether to tell further options")?.unwrap_or(false);
    arguments.finish()?;
    let row = |specs: &'static [stepwell_optim::OptionSpec]| {
        let included = if all { specs } else { positional(specs) };
        let values = included.iter().zip(defaults(included));
        Value::object(values.map(|(spec, value)| (spec.name, to_value(&value))))
    };
    let kinds = layer_kinds::<E>();
    if topic == "optimizer" {
        let rows = CATALOG.iter().map(|definition| {
            Value::object([
                ("optimizer", Value::string(definition.name)),
                ("pytorch", Value::string(definition.pytorch.unwrap_or_default())),
                ("options", row(definition.options)),
                ("about", Value::string(definition.about)),
            ])
        });
        return Ok(Value::Array(rows.collect()));
    }
    if topic == "module" {
        let rows = kinds.iter().map(|kind| {
            Value::object([
                ("module", Value::string(kind.name)),
                ("about", Value::string(kind.about)),
                ("options", row(kind.options)),
            ])
        });
        return Ok(Value::Array(rows.collect()));
    }
    if topic == "schedule" {
        return Ok(schedules::help());
    }
    if topic == "preset" {
        let rows = PRESETS.iter().map(|preset| {
            let options = preset.options.iter().map(|(name, value)| (*name, to_value(value)));
            Value::object([
                ("preset", Value::string(preset.name)),
                ("optimizer", Value::string(preset.optimizer)),
                ("about", Value::string(preset.about)),
                ("source", Value::string(preset.source)),
                ("options", Value::object(options)),
            ])
        });
        return Ok(Value::Array(rows.collect()));
    }
    if let Some(kind) = kinds.iter().find(|kind| kind.name == topic) {
        return Ok(row(kind.options));
    }
    let definition = definition(&topic).map_err(|_| {
        let message = format!(
            "unknown topic `{topic}`, expected optimizer, module, schedule, preset or the name of an optimizer or module"
        );
        Error::new(Code::UnknownName, message)
    })?;
    Ok(row(definition.options))
}
