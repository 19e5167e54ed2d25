//! What there is, with options and defaults.

use stepwell_optim::{CATALOG, Code, Error, PRESETS, Result, defaults, definition, positional};

use crate::commands::arguments::Arguments;
use crate::commands::schedules;
use crate::engine::Engine;
use crate::nn::layers::layer_kinds;
use crate::session::Session;
use crate::values::convert::dynamic;
use crate::values::value::Dynamic;

/// `help()`, `help("optimizer")`, `help("module")`, `help("schedule")` and `help("preset")` list what there is;
/// `help(name)` tells the options and defaults of an optimizer or module. With `true` after it the further options too.
pub(crate) fn help<E: Engine>(_: &mut Session<E>, mut arguments: Arguments) -> Result<Dynamic> {
    let topic = match arguments.next() {
        Dynamic::Null | Dynamic::Undefined => "optimizer".to_owned(),
        Dynamic::Text(topic) => topic,
        other => return Err(arguments.refuse("a topic (a string)", &other)),
    };
    let all = arguments.flag("whether to tell further options")?.unwrap_or(false);
    arguments.finish()?;
    let row = |specs: &'static [stepwell_optim::OptionSpec]| {
        let told = if all { specs } else { positional(specs) };
        let values = told.iter().zip(defaults(told));
        Dynamic::dictionary(values.map(|(spec, value)| (spec.name, dynamic(&value))))
    };
    let kinds = layer_kinds::<E>();
    if topic == "optimizer" {
        let rows = CATALOG.iter().map(|definition| {
            Dynamic::dictionary([
                ("optimizer", Dynamic::text(definition.name)),
                ("pytorch", Dynamic::text(definition.pytorch.unwrap_or_default())),
                ("options", row(definition.options)),
                ("about", Dynamic::text(definition.about)),
            ])
        });
        return Ok(Dynamic::List(rows.collect()));
    }
    if topic == "module" {
        let rows = kinds.iter().map(|kind| {
            Dynamic::dictionary([
                ("module", Dynamic::text(kind.name)),
                ("about", Dynamic::text(kind.about)),
                ("options", row(kind.options)),
            ])
        });
        return Ok(Dynamic::List(rows.collect()));
    }
    if topic == "schedule" {
        return Ok(schedules::help());
    }
    if topic == "preset" {
        let rows = PRESETS.iter().map(|preset| {
            let options = preset.options.iter().map(|(name, value)| (*name, dynamic(value)));
            Dynamic::dictionary([
                ("preset", Dynamic::text(preset.name)),
                ("optimizer", Dynamic::text(preset.optimizer)),
                ("about", Dynamic::text(preset.about)),
                ("source", Dynamic::text(preset.source)),
                ("options", Dynamic::dictionary(options)),
            ])
        });
        return Ok(Dynamic::List(rows.collect()));
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
