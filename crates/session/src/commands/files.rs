//! Modules in files; `save(path, ..)` and `load(path, ..)` of a whole run go on in `checkpoints`.

use stepwell_optim::{Brief, OptionSet, Result, Results, defaults, options, parse};

use crate::commands::arguments::Arguments;
use crate::commands::array_store::ArrayStore;
pub(crate) use crate::commands::checkpoint_load::deserialize;
use crate::commands::checkpoints::write_arrays;
pub(crate) use crate::commands::checkpoints::{inspect, serialize};
use crate::commands::load_report::{LoadReport, Matched, check_ties, saved_names};
use crate::commands::saved_arrays::SavedArray;
use crate::commands::saved_file::{open, too_large};
use crate::commands::selection::{SELECTING, Selection};
use crate::commands::{checkpoint_load, checkpoints};
use crate::engine::Engine;
use crate::nn::module::Named;
use crate::nn::ties::distinct;
use crate::session::Session;
use crate::values::convert::{also_known, named_options};
use crate::values::handle::ObjectKind;
use crate::values::value::Value;

options! {
    /// How a file is loaded.
    pub(crate) struct LoadOptions {
        /// Convert tensors of another type of floating point, each number rounded once to the nearest.
        cast: bool = false;
        /// Refuse a file whose names, shapes or types differ from the module.
        strict: bool = true;
        /// Compare the file with its checksum, if Stepwell wrote it.
        verify: bool = true;
    }
}

/// `save(module, path)`: parameters and buffers by name, as safetensors.
pub(crate) fn save<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    if let Value::String(_) = arguments.peek() {
        let path = arguments.text("a path")?;
        return checkpoints::save(session, &path, arguments);
    }
    let module = session.module(arguments.handle(ObjectKind::Module)?)?;
    let path = arguments.text("a path")?;
    arguments.finish()?;
    let engine = &session.engine;
    // A tensor that the module has twice is saved under its first name.
    let tensors = distinct(engine, module.parameters_and_buffers())?;
    let array = |Named { name, tensor, .. }: Named<E>| SavedArray::of_tensor(engine, name, tensor);
    let arrays = tensors.into_iter().map(array).values()?;
    write_arrays(engine, &path, &arrays, "{}")?;
    Ok(Value::Null)
}

/// `load(module, path, [options])`: sets the parameters and buffers of the module from a file, by name. All or nothing.
/// Where `strict` is false it sets tensors that fit and returns a report.
pub(crate) fn load<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    if let Value::String(_) = arguments.peek() {
        let path = arguments.text("a path")?;
        return checkpoint_load::load(session, &path, arguments);
    }
    let module = session.module(arguments.handle(ObjectKind::Module)?)?;
    let path = arguments.text("a path")?;
    let mut given = arguments.options()?;
    arguments.finish()?;
    let selection = Selection::take(&mut given)?;
    let row = parse("load", LoadOptions::SPECS, &defaults(LoadOptions::SPECS), &[], &named_options(given)?)
        .map_err(|error| also_known(error, SELECTING))?;
    let options = LoadOptions::from_values(&row)?;

    let engine = &session.engine;
    let arrays = ArrayStore(open(&path, engine.memory_limit(usize::MAX))?);
    let saved = &arrays.0;
    if options.verify {
        saved.verify()?;
    }
    let names = selection.names(module.parameters_and_buffers().iter().map(|named| &*named.name), saved)?;
    let mut own = module.parameters_and_buffers();
    own.retain(|named| names.selects(&named.name));
    let tensors = saved_names(engine, own, &names)?;
    session.check_written(&mut tensors.iter().map(|named| &named.tensor))?;
    let report = LoadReport::of(engine, &tensors, &names, options.cast)?;
    if options.strict {
        report.require_all(&Brief(&path).to_string(), "the module does not have")?;
    }
    let largest = report.matched.iter().filter(|matched| matched.is_cast()).map(Matched::bytes).max();
    let limit = engine.memory_limit(usize::MAX);
    if let Some(bytes) = largest.filter(|bytes| *bytes > limit as u64) {
        return Err(too_large(&path, bytes, limit));
    }
    check_ties(engine, &report.matched, &path)?;
    for matched in &report.matched {
        if matched.is_cast() {
            engine.assign(&matched.named.tensor, &matched.read()?)?;
        } else {
            arrays.fill_tensor(&matched.saved.name(), engine, &matched.named.tensor)?;
        }
    }
    Ok(if options.strict { Value::Null } else { report.to_value() })
}
