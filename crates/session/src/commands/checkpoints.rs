//! `save(path, objects)`, `serialize(objects)` and `inspect(path)`: everything that a run consists of in one file.

use std::io::Cursor;
use std::path::Path;

use stepwell_checkpoint::{write, write_file};
use stepwell_optim::{Code, Error, Result, Shared, SharedCell};

use crate::commands::arguments::Arguments;
use crate::commands::saved_arrays::{SavedArray, headers};
use crate::commands::saved_file::{entries_of, open};
use crate::commands::saved_run::{Description, describe};
use crate::commands::sharded_file;
use crate::commands::state::Buffers;
use crate::engine::Engine;
use crate::session::Session;
use crate::training::bound_optimizer::BoundOptimizer;
use crate::values::element_bytes::dtype_of;
use crate::values::json;
use crate::values::value::Value;

/// The place of bytes that are written in messages.
const RUN: &str = "the run";

/// `save(path, objects)`. If processes share the state of an optimizer, each calls it.
pub(crate) fn save<E: Engine>(session: &Session<E>, path: &str, mut arguments: Arguments) -> Result<Value> {
    let objects = arguments.run_objects()?;
    arguments.finish()?;
    let bound = sharded(session, &objects);
    if !bound.is_empty() {
        sharded_file::save(session, path, objects, &bound)?;
        return Ok(Value::Null);
    }
    let Description { content, arrays } = describe(session, objects, Buffers::Whole)?;
    write_arrays(&session.engine, path, &arrays, &content)?;
    Ok(Value::Null)
}

/// The optimizers among these objects whose state processes share.
fn sharded<E: Engine>(session: &Session<E>, objects: &[(String, Value)]) -> Vec<Shared<SharedCell<BoundOptimizer<E>>>> {
    let optimizers = objects.iter().filter_map(|(_, object)| {
        let Value::Handle(handle) = object else { return None };
        session.shared_optimizer(*handle).ok()
    });
    optimizers.filter(|bound| bound.borrow().sharding.is_some()).map(Shared::clone).collect()
}

/// Writes a file of arrays with a description, each from its own memory.
pub(crate) fn write_arrays<E: Engine>(engine: &E, path: &str, arrays: &[SavedArray<E>], content: &str) -> Result<()> {
    write_file(Path::new(path), &headers(arrays), content, &mut |i, sink| arrays[i].write(engine, path, sink))
}

/// `serialize(objects)`: the bytes of the file that `save(path, objects)` writes.
pub(crate) fn serialize<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let Description { content, arrays } = describe(session, arguments.run_objects()?, Buffers::Whole)?;
    arguments.finish()?;
    let mut output = Cursor::new(Vec::new());
    write(RUN, &mut output, &headers(&arrays), &content, &mut |i, sink| arrays[i].write(&session.engine, RUN, sink))?;
    Ok(Value::Bytes(output.into_inner()))
}

/// `inspect(path)`: what a file holds, without its elements.
pub(crate) fn inspect<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let path = arguments.text("a path")?;
    arguments.finish()?;
    let saved = open(&path, session.engine.memory_limit(usize::MAX))?;
    let tensors = saved.tensors().map(|tensor| {
        let (word, shape) = tensor.type_and_shape();
        let shape = shape.iter().map(|size| Value::Number(*size as f64)).collect();
        Value::object([
            ("name", Value::string(tensor.name())),
            ("dtype", Value::string(dtype_of(word).map_or(word, |dtype| dtype.name()))),
            ("shape", Value::Array(shape)),
            ("bytes", Value::Number(tensor.bytes() as f64)),
        ])
    });
    let tensors = Value::Array(tensors.collect());
    let mut objects = Vec::new();
    if let Some(content) = saved.content() {
        let read = json::read(content).map_err(|problem| Error::new(Code::Format, problem))?;
        for (name, entry) in entries_of(read, "objects")? {
            let kind = match entry {
                Value::Object(entries) => entries.into_iter().find(|(key, _)| key == "kind").map(|(_, kind)| kind),
                _ => None,
            };
            objects.push((name, kind.unwrap_or(Value::Null)));
        }
    }
    let text = |text: Option<&str>| text.map_or(Value::Null, Value::string);
    Ok(Value::object([
        ("version", saved.version().map_or(Value::Null, |version| Value::Number(version as f64))),
        ("sha256", text(saved.checksum())),
        ("bytes", Value::Number(saved.bytes() as f64)),
        ("objects", Value::Object(objects)),
        ("tensors", tensors),
    ]))
}
