//! Models: making one, setting its samples, training and testing it.

#[cfg(not(target_family = "wasm"))]
use std::sync::atomic::Ordering;

use stepwell_optim::fallible::with_capacity;
use stepwell_optim::{Code, Error, OptionSet, Result};

use crate::commands::arguments::Arguments;
use crate::commands::modules::{device, input_of};
use crate::commands::steps::check_step;
use crate::commands::tensors::tensor_or_numbers;
use crate::engine::Engine;
use crate::nn::context::ForwardContext;
use crate::nn::host::Host;
use crate::nn::loss::LossFunction;
use crate::nn::module::Module;
use crate::session::hosting::SessionAccess;
use crate::session::{Object, Session};
use crate::training::data_loader::{TestOptions, TrainOptions};
#[cfg(not(target_family = "wasm"))]
use crate::training::metrics::BatchReport;
use crate::training::model::Model;
use crate::values::dedupe::any_equal;
use crate::values::dtype::Dtype;
use crate::values::handle::{Handle, ObjectKind};
use crate::values::numbers::{Numbers, array};
use crate::values::value::Value;

/// `model(module, loss, optimizer)`: the three under one handle. They are shared, not taken.
pub(crate) fn model<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let module = session.module(arguments.handle(ObjectKind::Module)?)?;
    // The SDK gives a function of the program as its number.
    let own_loss = match arguments.peek() {
        Value::Number(_) => Some(arguments.whole("the number of a function", 0)?),
        _ => None,
    };
    let loss = match own_loss {
        Some(_) => LossFunction::new("mse", &[])?,
        None => session.loss(arguments.handle(ObjectKind::Loss)?)?.clone(),
    };
    let optimizer = session.shared_optimizer(arguments.handle(ObjectKind::Optimizer)?)?.clone();
    arguments.finish()?;
    check_updates(&session.engine, &module, optimizer.borrow().tensors())?;
    let mut model = Model::new(module, loss, optimizer)?;
    model.own_loss = own_loss;
    session.insert(Object::Model(Box::new(model)))
}

/// Fails if an optimizer of these tensors updates no parameter of the module, so that training would change nothing.
fn check_updates<E: Engine>(engine: &E, module: &Module<E>, tensors: &[E::Tensor]) -> Result<()> {
    let parameters = module.parameters();
    let count = parameters.len();
    let mut identities = with_capacity(count + tensors.len())?;
    for tensor in parameters.iter().map(|named| &named.tensor).chain(tensors) {
        identities.push(engine.identity(tensor));
    }
    if count == 0 || any_equal(&identities, count)? {
        return Ok(());
    }
    let message = "expected an optimizer of parameters of the module, given one that updates none of them";
    Err(Error::new(Code::Parameter, message))
}

/// `train(model)` returns the options, `train(model, options)` sets them, and `train(model, inputs, targets)` sets the
/// data and returns the number of batches.
pub(crate) fn train<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    samples(session, arguments, true)
}

/// `test(model, ..)`: the same for testing.
pub(crate) fn test<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    samples(session, arguments, false)
}

fn samples<E: Engine>(session: &mut Session<E>, mut arguments: Arguments, training: bool) -> Result<Value> {
    let handle = arguments.handle(ObjectKind::Model)?;
    if arguments.is_empty() {
        let model = session.model(handle)?;
        return Ok(if training {
            model.train.options_value(TrainOptions::SPECS)
        } else {
            model.test.options_value(TestOptions::SPECS)
        });
    }
    let first = arguments.next();
    if arguments.is_empty()
        && let Value::Object(entries) = first
    {
        let (Model { train, test, loss, .. }, _) = session.model_mut(handle)?;
        if training {
            train.set_options("train", TrainOptions::SPECS, entries, loss, TrainOptions::check)?;
        } else {
            test.set_options("test", TestOptions::SPECS, entries, loss, |_| Ok(()))?;
        }
        return Ok(Value::Null);
    }
    let second = arguments.next();
    arguments.finish()?;
    let module = session.module(handle)?;
    // Tensors stay where they are: a batch moves to the device of the module.
    let inputs = match first {
        Value::Handle(handle) => session.tensor(handle)?.clone(),
        ref numbers => input_of(session, &module, numbers, 0)?,
    };
    let targets = targets_of(session, session.model(handle)?, &second)?;
    let (model, engine) = session.model_mut(handle)?;
    model.loader_mut(training).set_data(engine, inputs, targets)?;
    let batches = model.batches(training)?;
    session.recount(handle)?;
    Ok(Value::Number(batches as f64))
}

/// Targets as a tensor. Of plain numbers, a list for a loss of classes is classes, and anything else has the type of the
/// module's parameters.
fn targets_of<E: Engine>(session: &Session<E>, model: &Model<E>, given: &Value) -> Result<E::Tensor> {
    if let Value::Null | Value::Undefined = given {
        let message = format_args!("expected targets as argument 3, a tensor handle or numbers, given {given}");
        return Err(Error::new(Code::Argument, message));
    }
    let mut dtype = Dtype::Float;
    for named in model.module.parameters() {
        dtype = session.engine.dtype(&named.tensor)?;
    }
    let numbers = array(given)?;
    let is_classes = |array: &Numbers<'_>| array.shape.len() == 1 || array.data.dtype() == Dtype::Long;
    if model.loss.takes_long() && numbers.as_ref().is_some_and(is_classes) {
        dtype = Dtype::Long;
    }
    if model.own_loss.is_some() && numbers.as_ref().is_some_and(|array| array.data.dtype() == Dtype::Long) {
        dtype = Dtype::Long;
    }
    tensor_or_numbers(session, given, dtype, device(session, &model.module)?)
}

/// `run(model)`: one pass over all batches for training, from the first. Returns the metrics.
pub(crate) fn run<E: Engine>(access: &mut SessionAccess<'_, E>, arguments: Arguments) -> Result<Value> {
    pass(access, arguments, true)
}

/// `testrun(model)`: one epoch of testing, without changes. Returns the metrics.
pub(crate) fn testrun<E: Engine>(access: &mut SessionAccess<'_, E>, arguments: Arguments) -> Result<Value> {
    pass(access, arguments, false)
}

fn pass<E: Engine>(access: &mut SessionAccess<'_, E>, mut arguments: Arguments, training: bool) -> Result<Value> {
    let handle = arguments.handle(ObjectKind::Model)?;
    arguments.finish()?;
    #[cfg(not(target_family = "wasm"))]
    let (stop, report) = {
        let mut session = access.session();
        (session.stop.clone(), session.report.take())
    };
    with_model(access, handle, training, &mut |model, context| {
        #[cfg(not(target_family = "wasm"))]
        let is_stopped = |model: &Model<E>, last: Option<BatchReport>| {
            if let (Some(report), Some(last)) = (&report, last) {
                report(model.loader(training).report(last, model.batches(training)?));
            }
            Ok(stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed)))
        };
        #[cfg(target_family = "wasm")]
        let is_stopped = |_: &Model<E>, _| Ok(false);
        model.run(context, is_stopped)?;
        Ok(model.loader(training).metrics())
    })
}

/// The work of a command on a model.
type ModelWork<'a, E> = dyn FnMut(&mut Model<E>, &mut ForwardContext<'_, E>) -> Result<Value> + 'a;

/// Works on a model whose functions may use the session. They cannot use the data of the model, and cannot step or free
/// its optimizer.
fn with_model<E: Engine>(
    access: &mut SessionAccess<'_, E>,
    handle: Handle,
    training: bool,
    work: &mut ModelWork<'_, E>,
) -> Result<Value> {
    if training {
        let session = access.session();
        check_step(&session, handle)?;
        session.settle_scales()?;
    }
    let mut model = access.session().take_model(handle)?;
    let (engine, mut random) = {
        let session = access.session();
        (session.engine.clone(), session.random.clone())
    };
    let result = (|| {
        let _guard = match access {
            SessionAccess::Shared(session, _) if training => {
                Some(Session::begin_step(session, &model.optimizer, true)?)
            }
            _ => None,
        };
        let host = access.host();
        let host = host.as_ref().map(|host| host as &dyn Host<E>);
        work(&mut model, &mut ForwardContext { engine: &engine, random: &mut random, training, host })
    })();
    let mut session = access.session();
    session.put_model(handle, model);
    session.random = random;
    result
}

/// `batch(model, [all])`: makes a step on the next batches. Returns their loss, or all figures; null after the last, and
/// then begins again.
pub(crate) fn batch<E: Engine>(access: &mut SessionAccess<'_, E>, arguments: Arguments) -> Result<Value> {
    next_batch(access, arguments, true)
}

/// `testbatch(model, [all])`: measures the next batch for testing, without changes, as `batch` trains on one.
pub(crate) fn testbatch<E: Engine>(access: &mut SessionAccess<'_, E>, arguments: Arguments) -> Result<Value> {
    next_batch(access, arguments, false)
}

fn next_batch<E: Engine>(access: &mut SessionAccess<'_, E>, mut arguments: Arguments, training: bool) -> Result<Value> {
    let handle = arguments.handle(ObjectKind::Model)?;
    let all = arguments.flag("whether to tell all figures")?.unwrap_or(false);
    arguments.finish()?;
    with_model(access, handle, training, &mut |model, context| {
        Ok(match model.batch(context)? {
            None => Value::Null,
            Some(report) if all => model.loader(training).report(report, model.batches(training)?),
            Some(report) => Value::Number(report.loss),
        })
    })
}

/// `metrics(model)`: the metrics of the epoch of training that has begun, or else of the last one; null before the first
/// batch.
pub(crate) fn metrics<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    figures(session, arguments, true)
}

/// `testmetrics(model)`: the metrics of the epoch of testing, as `metrics` returns them of training.
pub(crate) fn testmetrics<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    figures(session, arguments, false)
}

fn figures<E: Engine>(session: &mut Session<E>, mut arguments: Arguments, training: bool) -> Result<Value> {
    let handle = arguments.handle(ObjectKind::Model)?;
    arguments.finish()?;
    Ok(session.model(handle)?.loader(training).metrics())
}
