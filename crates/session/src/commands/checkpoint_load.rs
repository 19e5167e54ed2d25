//! `load(path, [objects], [options])`: the objects of a file, set in what is given, or made anew. All or nothing.

use stepwell_optim::{Code, Error, OptionSet, Result, defaults, options, parse};

use crate::commands::arguments::Arguments;
use crate::commands::loaded_run::{KINDS, LoadedRun, Made, kind_of};
use crate::commands::saved_file::{entries_of, malformed, open, too_large};
use crate::commands::state_entries::{dictionary, find, text};
use crate::engine::Engine;
use crate::random::Random;
use crate::session::Session;
use crate::values::convert::named_options;
use crate::values::element_bytes::{dtype_of, read_elements};
use crate::values::json;
use crate::values::named_arrays::put;
use crate::values::value::{NumericArray, Value};

options! {
    /// How the file of a run is loaded.
    pub(crate) struct RunLoadOptions {
        /// Compare the file with its checksum.
        verify: bool = true;
        /// Set the generator of random numbers to its state in the file.
        generator: bool = true;
    }
}

/// `load(path, [objects], [options])`. Returns what was not given, by name.
pub(crate) fn load<E: Engine>(session: &mut Session<E>, path: &str, mut arguments: Arguments) -> Result<Value> {
    let given = arguments.options()?;
    let options = named_options(arguments.options()?)?;
    arguments.finish()?;
    let row = parse("load", RunLoadOptions::SPECS, &defaults(RunLoadOptions::SPECS), &[], &options)?;
    let options = RunLoadOptions::from_values(&row)?;

    let RunContent { mut objects, generator } = read(session, path, options.verify)?;
    for (name, _) in &given {
        if !objects.iter().any(|(known, _)| known == name) {
            let known: Vec<_> = objects.iter().map(|(known, _)| known.as_str()).collect();
            let message = format!("the file has no object `{name}`, only {}", known.join(", "));
            return Err(Error::new(Code::Argument, message));
        }
    }
    // An object can refer to one of a kind before its own.
    objects.sort_by_key(|(_, object)| KINDS.iter().position(|kind| Some(*kind) == kind_of(object)));
    let mut run =
        LoadedRun { session, modules: Vec::new(), optimizers: Vec::new(), changes: Vec::new(), made: Vec::new() };
    run.find_targets(&objects, &given)?;
    for (name, object) in objects {
        let target = given.iter().find(|(known, _)| *known == name).map(|(_, target)| target);
        run.prepare(&name, object, target).map_err(|error| error.within(&format!("`{name}`")))?;
    }
    let LoadedRun { changes, made, .. } = run;
    let made = insert_all(session, made)?;
    for change in changes {
        change.apply(session)?;
    }
    if let (true, Some(generator)) = (options.generator, generator) {
        session.random = generator;
    }
    Ok(made)
}

/// The content of a file.
struct RunContent {
    /// With their arrays.
    objects: Vec<(String, Value)>,
    generator: Option<Random>,
}

fn read<E: Engine>(session: &Session<E>, path: &str, verify: bool) -> Result<RunContent> {
    let limit = session.engine.memory_limit(usize::MAX);
    let saved = open(path, limit)?;
    if verify {
        saved.verify()?;
    }
    let of_module = || Error::new(Code::Format, format!("{path} holds tensors alone: load(module, path) reads them"));
    let content = json::read(saved.content().ok_or_else(of_module)?);
    let content = content.map_err(|problem| Error::new(Code::Format, problem))?;
    let generator = match &content {
        Value::Object(entries) => find(entries, "generator").map(random).transpose()?,
        _ => None,
    };
    let mut objects = entries_of(content, "objects")?;
    if objects.is_empty() {
        return Err(of_module());
    }
    if saved.bytes() > limit as u64 {
        return Err(too_large(path, saved.bytes(), limit));
    }
    for (_, object) in &mut objects {
        put(object, &mut |name| {
            let missing = || Error::new(Code::Format, format!("the file has no tensor `{name}`"));
            let tensor = saved.find(name).ok_or_else(missing)?;
            let (word, shape) = tensor.type_and_shape();
            let dtype = dtype_of(word).ok_or_else(|| Error::new(Code::Dtype, format!("`{name}` is of type {word}")))?;
            let shape = shape.into_iter().map(|size| size as usize).collect();
            Ok(NumericArray { data: read_elements(&tensor, dtype)?, shape })
        })?;
    }
    Ok(RunContent { objects, generator })
}

/// The generator of its state.
fn random(state: &Value) -> Result<Random> {
    let entries = dictionary("generator", state)?;
    let digits = text(entries, "key")?;
    let mut key = [0; 32];
    let pairs = digits.as_bytes().as_chunks::<2>().0;
    let valid = digits.len() == 2 * key.len() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    for (byte, pair) in key.iter_mut().zip(pairs) {
        let pair = std::str::from_utf8(pair).unwrap_or_default();
        *byte = u8::from_str_radix(pair, 16).unwrap_or_default();
    }
    let position = text(entries, "position")?.parse();
    match position {
        Ok(position) if valid => Ok(Random::from_state(key, position)),
        _ => Err(malformed("the key and the position of a generator")),
    }
}

/// Gives every new object its handle, all or none.
fn insert_all<E: Engine>(session: &mut Session<E>, made: Vec<(String, Made<E>)>) -> Result<Value> {
    let (mut entries, mut objects) = (Vec::new(), Vec::new());
    for (name, made) in made {
        match made {
            Made::Data(value) => entries.push((name, value)),
            Made::Object(object) => {
                entries.push((name, Value::Undefined));
                objects.push(object);
            }
        }
    }
    let Value::Array(handles) = session.insert_all(objects)? else { return Err(malformed("handles")) };
    let mut handles = handles.into_iter();
    for (_, value) in &mut entries {
        if *value == Value::Undefined {
            *value = handles.next().unwrap_or(Value::Null);
        }
    }
    Ok(Value::Object(entries))
}
