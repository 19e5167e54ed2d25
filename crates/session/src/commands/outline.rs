//! Objects without their elements, and some elements of a tensor: what the SDK shows of an object. The commands make no
//! object, and the SDK has no functions of their names.

use stepwell_optim::Result;

use crate::commands::arguments::Arguments;
use crate::commands::schedules;
use crate::commands::state::describe;
use crate::commands::tensors::read;
use crate::engine::Engine;
use crate::nn::loss::LossFunction;
use crate::nn::module::CALLBACK;
use crate::nn::module_state::{self, properties};
use crate::session::{Object, Session};
use crate::values::convert::to_value;
use crate::values::handle::{Handle, ObjectKind};
use crate::values::value::Value;

/// `outline(x)`: an object as plain data without elements. Lists take fewer bytes of WebAssembly than dictionaries.
///
/// - Tensors: a list of `[name, dtype, device, grad, size]`.
/// - A module: its rows.
/// - A loss: its name, then names and values of its options.
/// - An optimizer: its definition and its schedule.
/// - A model: its module, its loss and its optimizer.
pub(crate) fn outline<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.any_handle("a handle")?;
    arguments.finish()?;
    let engine = &session.engine;
    match session.object(handle)? {
        Object::Dictionary(entries) => properties(engine, entries.clone()),
        Object::Module(module) => module_state::outline(engine, module),
        Object::Optimizer(_) => optimizer_outline(session, handle),
        Object::Loss(loss) => Ok(loss_outline(loss)),
        Object::Model(model) => Ok(Value::Array(vec![
            module_state::outline(engine, &model.module)?,
            match model.own_loss {
                Some(_) => Value::Array(vec![Value::string(CALLBACK)]),
                None => loss_outline(&model.loss),
            },
            optimizer_outline(session, handle)?,
        ])),
        other @ (Object::Tensor(_) | Object::Vector(_)) => {
            let mut tensors = Vec::new();
            for tensor in other.tensors() {
                tensors.push((String::new(), tensor));
            }
            properties(engine, tensors)
        }
    }
}

fn optimizer_outline<E: Engine>(session: &Session<E>, handle: Handle) -> Result<Value> {
    let definition = describe(session, handle, false, false)?;
    let bound = session.optimizer(handle)?;
    let schedule = bound.optimizer.schedule_state().map_or(Value::Null, schedules::schedule_value);
    Ok(Value::Array(vec![definition, schedule]))
}

fn loss_outline(loss: &LossFunction) -> Value {
    let mut list = vec![Value::string(loss.name())];
    for (name, value) in loss.options() {
        list.extend([Value::string(name), to_value(&value)]);
    }
    Value::Array(list)
}

/// `pick(tensor, indices)`: elements of a tensor at row-major indices, without a copy of the others.
pub(crate) fn pick<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.handle(ObjectKind::Tensor)?;
    let indices = arguments.shape()?;
    arguments.finish()?;
    let engine = &session.engine;
    let tensor = session.tensor(handle)?;
    let flat = engine.reshape(tensor, &[engine.shape(tensor)?.iter().product()])?;
    read(session, &engine.index_select(&flat, &indices)?)
}
