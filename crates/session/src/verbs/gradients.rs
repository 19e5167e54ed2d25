//! Gradients and steps.

use std::cell::RefCell;

use stepwell_optim::{Code, Error, Result};

use crate::arguments::{Arguments, array};
use crate::closure;
use crate::handle::{Handle, Kind};
use crate::module::Named;
use crate::selection::select;
use crate::session::{Object, Session};
use crate::verbs::tensors::{floats, read};
use crate::{Dynamic, Engine};

/// `step(optimizer)`: updates every parameter that has a gradient.
pub(crate) fn step<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Dynamic> {
    let handle = arguments.handle(Kind::Optimizer)?;
    arguments.finish()?;
    let (trainer, engine) = session.trainer_mut(handle)?;
    trainer.step(engine)?;
    Ok(Dynamic::Null)
}

impl<E: Engine> Session<E> {
    /// `step(optimizer, closure)`: the closure computes the loss and its gradients and returns the loss. L-BFGS calls it
    /// as often as it needs; any other optimizer calls it once and then steps. Returns the first loss.
    ///
    /// The session is not borrowed while the closure runs, so the closure can use it.
    ///
    /// # Errors
    /// Those of the closure. Parameters and state are then as they were.
    pub fn step_with_closure(
        session: &RefCell<Self>,
        optimizer: Handle,
        closure: &mut dyn FnMut() -> Result<f64>,
    ) -> Result<f64> {
        let result = (|| {
            if session.borrow().trainer(optimizer)?.optimizer.definition().needs_closure() {
                return closure::minimize(session, optimizer, closure);
            }
            let loss = closure()?;
            let mut session = session.borrow_mut();
            let (trainer, engine) = session.trainer_mut(optimizer)?;
            trainer.step(engine)?;
            Ok(loss)
        })();
        result.map_err(|error| error.within("step"))
    }
}

/// The tensors of any object; an optimizer's are its parameters.
fn tensors<E: Engine>(session: &Session<E>, mut arguments: Arguments) -> Result<Vec<E::Tensor>> {
    let given = arguments.next();
    arguments.finish()?;
    if let Dynamic::Handle(handle) = given
        && let Object::Optimizer(trainer) = session.object(handle)?
    {
        return Ok(trainer.tensors().to_vec());
    }
    Ok(selected(session, &given)?.into_iter().map(|named| named.tensor).collect())
}

/// The selected tensors, of which there must be an object to select from.
fn selected<E: Engine>(session: &Session<E>, given: &Dynamic) -> Result<Vec<Named<E>>> {
    if *given == Dynamic::Null {
        return Err(Error::new(Code::Argument, "expected a module, tensor, vector or dictionary, given null"));
    }
    Ok(select(session, given)?.tensors)
}

/// `zerograd(object)`: sets gradients to 0; undefined ones stay undefined.
pub(crate) fn zerograd<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Dynamic> {
    for tensor in tensors(session, arguments)? {
        session.engine.zero_grad(&tensor)?;
    }
    Ok(Dynamic::Null)
}

/// `nograd(object)`: makes gradients undefined.
pub(crate) fn nograd<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Dynamic> {
    for tensor in tensors(session, arguments)? {
        session.engine.set_grad(&tensor, None)?;
    }
    Ok(Dynamic::Null)
}

/// `backward(tensor)`: accumulates the gradients of a scalar.
pub(crate) fn backward<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Dynamic> {
    let handle = arguments.handle(Kind::Tensor)?;
    arguments.finish()?;
    let tensor = session.tensor(handle)?;
    let shape = session.engine.shape(tensor)?;
    if shape.iter().product::<usize>() != 1 {
        return Err(Error::new(Code::Shape, format!("expected a scalar, given a tensor of shape {shape:?}")));
    }
    if !session.engine.requires_grad(tensor) {
        return Err(Error::new(Code::Gradient, "nothing that this tensor was computed from requires a gradient"));
    }
    session.engine.backward(tensor)?;
    Ok(Dynamic::Null)
}

/// `grad(tensor)` reads the gradient, null if undefined; `grad(tensor, numbers)` sets it.
pub(crate) fn grad<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Dynamic> {
    let handle = arguments.handle(Kind::Tensor)?;
    let given = arguments.next();
    arguments.finish()?;
    let engine = &session.engine;
    let tensor = session.tensor(handle)?;
    if given == Dynamic::Null {
        return engine.grad(tensor).map_or(Ok(Dynamic::Null), |grad| read(session, &grad));
    }
    let gradient = match &given {
        Dynamic::Handle(handle) => session.tensor(*handle)?.clone(),
        numbers => {
            let array = array(numbers).map_or_else(|| floats(numbers), Ok)?;
            engine.tensor(&array.data.cast(engine.dtype(tensor)?)?, &array.shape, engine.device(tensor)?)?
        }
    };
    let (expected, found) = (engine.shape(tensor)?, engine.shape(&gradient)?);
    if expected != found {
        let message = format!("expected a gradient of shape {expected:?}, given {found:?}");
        return Err(Error::new(Code::Shape, message));
    }
    let (expected, found) = (engine.dtype(tensor)?, engine.dtype(&gradient)?);
    if expected != found || !expected.is_floating() {
        let message = format!("expected a gradient of dtype {}, given {}", expected.name(), found.name());
        return Err(Error::new(Code::Dtype, message));
    }
    engine.set_grad(tensor, Some(&gradient))?;
    Ok(Dynamic::Null)
}

/// `gradflag(object)` tells whether gradients are computed; `gradflag(object, flag)` sets it.
pub(crate) fn gradflag<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Dynamic> {
    let given = arguments.next();
    let flag = arguments.flag("whether gradients are computed")?;
    arguments.finish()?;
    let tensors = selected(session, &given)?;
    let engine = &session.engine;
    let Some(flag) = flag else {
        let flags: Vec<_> = tensors.iter().map(|named| Dynamic::Flag(engine.requires_grad(&named.tensor))).collect();
        return Ok(match <[Dynamic; 1]>::try_from(flags) {
            Ok([flag]) => flag,
            Err(flags) => Dynamic::List(flags),
        });
    };
    for named in &tensors {
        if !engine.is_leaf(&named.tensor) {
            return Err(Error::new(Code::Gradient, "only a leaf tensor's flag can be set"));
        }
        if !engine.dtype(&named.tensor)?.is_floating() {
            return Err(Error::new(Code::Dtype, "only tensors of floating point can have a gradient"));
        }
    }
    for named in &tensors {
        engine.set_requires_grad(&named.tensor, flag)?;
    }
    Ok(Dynamic::Null)
}
