//! Functions of objects of every kind, and of the session.

use stepwell_optim::{Code, Error, Result, StateSize};

use crate::commands::arguments::Arguments;
use crate::engine::Engine;
use crate::nn::context;
use crate::random::Random;
use crate::session::{Object, Session};
use crate::values::data::Data;
use crate::values::dedupe::first_positions;
use crate::values::dtype::Dtype;
use crate::values::handle::{Handle, ObjectKind};
use crate::values::value::{NumericArray, Value};

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
        session.check_not_stepping(handle)?;
        handles.push(handle);
    }
    let numbers: Vec<_> = handles.iter().map(|handle| handle.to_number() as u64).collect();
    if first_positions(&numbers)?.iter().enumerate().any(|(position, first)| *first < position) {
        return Err(Error::new(Code::HandleFreed, "the same handle is given twice"));
    }
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
        if session.object(handle).is_ok() {
            session.remove(handle)?;
        }
    }
    Ok(Value::Null)
}

/// `reset()`: frees all objects and restores the initial seed and settings.
pub(crate) fn reset<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    arguments.finish()?;
    session.check_none_stepping()?;
    session.clear();
    session.random = Random::new(0);
    session.all_options = true;
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
    session.replace(handle, other)?;
    Ok(Value::Null)
}

/// `setting(name)` returns a setting, `setting(name, value)` sets it. `alloptions`: whether definitions include all
/// options, or only options that differ from the defaults. `threads`: how many threads operations and steps use at
/// most.
pub(crate) fn setting<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let name = arguments.text("the name of a setting")?;
    arguments.require_defined()?;
    match name.as_str() {
        "alloptions" => {
            let flag = arguments.flag("its value")?;
            arguments.finish()?;
            let Some(flag) = flag else { return Ok(Value::Bool(session.all_options)) };
            session.all_options = flag;
            Ok(Value::Null)
        }
        "threads" => {
            let count = match arguments.next() {
                Value::Undefined => None,
                // 1024 is more than machines have; more threads would only fail later.
                Value::Number(count) if count.fract() == 0.0 && (1.0..=1024.0).contains(&count) => Some(count),
                other => return Err(arguments.argument_error("a whole number of threads from 1 to 1024", &other)),
            };
            arguments.finish()?;
            let Some(count) = count else { return Ok(Value::Number(session.engine.thread_limit() as f64)) };
            session.engine.set_threads(count as usize)?;
            Ok(Value::Null)
        }
        _ => {
            let message = format!("unknown setting `{name}`, expected alloptions or threads");
            Err(Error::new(Code::UnknownName, message))
        }
    }
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
        Object::Module(module) => module.parameters().len(),
        Object::Optimizer(bound) => bound.borrow().tensors().len(),
        Object::Loss(_) => 0,
        Object::Model(model) => model.module.parameters().len(),
    };
    Ok(Value::Number(count as f64))
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
        Object::Optimizer(bound) => return Ok(bound.borrow().with_state()?.state_size()),
        other => other.tensors(),
    };
    // A model has the state of its optimizer too.
    let mut counts = match session.object(handle)? {
        Object::Model(model) => model.optimizer.borrow().with_state()?.state_size(),
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

/// `handlecount()`: how many objects live.
pub(crate) fn handlecount<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    arguments.finish()?;
    Ok(Value::Number(session.live_handles() as f64))
}

/// `seed(n)`: restarts the random numbers of initial weights, dropout and permutations.
pub(crate) fn seed<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let seed = arguments.whole("a seed", 0)?;
    arguments.finish()?;
    session.random = Random::new(seed);
    Ok(Value::Null)
}

/// `randperm(n)`: the numbers from 0 to n - 1 in random order.
pub(crate) fn randperm<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let n = context::checked_element_count(
        &session.engine,
        &[usize::try_from(arguments.whole("how many numbers", 0)?).unwrap_or(usize::MAX)],
        Dtype::Long,
    )?;
    arguments.finish()?;
    Ok(Value::NumericArray(NumericArray { data: Data::Long(session.random.permutation(n)?), shape: vec![n] }))
}

/// `errorcodes()`: every code an error can have.
pub(crate) fn errorcodes<E: Engine>(_: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    arguments.finish()?;
    Ok(Value::strings(Code::ALL.iter().map(|code| code.as_str())))
}
