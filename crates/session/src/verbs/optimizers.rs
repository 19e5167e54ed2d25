//! `opt` in its forms, and what an optimizer can be asked.

use std::borrow::Cow;

use stepwell_optim::{
    Buffer, CATALOG, Code, Curvature, Definition, Error, Memory, Optimizer, PRESETS, Result, Scalar, Value, defaults,
    definition, positional,
};

use crate::arguments::{Arguments, dynamic, named_options, option_value};
use crate::handle::{Handle, Kind};
use crate::library::take_fused;
use crate::module_state;
use crate::modules::layer_kinds;
use crate::selection::{is_selection, select};
use crate::session::{Object, Session};
use crate::trainer::Trainer;
use crate::verbs::restore::restore;
use crate::verbs::schedules;
use crate::{Array, Data, Dynamic, Engine, LibraryOptimizer, only_fused};

/// `opt(name, [group], [parameters], options..)` makes an optimizer, `opt(optimizer, ..)` edits one, and
/// `opt(optimizer)` or `opt(optimizer, all)` tells its definition. `opt(state, module)` makes one as it was. `opt(model)`
/// is the model's optimizer.
pub(crate) fn opt<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Dynamic> {
    match arguments.next() {
        Dynamic::Text(name) => create(session, &name, arguments),
        // The optimizer of a model, under a handle of its own.
        Dynamic::Handle(handle) if handle.kind() == Some(Kind::Model) => {
            arguments.finish()?;
            let trainer = session.shared_trainer(handle)?.clone();
            session.insert(Object::Optimizer(trainer))
        }
        Dynamic::Handle(handle) => match arguments.peek() {
            Dynamic::Flag(_) => {
                let all = arguments.flag("whether to tell all options")?;
                arguments.finish()?;
                describe(session, handle, all.unwrap_or(session.all_options), false)
            }
            _ if arguments.is_empty() => describe(session, handle, session.all_options, false),
            _ => edit(session, handle, arguments),
        },
        Dynamic::Dictionary(saved) => restore(session, &saved, arguments),
        other => Err(arguments.refuse("the name of an optimizer, an optimizer handle or a state", &other)),
    }
}

fn create<E: Engine>(session: &mut Session<E>, name: &str, arguments: Arguments) -> Result<Dynamic> {
    let definition = definition(name)?;
    let mut call = Call::parse(arguments, definition.name)?;
    let fused = take_fused(definition.name, &mut call.named)?.unwrap_or(true);
    if let Some(group) = call.group.filter(|group| *group != 0) {
        let message = format!("cannot define group {group} until optimizer is created with initial parameter group");
        return Err(Error::new(Code::Group, message));
    }
    let selection = select(session, &call.parameters)?;
    let optimizer = Optimizer::new(definition, &call.positional, &call.named)?;
    let library = if fused { None } else { Some(library_optimizer(&session.engine, definition)?) };
    let mut trainer = Trainer::new(optimizer, library);
    trainer.edit(&session.engine, 0, selection, &[], &[])?;
    session.insert(Object::optimizer(trainer))
}

/// The tensor library's own optimizer, for `fused: false`.
pub(crate) fn library_optimizer<E: Engine>(
    engine: &E,
    definition: &'static Definition,
) -> Result<LibraryOptimizer<E::Tensor>> {
    if definition.pytorch.is_none() {
        return Err(only_fused(definition, "since only Stepwell's own implementation exists"));
    }
    engine.library_optimizer(definition)
}

fn edit<E: Engine>(session: &mut Session<E>, handle: Handle, arguments: Arguments) -> Result<Dynamic> {
    let owner = session.trainer(handle)?.optimizer.definition().name;
    let mut call = Call::parse(arguments, owner)?;
    if take_fused(owner, &mut call.named)?.is_some() {
        let message = format!("{owner} fused: can be given only when the optimizer is made");
        return Err(Error::new(Code::Argument, message));
    }
    let selection = select(session, &call.parameters)?;
    let (mut trainer, engine) = session.trainer_mut(handle)?;
    trainer.edit(engine, call.group.unwrap_or(0), selection, &call.positional, &call.named)?;
    Ok(Dynamic::Null)
}

/// What follows the first argument of `opt`.
struct Call {
    group: Option<usize>,
    parameters: Dynamic,
    positional: Vec<Value>,
    named: Vec<(String, Value)>,
}

impl Call {
    fn parse(mut arguments: Arguments, owner: &str) -> Result<Self> {
        let mut group = None;
        if let Dynamic::Number(number) = *arguments.peek() {
            arguments.next();
            if number.fract() != 0.0 || number < 0.0 {
                let message = format!("group {number} invalid, expected a whole number that is not negative");
                return Err(Error::new(Code::Group, message));
            }
            group = Some(number as usize);
        }
        let parameters = if is_selection(arguments.peek()) { arguments.next() } else { Dynamic::Null };
        let mut rest = arguments.rest();
        let named = match rest.pop() {
            Some(Dynamic::Dictionary(entries)) => named_options(entries)?,
            Some(Dynamic::List(list)) => named_options(pairs(list)?)?,
            Some(last) => {
                rest.push(last);
                Vec::new()
            }
            None => Vec::new(),
        };
        let positional = rest
            .iter()
            .map(|given| {
                option_value(given)
                    .ok_or_else(|| Error::new(Code::OptionType, format!("{owner}: expected an option, given {given}")))
            })
            .collect::<Result<_>>()?;
        Ok(Self { group, parameters, positional, named })
    }
}

/// Names and values, as a list of pairs or flat.
fn pairs(list: Vec<Dynamic>) -> Result<Vec<(String, Dynamic)>> {
    let nested = matches!(list.first(), Some(Dynamic::List(_)));
    let pairs: Vec<Vec<Dynamic>> = if nested {
        list.into_iter()
            .enumerate()
            .map(|(i, pair)| match pair {
                Dynamic::List(pair) if pair.len() == 2 => Ok(pair),
                other => {
                    let message = format!("expected a name and a value as pair[{i}], given {other}");
                    Err(Error::new(Code::Argument, message))
                }
            })
            .collect::<Result<_>>()?
    } else if list.len().is_multiple_of(2) {
        list.chunks(2).map(<[Dynamic]>::to_vec).collect()
    } else {
        let message = format!("expected names and values in turn, given an uneven number of them: {}", list.len());
        return Err(Error::new(Code::Argument, message));
    };
    pairs
        .into_iter()
        .map(|mut pair| match (pair.pop(), pair.pop()) {
            (Some(value), Some(Dynamic::Text(name))) => Ok((name, value)),
            (_, other) => {
                let given = other.unwrap_or(Dynamic::Null);
                Err(Error::new(Code::Argument, format!("expected the name of an option, given {given}")))
            }
        })
        .collect()
}

/// `state(optimizer, [all])`: the definition, the buffers of each parameter, and the schedule if there is one.
pub(crate) fn state<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Dynamic> {
    let handle = arguments.any_handle("an optimizer or module handle")?;
    if handle.kind() == Some(Kind::Module) {
        arguments.finish()?;
        return module_state::rows(&session.engine, session.module(handle)?.as_ref());
    }
    if handle.kind() == Some(Kind::Model) {
        session.model(handle)?;
        return Err(arguments.refuse("an optimizer or module handle", &Dynamic::Handle(handle)));
    }
    let all = arguments.flag("whether to tell all options")?;
    arguments.finish()?;
    describe(session, handle, all.unwrap_or(session.all_options), true)
}

fn describe<E: Engine>(session: &Session<E>, handle: Handle, all: bool, with_buffers: bool) -> Result<Dynamic> {
    let trainer = session.trainer(handle)?;
    let engine = &session.engine;
    let optimizer = if with_buffers { trainer.with_state()? } else { Cow::Borrowed(&trainer.optimizer) };
    let definition = optimizer.definition();
    let names = trainer.container.names(engine);
    let mut states = optimizer.groups().iter().flat_map(|group| group.states());
    let mut parms = Vec::new();
    for (i, (group, parameter)) in trainer.parameters().enumerate() {
        let identity = engine.identity(&parameter.tensor);
        let name = names.iter().find(|(other, _)| *other == identity).map_or("", |(_, name)| name);
        let shape = engine.shape(&parameter.tensor)?;
        let mut row = vec![
            ("parmgroup", Dynamic::Number(group as f64)),
            ("pointer", Dynamic::Number(identity as f64)),
            ("module", Dynamic::text(parameter.kind)),
            ("name", Dynamic::text(name)),
            ("size", Dynamic::sizes(&shape)),
        ];
        if with_buffers {
            let state = states.next().and_then(Option::as_ref);
            let mut buffers = state.map_or_else(Vec::new, |state| {
                let step = definition.counts_steps.then_some(("step", Dynamic::Number(state.step as f64)));
                let named = definition.buffers.iter().copied().zip(&state.buffers);
                step.into_iter()
                    .chain(named.map(|(key, buffer)| (key, buffer_value(buffer.as_ref(), &shape))))
                    .collect()
            });
            // The state of L-BFGS belongs to all parameters; PyTorch shows it at the first.
            if let (0, Some(curvature)) = (i, optimizer.curvature()) {
                buffers = match curvature {
                    Curvature::Float(memory) => memory_values(memory),
                    Curvature::Double(memory) => memory_values(memory),
                };
            }
            row.push(("buffers", Dynamic::dictionary(buffers)));
        }
        parms.push(Dynamic::dictionary(row));
    }
    let mut entries = vec![
        ("optimizer", Dynamic::text(definition.name)),
        ("options", options_table(definition, &optimizer, all)),
        ("parms", Dynamic::List(parms)),
    ];
    if let (true, Some(schedule)) = (with_buffers, optimizer.schedule_state()) {
        entries.push(("schedule", schedules::described(schedule)));
    }
    if trainer.library.is_some() {
        entries.push(("fused", Dynamic::Flag(false)));
    }
    Ok(Dynamic::dictionary(entries))
}

/// A row for each group. Without `all`: the learning rate, and the options that any group has changed. A further option
/// is told only where it was changed.
fn options_table(definition: &Definition, optimizer: &Optimizer, all: bool) -> Dynamic {
    let standard = defaults(definition.options);
    let rows: Vec<&[Value]> = optimizer.groups().iter().map(|group| group.options()).collect();
    let told = |i: usize| i == 0 || (all && !definition.options[i].further);
    let shown = |i: usize| told(i) || rows.iter().any(|row| row[i] != standard[i]);
    let row = |row: &&[Value]| {
        let columns = definition.options.iter().zip(*row).enumerate().filter(|(i, _)| shown(*i));
        Dynamic::dictionary(columns.map(|(_, (spec, value))| (spec.name, dynamic(value))))
    };
    Dynamic::List(rows.iter().map(row).collect())
}

fn buffer_value(buffer: Option<&Buffer>, shape: &[usize]) -> Dynamic {
    let data = match buffer {
        None => return Dynamic::Null,
        Some(Buffer::Float(elements)) => Data::Float(elements.clone()),
        Some(Buffer::Double(elements)) => Data::Double(elements.clone()),
    };
    Dynamic::Array(Array { data, shape: shape.to_vec() })
}

fn memory_values<T: Scalar>(memory: &Memory<T>) -> Vec<(&'static str, Dynamic)> {
    let number = Dynamic::Number;
    let vector = |v: &Vec<T>| buffer_value(Some(&T::into_buffer(v.clone())), &[v.len()]);
    vec![
        ("func_evals", number(memory.func_evals as f64)),
        ("n_iter", number(memory.n_iter as f64)),
        ("t", number(memory.t)),
        ("prev_loss", number(memory.prev_loss)),
        ("d", vector(&memory.d)),
        ("H_diag", number(memory.h_diag)),
        ("prev_flat_grad", vector(&memory.prev_flat_grad)),
        ("old_dirs", Dynamic::List(memory.old_dirs.iter().map(vector).collect())),
        ("old_stps", Dynamic::List(memory.old_stps.iter().map(vector).collect())),
        ("ro", Dynamic::List(memory.ro.iter().copied().map(number).collect())),
    ]
}

/// `lr(optimizer)` tells the learning rate of each group; `lr(optimizer, rates)` sets one for all or one for each.
pub(crate) fn lr<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Dynamic> {
    let handle = arguments.handle_or_model(Kind::Optimizer)?;
    if arguments.is_empty() {
        let rates = session.trainer(handle)?.optimizer.rates();
        return Ok(Dynamic::List(rates.into_iter().map(Dynamic::Number).collect()));
    }
    let rates = arguments.numbers("learning rates")?;
    arguments.finish()?;
    session.trainer_mut(handle)?.0.optimizer.set_rates(&rates)?;
    Ok(Dynamic::Null)
}

/// `help()`, `help("optimizer")`, `help("module")`, `help("schedule")` and `help("preset")` list what there is;
/// `help(name)` tells the options and defaults of an optimizer or module. With `true` after it the further options too.
pub(crate) fn help<E: Engine>(_: &mut Session<E>, mut arguments: Arguments) -> Result<Dynamic> {
    let topic = match arguments.next() {
        Dynamic::Null => "optimizer".to_owned(),
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
