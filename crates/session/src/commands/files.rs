//! Modules in files; `save(path, ..)` and `load(path, ..)` of a whole run go on in `checkpoints`.

use std::collections::HashSet;
use std::path::Path;

use stepwell_checkpoint::{RegularFile, SavedTensor, TensorHeader, write_file};
use stepwell_optim::{Brief, Code, Error, OptionSet, Result, Results, defaults, options, parse};

use crate::commands::arguments::Arguments;
pub(crate) use crate::commands::checkpoints::inspect;
use crate::commands::saved_file::{SavedFile, failed, open, too_large};
use crate::commands::{checkpoint_load, checkpoints};
use crate::engine::Engine;
use crate::nn::layers::normalization::running::may_be_missing;
use crate::nn::module::Named;
use crate::nn::ties::distinct;
use crate::session::Session;
use crate::values::convert::named_options;
use crate::values::data::Data;
use crate::values::dedupe::first_positions;
use crate::values::dtype::Dtype;
use crate::values::element_bytes::{dtype_of, read_elements, word, write_elements};
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
    let header_of = |Named { name, tensor, .. }: &Named<E>| {
        Ok(TensorHeader { name: name.clone(), dtype: word(engine.dtype(tensor)?), shape: engine.shape(tensor)? })
    };
    let headers = tensors.iter().map(header_of).values()?;
    write_file(Path::new(&path), &headers, "{}", &mut |i, sink| {
        write_elements(sink, &engine.data(&tensors[i].tensor)?).map_err(|error| failed("write", &path, &error))
    })?;
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
    let given = named_options(arguments.options()?)?;
    arguments.finish()?;
    let row = parse("load", LoadOptions::SPECS, &defaults(LoadOptions::SPECS), &[], &given)?;
    let options = LoadOptions::from_values(&row)?;

    let engine = &session.engine;
    let limit = engine.memory_limit(usize::MAX);
    let saved = open(&path, limit)?;
    if options.verify {
        saved.verify()?;
    }
    let tensors = saved_names(engine, module.parameters_and_buffers(), &saved)?;
    session.check_not_line_searched(&mut tensors.iter().map(|named| &named.tensor))?;
    let report = LoadReport::of(engine, &tensors, &saved, &options)?;
    if options.strict {
        report.require_all(&Brief(&path).to_string())?;
    }
    let bytes = report.matched.iter().map(Matched::bytes).fold(0, u64::saturating_add);
    if bytes > limit as u64 {
        return Err(too_large(&path, bytes, limit));
    }
    let read = |matched: &Matched<'_, E>| -> Result<Data> {
        read_elements(&matched.saved, matched.saved_dtype)?.cast(matched.dtype)
    };
    let values = report.matched.iter().map(read).values()?;
    check_ties(engine, &report.matched, &values, &path)?;
    for (matched, data) in report.matched.iter().zip(&values) {
        engine.assign(&matched.named.tensor, data)?;
    }
    Ok(if options.strict { Value::Null } else { report.to_value() })
}

/// Fails if a file has two values for a tensor of two names: one of them would be lost.
fn check_ties<E: Engine>(engine: &E, matched: &[Matched<'_, E>], values: &[Data], path: &str) -> Result<()> {
    let mut identities = Vec::new();
    for matched in matched {
        identities.push(engine.identity(&matched.named.tensor));
    }
    for (i, first) in first_positions(&identities)?.into_iter().enumerate() {
        if !has_equal_bits(&values[i], &values[first]) {
            let [one, other] = [first, i].map(|at| &matched[at].named.name);
            let message = format!(
                "`{one}` and `{other}` are one tensor of the module: expected equal elements, given others in {}",
                Brief(path)
            );
            return Err(Error::new(Code::Format, message));
        }
    }
    Ok(())
}

/// Whether elements are equal to the bit, NaN too.
fn has_equal_bits(a: &Data, b: &Data) -> bool {
    match (a, b) {
        (Data::Float(a), Data::Float(b)) => a.iter().map(|x| x.to_bits()).eq(b.iter().map(|x| x.to_bits())),
        (Data::Double(a), Data::Double(b)) => a.iter().map(|x| x.to_bits()).eq(b.iter().map(|x| x.to_bits())),
        (Data::Half(a), Data::Half(b)) => a.iter().map(|x| x.to_bits()).eq(b.iter().map(|x| x.to_bits())),
        (Data::BFloat16(a), Data::BFloat16(b)) => a.iter().map(|x| x.to_bits()).eq(b.iter().map(|x| x.to_bits())),
        _ => a == b,
    }
}

/// The tensors under the names that a file has. It may have a tensor of several names under any of them; under all,
/// they must be equal.
fn saved_names<E: Engine>(engine: &E, tensors: Vec<Named<E>>, saved: &SavedFile) -> Result<Vec<Named<E>>> {
    let mut identities = Vec::new();
    for named in &tensors {
        identities.push(engine.identity(&named.tensor));
    }
    let positions = first_positions(&identities)?;
    let mut is_saved = vec![false; tensors.len()];
    for (named, first) in tensors.iter().zip(&positions) {
        is_saved[*first] |= saved.find(&named.name).is_some();
    }
    let mut position = 0;
    let mut kept = tensors;
    kept.retain(|named| {
        let first = positions[position];
        position += 1;
        // Without any of its names the first one is missing.
        saved.find(&named.name).is_some() || (!is_saved[first] && first + 1 == position)
    });
    Ok(kept)
}

/// The differences between a file and a module.
struct LoadReport<'a, E: Engine> {
    matched: Vec<Matched<'a, E>>,
    /// Names that only the module has.
    missing: Vec<&'a str>,
    /// The names that the module has.
    names: HashSet<&'a str>,
    saved: &'a SavedFile,
    mismatched: Vec<Mismatched<'a>>,
}

/// A tensor of a module with the one of a file.
struct Matched<'a, E: Engine> {
    named: &'a Named<E>,
    dtype: Dtype,
    saved: SavedTensor<'a, RegularFile>,
    saved_dtype: Dtype,
}

impl<E: Engine> Matched<'_, E> {
    /// Bytes that its elements take, of its type in the file or in the module.
    fn bytes(&self) -> u64 {
        let saved = self.saved.bytes();
        saved.max(saved / self.saved_dtype.size() as u64 * self.dtype.size() as u64)
    }
}

/// A tensor of a module whose shape or dtype differs in the file.
struct Mismatched<'a> {
    name: &'a str,
    /// [`Code::Shape`] or [`Code::Dtype`].
    code: Code,
    expected: (&'static str, Vec<u64>),
    given: (&'static str, Vec<u64>),
}

impl<'a, E: Engine> LoadReport<'a, E> {
    fn of(engine: &E, tensors: &'a [Named<E>], saved: &'a SavedFile, options: &LoadOptions) -> Result<Self> {
        let (mut matched, mut missing, mut mismatched) = (Vec::new(), Vec::new(), Vec::new());
        for named in tensors {
            let Some(found) = saved.find(&named.name) else {
                if !may_be_missing(named.kind, &named.name) {
                    missing.push(named.name.as_str());
                }
                continue;
            };
            let dtype = engine.dtype(&named.tensor)?;
            let shape: Vec<u64> = engine.shape(&named.tensor)?.into_iter().map(|size| size as u64).collect();
            let (word, saved_shape) = found.type_and_shape();
            let saved_dtype = dtype_of(word);
            let castable = |from: Dtype| options.cast && from.is_floating() && dtype.is_floating();
            match saved_dtype.filter(|from| *from == dtype || castable(*from)) {
                Some(saved_dtype) if saved_shape == shape => {
                    matched.push(Matched { named, dtype, saved: found, saved_dtype });
                }
                fits => mismatched.push(Mismatched {
                    name: &named.name,
                    code: if fits.is_some() || saved_shape != shape { Code::Shape } else { Code::Dtype },
                    expected: (dtype.name(), shape),
                    given: (saved_dtype.map_or(word, Dtype::name), saved_shape),
                }),
            }
        }
        let names = tensors.iter().map(|named| named.name.as_str()).collect();
        Ok(Self { matched, missing, mismatched, names, saved })
    }

    /// Tensors that only the file has; there may be a million.
    fn unexpected(&self) -> impl Iterator<Item = SavedTensor<'_, RegularFile>> {
        self.saved.tensors().filter(|tensor| !self.names.contains(&*tensor.name()))
    }

    /// Fails unless file and module have the same tensors.
    fn require_all(&self, path: &str) -> Result<()> {
        if let Some(tensor) = self.unexpected().next() {
            let name = tensor.name();
            return Err(Error::new(
                Code::Format,
                format_args!("{path} holds `{}`, which the module does not have", Brief(&name)),
            ));
        }
        if let Some(name) = self.missing.first() {
            return Err(Error::new(Code::Format, format_args!("{path} lacks `{name}`")));
        }
        let Some(Mismatched { name, code, expected, given }) = self.mismatched.first() else { return Ok(()) };
        let text = |(dtype, shape): &(&str, Vec<u64>)| format!("{dtype} {shape:?}");
        let hint = if *code == Code::Dtype { "; { cast: true } converts types of floating point" } else { "" };
        let message = format!("`{name}`: expected {}, given {} in {path}{hint}", text(expected), text(given));
        Err(Error::new(*code, message))
    }

    fn to_value(&self) -> Value {
        let side = |(dtype, shape): &(&str, Vec<u64>)| {
            let shape = shape.iter().map(|size| Value::Number(*size as f64)).collect();
            Value::object([("dtype", Value::string(*dtype)), ("shape", Value::Array(shape))])
        };
        let mismatched = self.mismatched.iter().map(|mismatched| {
            Value::object([
                ("name", Value::string(mismatched.name)),
                ("expected", side(&mismatched.expected)),
                ("given", side(&mismatched.given)),
            ])
        });
        Value::object([
            ("missing", Value::strings(self.missing.iter().copied())),
            ("unexpected", Value::strings(self.unexpected().map(|tensor| tensor.name().into_owned()))),
            ("mismatched", Value::Array(mismatched.collect())),
        ])
    }
}
