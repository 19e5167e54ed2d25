//! Steps of an optimizer, loss scaling, and swapped averages.

use stepwell_optim::{LossScale, Optimizer, Result};

use crate::commands::arguments::Arguments;
use crate::engine::Engine;
use crate::session::Session;
use crate::training::failed_calls::told;
use crate::training::step_call::StepCall;
use crate::training::step_options::StepSettings;
use crate::values::convert::{named_options, to_value};
use crate::values::handle::{Handle, ObjectKind};
use crate::values::value::Value;

/// `step(optimizer, [options])`: updates every parameter that has a gradient. A model stands for its optimizer, and a module
/// for the one that updates its parameters.
pub(crate) fn step<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = match *arguments.peek() {
        Value::Handle(handle) if handle.kind() == Some(ObjectKind::Module) => {
            session.optimizer_to_step(arguments.handle(ObjectKind::Module)?)?
        }
        _ => arguments.handle_or_model(ObjectKind::Optimizer)?,
    };
    let given = arguments.options()?;
    arguments.finish()?;
    check_step(session, handle)?;
    session.settle_scales()?;
    let (engine, bound) = (&session.engine, session.shared_optimizer(handle)?);
    told(engine, bound, || {
        let mut bound = bound.borrow_mut();
        if given.is_empty() {
            bound.step(engine, StepCall::PLAIN)?;
        } else {
            let settings = StepSettings::parse(given)?;
            bound.check_non_finite(settings.nonfinite, settings.is_policy_given)?;
            bound.step(engine, StepCall::from(&settings))?;
        }
        Ok(Value::Null)
    })
}

/// Fails if a closure that is running cannot make a step of this optimizer or model.
pub(crate) fn check_step<E: Engine>(session: &Session<E>, handle: Handle) -> Result<()> {
    #[cfg(not(target_family = "wasm"))]
    {
        let bound = session.optimizer(handle)?;
        match bound.data_parallel {
            Some(_) => check_turn(session)?,
            // It may train what another optimizer trains with other processes.
            None => session.note_written(&mut bound.tensors().iter()),
        }
    }
    if session.running.is_empty() {
        return Ok(());
    }
    session.check_not_stepping(handle)?;
    session.check_not_line_searched(&mut session.optimizer(handle)?.tensors().iter())
}

/// Fails if an asynchronous call may use the process group.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn check_turn<E: Engine>(session: &Session<E>) -> Result<()> {
    if session.leases.jobs.is_empty() {
        return Ok(());
    }
    // Processes match their operations by order, which a call that does not wait for its turn would change.
    let message = "an asynchronous call that is not over may use the process group: await it, or use the call that returns a promise";
    Err(stepwell_optim::Error::new(stepwell_optim::Code::Busy, message))
}

/// `skipped(optimizer)`: how many steps were left out because a gradient was not finite.
pub(crate) fn skipped<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.handle_or_model(ObjectKind::Optimizer)?;
    arguments.finish()?;
    session.settle(handle)?;
    Ok(Value::Number(session.optimizer(handle)?.optimizer.skipped() as f64))
}

/// `lossscale(optimizer)` returns the loss scale, `lossscale(optimizer, options)` switches it on, and
/// `lossscale(optimizer, null)` off.
pub(crate) fn lossscale<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.handle_or_model(ObjectKind::Optimizer)?;
    session.settle(handle)?;
    if arguments.is_empty() {
        let bound = session.optimizer(handle)?;
        return Ok(bound.optimizer.loss_scale.as_ref().map_or(Value::Null, loss_scale_value));
    }
    arguments.require_defined()?;
    let given = arguments.next();
    let scale = match given {
        Value::Null => None,
        Value::Object(entries) => Some(LossScale::new(&named_options(entries)?)?),
        other => return Err(arguments.argument_error("a dictionary of options or null", &other)),
    };
    arguments.finish()?;
    {
        let bound = session.optimizer(handle)?;
        bound.check_scales(scale.is_some())?;
        let after = scale.as_ref().map_or(1.0, LossScale::scale);
        if bound.scale_of_loss() != after {
            session.check_scaled(bound.tensors(), after)?;
        }
    }
    session.scales_losses |= scale.is_some();
    session.optimizer_mut(handle)?.0.optimizer.loss_scale = scale;
    Ok(Value::Null)
}

/// A loss scale as plain data, from which [`restore_loss_scale`] makes it again.
pub(crate) fn loss_scale_value(scale: &LossScale) -> Value {
    Value::object(scale.described().into_iter().map(|(name, value)| (name, to_value(&value))))
}

/// Restores a loss scale from the result of [`loss_scale_value`].
pub(crate) fn restore_loss_scale(optimizer: &mut Optimizer, entries: &[(String, Value)]) -> Result<()> {
    optimizer.loss_scale = Some(LossScale::new(&named_options(entries.to_vec())?)?);
    Ok(())
}

/// `average(optimizer)`: swaps each parameter with its moving average, in place. Returns whether the parameters are now
/// the averages.
pub(crate) fn average<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.handle_or_model(ObjectKind::Optimizer)?;
    arguments.finish()?;
    session.check_written(&mut session.optimizer(handle)?.tensors().iter())?;
    #[cfg(not(target_family = "wasm"))]
    if session.optimizer(handle)?.sharding.is_some() {
        check_turn(session)?;
    }
    let (mut bound, engine) = session.optimizer_mut(handle)?;
    #[cfg(not(target_family = "wasm"))]
    {
        // Each process then has all averages.
        bound.take_whole_state(engine)?;
        let swapped = bound.swap_averages(engine);
        bound.keep_owned()?;
        swapped.map(Value::Bool)
    }
    #[cfg(target_family = "wasm")]
    bound.swap_averages(engine).map(Value::Bool)
}
