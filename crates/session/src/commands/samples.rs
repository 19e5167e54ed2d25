//! The data of a model: its inputs and targets, their order, and the place in a pass over them.

use stepwell_optim::Result;

use crate::commands::arguments::Arguments;
use crate::engine::Engine;
use crate::session::{Object, Session};
use crate::values::handle::{Handle, ObjectKind};
use crate::values::value::Value;

/// The model of the only argument.
fn only<E: Engine>(session: &Session<E>, mut arguments: Arguments) -> Result<Handle> {
    let handle = arguments.handle(ObjectKind::Model)?;
    arguments.finish()?;
    session.model(handle)?;
    Ok(handle)
}

/// The inputs, or the targets, as a tensor that is shared with the model.
fn shared<E: Engine>(session: &mut Session<E>, arguments: Arguments, training: bool, place: usize) -> Result<Value> {
    let handle = only(session, arguments)?;
    let tensor = session.model(handle)?.loader(training).samples()?[place].clone();
    session.insert(Object::Tensor(tensor))
}

/// `input(model)`: the inputs for training.
pub(crate) fn input<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    shared(session, arguments, true, 0)
}

/// `target(model)`: the targets for training.
pub(crate) fn target<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    shared(session, arguments, true, 1)
}

/// `testinput(model)`: the inputs for testing.
pub(crate) fn testinput<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    shared(session, arguments, false, 0)
}

/// `testtarget(model)`: the targets for testing.
pub(crate) fn testtarget<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    shared(session, arguments, false, 1)
}

fn count<E: Engine>(session: &Session<E>, arguments: Arguments, training: bool) -> Result<Value> {
    let handle = only(session, arguments)?;
    Ok(Value::Number(session.model(handle)?.loader(training).count()? as f64))
}

/// `datasize(model)`: the number of samples for training.
pub(crate) fn datasize<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    count(session, arguments, true)
}

/// `testsize(model)`: the number of samples for testing.
pub(crate) fn testsize<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    count(session, arguments, false)
}

/// Ends the pass that has begun; with `forgets` its metrics too.
fn ended<E: Engine>(session: &mut Session<E>, arguments: Arguments, training: bool, forgets: bool) -> Result<Value> {
    let handle = only(session, arguments)?;
    session.check_not_stepping(handle)?;
    let batches = session.model(handle)?.batches(training)?;
    let (model, ..) = session.model_mut(handle)?;
    let loader = model.loader_mut(training);
    if forgets {
        loader.restart();
        return Ok(Value::Number(batches as f64));
    }
    loader.end();
    Ok(Value::Number(loader.count()? as f64))
}

/// `batchinit(model)`: begins a pass over the batches for training, without metrics. Returns the number of batches.
pub(crate) fn batchinit<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    ended(session, arguments, true, true)
}

/// `testinit(model)`: as `batchinit`, for testing.
pub(crate) fn testinit<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    ended(session, arguments, false, true)
}

/// `restore(model)`: ends a pass before its last batch, and keeps its metrics. Returns the number of samples.
pub(crate) fn restore<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    ended(session, arguments, true, false)
}

/// `testrestore(model)`: as `restore`, for testing.
pub(crate) fn testrestore<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    ended(session, arguments, false, false)
}

fn ordered<E: Engine>(session: &mut Session<E>, arguments: Arguments, is_shuffled: bool) -> Result<Value> {
    let handle = only(session, arguments)?;
    session.check_not_stepping(handle)?;
    let mut random = session.random.clone();
    let (model, _) = session.model_mut(handle)?;
    model.train.reorder(is_shuffled.then_some(&mut random))?;
    session.random = random;
    Ok(Value::Null)
}

/// `shuffle(model)`: draws an order of the samples for training, which all passes have until `unshuffle`.
pub(crate) fn shuffle<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    ordered(session, arguments, true)
}

/// `unshuffle(model)`: the samples have the order of the data again.
pub(crate) fn unshuffle<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    ordered(session, arguments, false)
}
