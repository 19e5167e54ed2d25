//! `load(path, [objects], [options])` and `deserialize(bytes, [objects], [options])`: the objects of a file, set in what is given,
//! or made anew. All or nothing.

use stepwell_optim::{Brief, Code, Error, OptionSet, Result, defaults, options, parse};

use crate::commands::arguments::Arguments;
use crate::commands::array_store::ArrayStore;
use crate::commands::loaded_run::LoadedRun;
use crate::commands::run_changes::{Made, Prepared};
use crate::commands::run_part::Part;
use crate::commands::run_sources::{KINDS, kind_of};
use crate::commands::saved_file::{SavedFile, entries_of, malformed, of_bytes, open};
use crate::commands::selection::{SELECTING, Selection};
use crate::commands::state_entries::{dictionary, find, text};
use crate::engine::Engine;
use crate::random::{KEY_WORDS, Random};
use crate::session::Session;
use crate::values::convert::{also_known, named_options};
use crate::values::handle::ObjectKind;
use crate::values::json;
use crate::values::named_arrays::check_unique;
use crate::values::value::Value;

options! {
    /// How the file of a run is loaded.
    pub(crate) struct RunLoadOptions {
        /// Compare the file with its checksum.
        verify: bool = true;
        /// Refuse a file whose names, shapes or types differ from the given objects.
        strict: bool = true;
        /// Set the generator of random numbers to its state in the file; null: unless `only` or `strict` leave parts out.
        generator: Option<bool> = None;
    }
}

/// Arguments of a load after the file.
pub(crate) struct Request {
    /// Objects to be set by their names.
    given: Vec<(String, Value)>,
    selection: Selection,
    options: RunLoadOptions,
}

impl Request {
    /// The arguments after the file.
    pub(crate) fn parse(command: &str, mut arguments: Arguments) -> Result<Self> {
        let given = arguments.options()?;
        let mut options = arguments.options()?;
        arguments.finish()?;
        let selection = Selection::take(&mut options)?;
        let options = named_options(options)?;
        let row = parse(command, RunLoadOptions::SPECS, &defaults(RunLoadOptions::SPECS), &[], &options)
            .map_err(|error| also_known(error, SELECTING))?;
        let request = Self { given, selection, options: RunLoadOptions::from_values(&row)? };
        if request.given.is_empty() && !request.makes_objects() {
            let option = if request.options.strict { "rename" } else { "strict: false" };
            let message = format_args!("{option}: expected objects to be set, by their names");
            return Err(Error::new(Code::Argument, message));
        }
        Ok(request)
    }

    /// Whether objects that are not given are made anew. With other names, and where a report is the result, only given ones are set.
    fn makes_objects(&self) -> bool {
        self.options.strict && !self.selection.renames()
    }

    /// Whether an object of the file may be absent under the name of a given one, since its tensors have other names.
    fn may_be_absent(&self, target: &Value) -> bool {
        let has_tensors = |kind| !matches!(kind, ObjectKind::Optimizer | ObjectKind::Model | ObjectKind::Loss);
        self.selection.renames() && matches!(target, Value::Handle(handle) if handle.kind().is_some_and(has_tensors))
    }

    /// Makes the objects of a file, and checks given ones. Also the state of the generator.
    fn prepare<E: Engine>(
        &self,
        session: &mut Session<E>,
        arrays: &ArrayStore,
    ) -> Result<(Prepared<E>, Option<Random>)> {
        let makes_objects = self.makes_objects();
        let content = content_of(&arrays.0)?;
        let generator = match &content {
            Value::Object(entries) => find(entries, "generator").map(random_of).transpose()?,
            _ => None,
        };
        let mut objects = entries_of(content, "objects")?;
        for (name, target) in &self.given {
            if !objects.iter().any(|(known, _)| known == name) && !self.may_be_absent(target) {
                let known: Vec<_> = objects.iter().map(|(known, _)| known.as_str()).collect();
                let message = format_args!("the file has no object `{name}`, only {}", known.join(", "));
                return Err(Error::new(Code::Argument, message));
            }
        }
        let limit = session.engine.memory_limit(usize::MAX);
        if makes_objects && self.given.len() < objects.len() && arrays.bytes() > limit as u64 {
            let message = format_args!("the file needs {} bytes, more than the limit of {limit}", arrays.bytes());
            return Err(Error::new(Code::Memory, message));
        }
        // An object can refer to one of a kind before its own.
        objects.sort_by_key(|(_, object)| KINDS.iter().position(|kind| Some(*kind) == kind_of(object)));
        let mut run = LoadedRun::new(session, arrays);
        run.find_targets(&objects, &self.given)?;
        if !(self.options.strict && self.selection.is_all()) {
            run.prepare_part(&objects, &self.given, Part::new(&self.selection, self.options.strict))?;
        }
        run.make_modules_of_models(&objects, &self.given)?;
        for (name, object) in objects {
            let target = self.given.iter().find(|(known, _)| *known == name).map(|(_, target)| target);
            run.prepare(&name, object, target).map_err(|error| error.within(&format!("`{name}`")))?;
        }
        Ok((run.finish(), generator))
    }

    /// Loads the objects of a file. Returns what was not given, by name; a report unless `strict`.
    ///
    /// The checksum is compared before a given object changes. Unless there is any, it is computed while elements are read into new
    /// objects. The error of a damaged file is the one of its checksum.
    pub(crate) fn run<E: Engine>(self, session: &mut Session<E>, mut saved: SavedFile) -> Result<Value> {
        if self.options.verify {
            saved.verify_while_reading()?;
            if !self.given.is_empty() {
                saved.verify()?;
            }
        }
        let arrays = ArrayStore(saved);
        let prepared = self.prepare(session, &arrays);
        if self.options.verify {
            arrays.0.verify()?;
        }
        let (Prepared { made, changes, report }, generator) = prepared?;
        let made = insert_all(session, made)?;
        for change in changes {
            change.apply(session, &arrays)?;
        }
        let is_whole = self.options.strict && self.selection.is_whole_run();
        if let (true, Some(generator)) = (self.options.generator.unwrap_or(is_whole), generator) {
            session.random = generator;
        }
        Ok(report.unwrap_or(made))
    }
}

/// `load(path, [objects], [options])`.
pub(crate) fn load<E: Engine>(session: &mut Session<E>, path: &str, arguments: Arguments) -> Result<Value> {
    let request = Request::parse("load", arguments)?;
    let saved = open(path, session.engine.memory_limit(usize::MAX))?;
    request.run(session, saved)
}

/// `deserialize(bytes, [objects], [options])`.
pub(crate) fn deserialize<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let bytes = match arguments.next() {
        Value::Bytes(bytes) => bytes,
        other => return Err(arguments.argument_error("a Uint8Array", &other)),
    };
    let request = Request::parse("deserialize", arguments)?;
    let saved = of_bytes(bytes, session.engine.memory_limit(usize::MAX))?;
    request.run(session, saved)
}

/// The description of a run.
fn content_of(saved: &SavedFile) -> Result<Value> {
    let of_module = || {
        let place = Brief(saved.place());
        Error::new(Code::Format, format!("{place} holds tensors alone: load(module, path) reads them"))
    };
    let content = json::read(saved.content().ok_or_else(of_module)?);
    let content = content.map_err(|problem| Error::new(Code::Format, problem))?;
    if matches!(&content, Value::Object(entries) if find(entries, "objects").is_none()) {
        return Err(of_module());
    }
    check_unique(&content)?;
    Ok(content)
}

/// The generator of a state.
fn random_of(state: &Value) -> Result<Random> {
    let entries = dictionary("generator", state)?;
    let digits = text(entries, "key")?;
    let mut words = [0; KEY_WORDS];
    let groups = digits.as_bytes().as_chunks::<8>().0;
    let is_valid = digits.len() == 8 * KEY_WORDS && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    for (word, group) in words.iter_mut().zip(groups) {
        let number = std::str::from_utf8(group).ok().and_then(|group| u32::from_str_radix(group, 16).ok());
        *word = number.unwrap_or_default().swap_bytes();
    }
    match text(entries, "position")?.parse() {
        Ok(position) if is_valid => Ok(Random::from_state(words, position)),
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
