//! `save(path, objects)` by the processes that share the state of an optimizer. Each writes the parameters and the state that it owns into
//! one file, and rank 0 writes the rest.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;

use stepwell_checkpoint::{SharedFile, Sink, TensorHeader};
use stepwell_optim::{Code, Error, Part, Result, Shared, SharedCell, SharedRef};

use crate::commands::saved_arrays::{Elements, SavedArray, headers};
use crate::commands::saved_file::failed;
use crate::commands::saved_run::{Description, describe};
use crate::commands::state::Buffers;
use crate::commands::steps::check_turn;
use crate::engine::Engine;
use crate::session::Session;
use crate::training::bound_optimizer::BoundOptimizer;
use crate::training::data_parallel::optimizer_text;
use crate::training::same_objects::{self, Digest, PartKind, check_same};
use crate::training::sharding::Sharding;
use crate::values::element_bytes::write_elements;
use crate::values::handle::ObjectKind;
use crate::values::value::Value;

type Optimizers<E> = [Shared<SharedCell<BoundOptimizer<E>>>];

/// The contribution of a process to a file.
struct Contribution<E: Engine> {
    arrays: Vec<SavedArray<E>>,
    headers: Vec<TensorHeader>,
    /// On rank 0.
    file: Option<SharedFile>,
}

/// Saves objects with the sharded optimizers among them. The file is replaced once all processes have written their parts, or it stays as it
/// was and all fail.
pub(crate) fn save<E: Engine>(
    session: &Session<E>,
    path: &str,
    objects: Vec<(String, Value)>,
    optimizers: &Optimizers<E>,
) -> Result<()> {
    let Some(sharding) = optimizers.iter().find_map(|bound| bound.borrow().sharding.clone()) else {
        return Err(Error::new(Code::Internal, "no processes share a state"));
    };
    check_turn(session)?;
    check_same(&*sharding.group, &named_parts(session, path, &objects))?;
    let owners = Owners::of(&session.engine, optimizers);
    let own = contribution(session, path, objects, sharding.rank());
    let (Contribution { arrays, headers, mut file }, rows) = sharding.exchange(own, announced, ANNOUNCED)?;
    check_same(&*sharding.group, &owners.owned_parts(&session.engine, &arrays))?;
    let is_first = sharding.rank() == 0;
    let (common, place) = rows[0].split_at(COMMON);
    let has_common = common[..MACHINE] != [0.0; MACHINE] && rows.iter().all(|row| row[..COMMON] == *common);
    if has_common && !is_first {
        // Another folder may have this path here.
        file = SharedFile::open(Path::new(path), &headers, place).ok();
    }
    let is_shared = has_common && !sharding.any(Ok(file.is_none()))?;
    let file = file.filter(|_| is_shared || is_first);
    let writer = Writer { engine: &session.engine, path, sharding: &sharding, owners, arrays };
    let shared = file.as_ref().filter(|_| is_shared);
    let written = shared.map_or_else(|| writer.gather(file.as_ref()), |file| writer.write_own(file));
    let digests = |_: &()| shared.map_or_else(Vec::new, SharedFile::digests);
    let ((), rows) = sharding.exchange(written, digests, shared.map_or(0, SharedFile::digest_numbers))?;
    let committed = match file {
        Some(file) if is_first => {
            rows.iter().for_each(|digests| file.add_digests(digests));
            file.commit()
        }
        _ => Ok(()),
    };
    sharding.any(committed.map(|()| true))?;
    Ok(())
}

/// The path, and the names and kinds of the objects. Of each optimizer also its number, since another one may have its name on another process.
fn named_parts<E: Engine>(session: &Session<E>, path: &str, objects: &[(String, Value)]) -> Vec<same_objects::Part> {
    let mut texts = vec![format!("the path {path:?}")];
    for (name, object) in objects {
        let Value::Handle(handle) = object else {
            texts.push(format!("plain data `{name}`"));
            continue;
        };
        let kind = handle.kind().map_or_else(|| "an object".to_owned(), ObjectKind::with_article);
        let number =
            session.shared_optimizer(*handle).ok().and_then(|bound| Some(bound.borrow().sharding.as_ref()?.number));
        texts.push(match number {
            Some(number) => format!("{kind} `{name}`, {}", optimizer_text(number)),
            None => format!("{kind} `{name}`"),
        });
    }
    texts.into_iter().map(|text| same_objects::Part { kind: PartKind::Object, text }).collect()
}

/// Describes the objects, and makes the scratch file on rank 0.
fn contribution<E: Engine>(
    session: &Session<E>,
    path: &str,
    objects: Vec<(String, Value)>,
    rank: usize,
) -> Result<Contribution<E>> {
    let Description { content, arrays } = describe(session, objects, Buffers::InParts)?;
    let headers = headers(&arrays);
    let file = if rank == 0 { Some(SharedFile::create(Path::new(path), &headers, &content)?) } else { None };
    Ok(Contribution { arrays, headers, file })
}

/// Numbers of the machine, and numbers of the machine and the arrays. If the latter are the same on all processes, these can write one file.
const MACHINE: usize = 2;
const COMMON: usize = MACHINE + 2;
const ANNOUNCED: usize = COMMON + SharedFile::PLACE_NUMBERS;

fn announced<E: Engine>(Contribution { headers, file, .. }: &Contribution<E>) -> Vec<f64> {
    let mut text = String::new();
    for TensorHeader { name, dtype, shape } in headers {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name:?} {dtype} {shape:?}");
    }
    let mut digest = Digest::default();
    digest.add(text.as_bytes());
    let place = file.as_ref().map_or([0.0; SharedFile::PLACE_NUMBERS], SharedFile::place);
    [machine(), digest.numbers()].concat().into_iter().chain(place).collect()
}

/// A digest of this machine since its start. Zeros on systems that do not tell. Processes of one machine have the pages of a file in common. Of
/// a page that two machines write, a network file system may lose bytes.
fn machine() -> [f64; MACHINE] {
    let Ok(text) = std::fs::read("/proc/sys/kernel/random/boot_id") else { return [0.0; MACHINE] };
    let mut digest = Digest::default();
    digest.add(&text);
    digest.numbers()
}

/// The arrays of a file with the processes that have them.
struct Writer<'a, E: Engine> {
    engine: &'a E,
    path: &'a str,
    sharding: &'a Sharding<E>,
    owners: Owners,
    arrays: Vec<SavedArray<E>>,
}

impl<E: Engine> Writer<'_, E> {
    /// Writes what this process owns.
    fn write_own(&self, file: &SharedFile) -> Result<()> {
        let rank = self.sharding.rank();
        for (index, array) in self.arrays.iter().enumerate() {
            let parts = self.owners.parts(self.engine, array);
            for part in parts.iter().filter(|part| part.owner == rank) {
                let bytes = bytes_of(array, part);
                let first = if buffer_in_parts(array).is_some() { bytes.start } else { 0 };
                file.write(index, bytes, first, &mut |sink| array.write(self.engine, self.path, sink))?;
            }
        }
        Ok(())
    }

    /// Writes everything into the file of rank 0, which gets the parts of the state from their owners one after the other.
    fn gather(&self, file: Option<&SharedFile>) -> Result<()> {
        // The other processes go on with the next part, also if a write has failed.
        let mut written = Ok(());
        let mut write = |index, bytes: Range<u64>, data: &mut dyn FnMut(&mut dyn Sink) -> Result<()>| {
            if let (Some(file), Ok(())) = (file, &written) {
                written = file.write(index, bytes.clone(), bytes.start, data);
            }
        };
        for (index, array) in self.arrays.iter().enumerate() {
            let Some((bound, parameter, buffer)) = buffer_in_parts(array) else {
                let all = Part { owner: 0, range: 0..array.shape.iter().product() };
                write(index, bytes_of(array, &all), &mut |sink| array.write(self.engine, self.path, sink));
                continue;
            };
            for part in self.owners.parts(self.engine, array) {
                let own = bound.optimizer.buffer(parameter, buffer).ok();
                let data = self.sharding.elements(self.engine, own, part.owner, array.dtype, part.range.len())?;
                write(index, bytes_of(array, &part), &mut |sink| {
                    write_elements(sink, &data).map_err(|error| failed("write", self.path, &error))
                });
            }
        }
        written
    }
}

/// The bytes of a part of an array.
fn bytes_of<E: Engine>(array: &SavedArray<E>, Part { range, .. }: &Part) -> Range<u64> {
    let size = array.dtype.size() as u64;
    range.start as u64 * size..range.end as u64 * size
}

/// An optimizer of which each process has a part of this buffer, with the position of the parameter and the index of the buffer.
fn buffer_in_parts<E: Engine>(array: &SavedArray<E>) -> Option<(SharedRef<'_, BoundOptimizer<E>>, usize, usize)> {
    let Elements::Buffer(bound, parameter, buffer) = &array.elements else { return None };
    let bound = bound.borrow();
    bound.sharding.is_some().then_some((bound, *parameter, *buffer))
}

/// The parameters of sharded optimizers with their owners, by the identities of their tensors in ascending order.
struct Owners(Vec<(u64, OwnedParameter)>);

/// A parameter of an optimizer, by the number of this and its position there.
struct OwnedParameter {
    optimizer: u64,
    position: usize,
    parts: Vec<Part>,
}

impl Owners {
    fn of<E: Engine>(engine: &E, optimizers: &Optimizers<E>) -> Self {
        let mut all = Vec::new();
        for bound in optimizers {
            let bound = bound.borrow();
            let Some(sharding) = &bound.sharding else { continue };
            let identities = bound.tensors().iter().map(|tensor| engine.identity(tensor));
            for (position, (identity, parts)) in identities.zip(sharding.parts()).enumerate() {
                all.push((identity, OwnedParameter { optimizer: sharding.number, position, parts: parts.clone() }));
            }
        }
        all.sort_by_key(|(identity, _)| *identity);
        // Of a parameter of several optimizers the first one counts, on each process.
        all.dedup_by_key(|(identity, _)| *identity);
        Self(all)
    }

    /// The arrays that owners write, each with the parameter that it belongs to.
    fn owned_parts<E: Engine>(&self, engine: &E, arrays: &[SavedArray<E>]) -> Vec<same_objects::Part> {
        let owned = arrays.iter().filter_map(|array| {
            let (optimizer, position) = match &array.elements {
                Elements::Buffer(bound, parameter, _) => (bound.borrow().sharding.as_ref()?.number, *parameter),
                Elements::Tensor(tensor) => {
                    let OwnedParameter { optimizer, position, .. } = self.parameter(engine.identity(tensor))?;
                    (*optimizer, *position)
                }
                Elements::Own(_) => return None,
            };
            let text = format!("`{}` of parameter {position} of {}", array.name, optimizer_text(optimizer));
            Some(same_objects::Part { kind: PartKind::Object, text })
        });
        owned.collect()
    }

    fn parameter(&self, identity: u64) -> Option<&OwnedParameter> {
        let found = self.0.binary_search_by_key(&identity, |(known, _)| *known).ok()?;
        Some(&self.0[found].1)
    }

    /// The parts of an array with their owners. All processes have equal parameters. Rank 0 owns what may differ.
    fn parts<E: Engine>(&self, engine: &E, array: &SavedArray<E>) -> Vec<Part> {
        let known = match &array.elements {
            // Another optimizer may own the same parameter in other parts.
            Elements::Buffer(bound, parameter, _) => {
                bound.borrow().sharding.as_ref().and_then(|sharding| sharding.parts().get(*parameter).cloned())
            }
            Elements::Tensor(tensor) => {
                self.parameter(engine.identity(tensor)).map(|parameter| parameter.parts.clone())
            }
            Elements::Own(_) => None,
        };
        known.unwrap_or_else(|| vec![Part { owner: 0, range: 0..array.shape.iter().product() }])
    }
}
