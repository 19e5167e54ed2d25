//! Functions of any object: kind, size, memory, and the end of its life.

use stepwell_optim::{Code, Error, Result, StateSize};

use crate::commands::arguments::Arguments;
use crate::engine::Engine;
use crate::nn::ties::distinct;
use crate::session::{Object, Session};
use crate::values::dedupe::first_positions;
use crate::values::handle::{Handle, ObjectKind};
use crate::values::value::{Entries, Value};

const ANY: &str = "a handle";

/// `free(x, ..)` frees objects; `free()` frees all. Nothing is freed unless every handle is live.
pub(crate) fn free<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    if arguments.is_empty() {
        session.check_none_stepping()?;
        session.clear();
        return Ok(Value::Null);
    }
    let mut handles = Vec::new();
    while !arguments.is_empty() {
        let handle = arguments.any_handle(ANY)?;
        #[cfg(not(target_family = "wasm"))]
        if session.table.is_lent(handle) {
            handles.push(handle);
            continue;
        }
        session.check_not_stepping(handle)?;
        session.check_not_held(handle)?;
        handles.push(handle);
    }
    let numbers: Vec<_> = handles.iter().map(|handle| handle.to_number() as u64).collect();
    if first_positions(&numbers)?.iter().enumerate().any(|(position, first)| *first < position) {
        return Err(Error::new(Code::HandleFreed, "the same handle is given twice"));
    }
    session.settle_scales()?;
    for handle in handles {
        session.remove(handle)?;
    }
    Ok(Value::Null)
}

/// `release(x, ..)`: frees the objects that live. The SDK calls it for forgotten handles, whose objects may have been
/// freed.
pub(crate) fn release<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    while !arguments.is_empty() {
        let handle = arguments.any_handle(ANY)?;
        // Only an object that was freed cannot be removed.
        let _ = session.remove(handle);
    }
    Ok(Value::Null)
}

/// `use(x, y)`: moves the object of `y` to the handle `x`, and frees `y`. Both have one kind.
pub(crate) fn use_<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let (handle, other) = (arguments.any_handle(ANY)?, arguments.any_handle(ANY)?);
    arguments.finish()?;
    let kind = |handle: Handle| {
        handle.kind().filter(|kind| matches!(kind, ObjectKind::Tensor | ObjectKind::Vector | ObjectKind::Dictionary))
    };
    session.object(handle)?;
    session.object(other)?;
    if kind(handle).is_none() || kind(handle) != kind(other) {
        return Err(Error::new(Code::HandleKind, "expected two tensors, two vectors or two dictionaries"));
    }
    if handle == other {
        return Err(Error::new(Code::Argument, "the same handle is given twice"));
    }
    session.check_not_held(handle)?;
    session.check_not_held(other)?;
    session.replace(handle, other)?;
    Ok(Value::Null)
}

/// `class(x)`: tensor, vector, dictionary, module, optimizer, loss or model.
pub(crate) fn class<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.any_handle(ANY)?;
    arguments.finish()?;
    session.object(handle)?;
    Ok(Value::string(handle.kind().as_ref().map_or_else(String::new, ObjectKind::to_string)))
}

/// `objtype(x)`: the kind of an optimizer, module or loss, the dtype of a tensor.
pub(crate) fn objtype<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.any_handle(ANY)?;
    arguments.finish()?;
    Ok(Value::string(match session.object(handle)? {
        Object::Optimizer(bound) => bound.borrow().optimizer.definition().name,
        Object::Loss(loss) => loss.name(),
        Object::Module(module) => module.kind,
        Object::Tensor(tensor) => session.engine.dtype(tensor)?.name(),
        Object::Vector(_) | Object::Dictionary(_) | Object::Model(_) => {
            return Err(Error::new(Code::HandleKind, "expected an optimizer, module, loss or tensor handle"));
        }
    }))
}

/// `size(x)`: the sizes of a tensor's dimensions, the number of tensors or parameters of anything else.
pub(crate) fn size<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.any_handle(ANY)?;
    arguments.finish()?;
    let count = match session.object(handle)? {
        Object::Tensor(tensor) => return Ok(Value::sizes(&session.engine.shape(tensor)?)),
        Object::Vector(tensors) => tensors.len(),
        Object::Dictionary(entries) => entries.len(),
        Object::Module(module) => distinct(&session.engine, module.parameters())?.len(),
        Object::Optimizer(bound) => bound.borrow().tensors().len(),
        Object::Loss(_) => 0,
        Object::Model(model) => distinct(&session.engine, model.module.parameters())?.len(),
    };
    Ok(Value::Number(count as f64))
}

/// `dim(x)`: the number of dimensions of a tensor.
pub(crate) fn dim<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.handle(ObjectKind::Tensor)?;
    arguments.finish()?;
    Ok(Value::Number(session.engine.shape(session.tensor(handle)?)?.len() as f64))
}

/// `itemsize(x)`: bytes of one element of a tensor.
pub(crate) fn itemsize<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.handle(ObjectKind::Tensor)?;
    arguments.finish()?;
    Ok(Value::Number(session.engine.dtype(session.tensor(handle)?)?.size() as f64))
}

/// `same(x, y)`: whether two handles are of one tensor, so that a change of one changes the other.
pub(crate) fn same<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let (x, y) = (arguments.handle(ObjectKind::Tensor)?, arguments.handle(ObjectKind::Tensor)?);
    arguments.finish()?;
    let identity = |handle| Ok::<_, Error>(session.engine.identity(session.tensor(handle)?));
    Ok(Value::Bool(identity(x)? == identity(y)?))
}

/// `info(x)`: the properties of a tensor, in the k-api's words.
pub(crate) fn info<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.handle(ObjectKind::Tensor)?;
    arguments.finish()?;
    let (engine, tensor) = (&session.engine, session.tensor(handle)?);
    let (shape, dtype) = (engine.shape(tensor)?, engine.dtype(tensor)?);
    let count: usize = shape.iter().product();
    let mut entries = Entries::new();
    entries.text("device", &engine.device(tensor)?.to_string());
    entries.text("dtype", dtype.name());
    entries.add("size", Value::sizes(&shape));
    entries.number("elements", count as f64);
    entries.number("bytes", (count * dtype.size()) as f64);
    entries.flag("gradient", engine.requires_grad(tensor));
    entries.flag("leaf", engine.is_leaf(tensor));
    Ok(entries.value())
}

/// `tensorcount(x)`: tensors of an object, or buffers in an optimizer's state.
pub(crate) fn tensorcount<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    counts(session, arguments).map(|counts| Value::Number(counts.tensors as f64))
}

/// `elements(x)`: elements of these tensors; a scalar in an optimizer's state counts as one.
pub(crate) fn elements<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    counts(session, arguments).map(|counts| Value::Number(counts.elements as f64))
}

/// `bytes(x)`: bytes of these tensors.
pub(crate) fn bytes<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    counts(session, arguments).map(|counts| Value::Number(counts.bytes as f64))
}

fn counts<E: Engine>(session: &Session<E>, mut arguments: Arguments) -> Result<StateSize> {
    let handle = arguments.any_handle(ANY)?;
    arguments.finish()?;
    let tensors = match session.object(handle)? {
        Object::Optimizer(bound) => return bound.borrow().state_size(),
        other => session.tensors_of(other)?,
    };
    // A model has the state of its optimizer too.
    let mut counts = match session.object(handle)? {
        Object::Model(model) => model.optimizer.borrow().state_size()?,
        _ => StateSize::default(),
    };
    counts.tensors += tensors.len();
    for tensor in &tensors {
        let count: usize = session.engine.shape(tensor)?.iter().product();
        counts.elements += count;
        counts.bytes += count * session.engine.dtype(tensor)?.size();
    }
    Ok(counts)
}
