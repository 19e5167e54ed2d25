//! The differences of a file and of the tensors that it is loaded into, by name.

use std::collections::HashSet;

use stepwell_checkpoint::{ReadAt, SavedTensor};
use stepwell_optim::{Brief, Code, Error, Result};

use crate::commands::selection::SavedNames;
use crate::engine::Engine;
use crate::nn::layers::normalization::running::may_be_missing;
use crate::nn::module::Named;
use crate::values::data::Data;
use crate::values::dedupe::first_positions;
use crate::values::dtype::Dtype;
use crate::values::element_bytes::{dtype_of, read_elements};
use crate::values::value::Value;

/// Fails if a file has two values for a tensor of two names: one of them would be lost.
pub(crate) fn check_ties<E: Engine>(engine: &E, matched: &[Matched<'_, E>], path: &str) -> Result<()> {
    let mut identities = Vec::new();
    for matched in matched {
        identities.push(engine.identity(&matched.named.tensor));
    }
    for (i, first) in first_positions(&identities)?.into_iter().enumerate() {
        if i != first && !has_equal_bits(&matched[i].read()?, &matched[first].read()?) {
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
pub(crate) fn saved_names<E: Engine>(
    engine: &E,
    tensors: Vec<Named<E>>,
    saved: &SavedNames<'_>,
) -> Result<Vec<Named<E>>> {
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
pub(crate) struct LoadReport<'a, E: Engine> {
    pub(crate) matched: Vec<Matched<'a, E>>,
    /// Names that only the module has.
    missing: Vec<&'a str>,
    /// The names that the module has.
    known: HashSet<&'a str>,
    names: &'a SavedNames<'a>,
    mismatched: Vec<Mismatched<'a>>,
}

/// A tensor of a module with the one of a file.
pub(crate) struct Matched<'a, E: Engine> {
    pub(crate) named: &'a Named<E>,
    dtype: Dtype,
    pub(crate) saved: SavedTensor<'a, Box<dyn ReadAt>>,
    saved_dtype: Dtype,
}

impl<E: Engine> Matched<'_, E> {
    pub(crate) fn is_cast(&self) -> bool {
        self.saved_dtype != self.dtype
    }

    /// The elements of the file, as the module's type.
    pub(crate) fn read(&self) -> Result<Data> {
        read_elements(&self.saved, self.saved_dtype)?.cast(self.dtype)
    }

    /// Bytes that its elements take, of its type in the file or in the module.
    pub(crate) fn bytes(&self) -> u64 {
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
    pub(crate) fn of(engine: &E, tensors: &'a [Named<E>], names: &'a SavedNames<'a>, cast: bool) -> Result<Self> {
        let (mut matched, mut missing, mut mismatched) = (Vec::new(), Vec::new(), Vec::new());
        for named in tensors {
            let Some(found) = names.find(&named.name) else {
                if !may_be_missing(named.kind, &named.name) {
                    missing.push(named.name.as_str());
                }
                continue;
            };
            let dtype = engine.dtype(&named.tensor)?;
            let shape: Vec<u64> = engine.shape(&named.tensor)?.into_iter().map(|size| size as u64).collect();
            let (word, saved_shape) = found.type_and_shape();
            let saved_dtype = dtype_of(word);
            let castable = |from: Dtype| cast && from.is_floating() && dtype.is_floating();
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
        let known = tensors.iter().map(|named| named.name.as_str()).collect();
        Ok(Self { matched, missing, mismatched, known, names })
    }

    /// Tensors that only the file has; there may be a million.
    fn unexpected(&self) -> impl Iterator<Item = SavedTensor<'_, Box<dyn ReadAt>>> {
        self.names.tensors().filter(|(name, _)| !self.known.contains(&**name)).map(|(_, tensor)| tensor)
    }

    /// Fails unless file and module have the same tensors; `lacks` says who has others.
    pub(crate) fn require_all(&self, path: &str, lacks: &str) -> Result<()> {
        if let Some(tensor) = self.unexpected().next() {
            let name = tensor.name();
            return Err(Error::new(Code::Format, format_args!("{path} holds `{}`, which {lacks}", Brief(&name))));
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

    pub(crate) fn to_value(&self) -> Value {
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
