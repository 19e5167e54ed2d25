//! Parts of a run that no other command gives. In WebAssembly the SDK reads and writes the file of a run by them; it has no functions of
//! these names.

use stepwell_optim::{Code, Error, Result};

use crate::commands::arguments::Arguments;
use crate::engine::Engine;
use crate::session::{Object, Session};
use crate::training::data_loader::EpochPosition;
use crate::training::metrics::BatchMetrics;
use crate::values::data::Data;
use crate::values::handle::ObjectKind;
use crate::values::value::{NumericArray, Value};

/// `tensors(x)`: a handle of each tensor of a vector, a dictionary or a module, parameters before buffers.
pub(crate) fn tensors<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.any_handle("a handle")?;
    let tensors = session.object(handle)?.tensors();
    session.insert_all(tensors.into_iter().map(Object::Tensor).collect())
}

/// `position(model, training, [numbers])`: the position in the data as numbers, null without data; or sets it.
///
/// The numbers begin with the count of samples, the length of the epoch's order, the place in it, and the length of the later order.
/// Both orders follow, and four numbers of each batch. A length is -1 without the order. The SDK has checked the orders.
pub(crate) fn position<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.handle(ObjectKind::Model)?;
    let training = arguments.flag("whether to train")?.unwrap_or(true);
    if arguments.is_empty() {
        let Some(numbers) = session.model(handle)?.loader(training).numbers() else { return Ok(Value::Null) };
        return Ok(Value::NumericArray(NumericArray { shape: vec![numbers.len()], data: Data::Double(numbers) }));
    }
    let given = arguments.numbers("a position")?;
    let misfit = || Error::new(Code::Format, "expected a position");
    let Some(([count, first, next, second], rest)) = given.split_first_chunk() else { return Err(misfit()) };
    // A length that is negative is 0 here.
    let Some((order, rest)) = rest.split_at_checked(*first as usize) else { return Err(misfit()) };
    let Some((shuffled, rest)) = rest.split_at_checked(*second as usize) else { return Err(misfit()) };
    let next = *next as usize;
    if next > order.len() {
        return Err(misfit());
    }
    let samples = |order: &[f64]| order.iter().map(|sample| *sample as usize).collect::<Vec<_>>();
    let position = EpochPosition {
        count: *count as usize,
        epoch: (*first >= 0.0).then(|| (samples(order), next)),
        shuffled: (*second >= 0.0).then(|| samples(shuffled)),
        measured: rest.as_chunks().0.iter().map(|batch| BatchMetrics::from_numbers(*batch)).collect(),
    };
    session.model_mut(handle)?.0.loader_mut(training).set_position(position);
    Ok(Value::Null)
}

/// `exchange(x, y, [origins])`: exchanges two optimizers, also for models that have them; with `origins` only the objects that their
/// parameters came from.
pub(crate) fn exchange<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let (one, other) = (arguments.handle(ObjectKind::Optimizer)?, arguments.handle(ObjectKind::Optimizer)?);
    session.check_not_stepping(one)?;
    session.check_not_stepping(other)?;
    let (one, other) = (session.shared_optimizer(one)?, session.shared_optimizer(other)?);
    // Not one optimizer under two handles, which is borrowed once.
    let (Ok(mut one), Ok(mut other)) = (one.try_borrow_mut(), other.try_borrow_mut()) else { return Ok(Value::Null) };
    if arguments.flag("whether to exchange origins alone")? == Some(true) {
        std::mem::swap(&mut one.registry, &mut other.registry);
    } else {
        std::mem::swap(&mut *one, &mut *other);
    }
    Ok(Value::Null)
}
