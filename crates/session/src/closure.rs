//! All parameters of an optimizer as one vector, with the loss from a closure: what L-BFGS minimises.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;

use stepwell_optim::{ClosureStep, Code, Curvature, Error, Learned, Objective, Result, Scalar, Value};

use crate::handle::Handle;
use crate::session::Session;
use crate::trainer::Trainer;
use crate::{Data, Dtype, Engine, LibraryGroup, LibraryOptimizer, Minimize};

/// One step of L-BFGS. The session is borrowed only between calls of the closure.
pub(crate) fn minimize<E: Engine>(
    session: &RefCell<Session<E>>,
    optimizer: Handle,
    closure: &mut dyn FnMut() -> Result<f64>,
) -> Result<f64> {
    let plan = {
        let session = session.borrow();
        Plan::new(&session.engine, &*session.trainer(optimizer)?)?
    };
    let (loss, memory) = plan.carry_out(session, closure)?;
    session.borrow_mut().trainer_mut(optimizer)?.0.optimizer.remember(memory);
    Ok(loss)
}

/// The same where nobody else uses the session meanwhile.
pub(crate) fn minimize_on<E: Engine>(
    engine: &E,
    trainer: &RefCell<Trainer<E>>,
    closure: &mut dyn FnMut() -> Result<f64>,
) -> Result<f64> {
    let plan = Plan::new(engine, &trainer.borrow())?;
    let (loss, memory) = plan.carry_out(&Owned(engine), closure)?;
    trainer.borrow_mut().optimizer.remember(memory);
    Ok(loss)
}

/// What a step works from, so that the closure may use the optimizer meanwhile.
struct Plan<E: Engine> {
    tensors: Vec<E::Tensor>,
    dtype: Dtype,
    maker: Maker<E>,
}

/// Who makes the step.
enum Maker<E: Engine> {
    Own(ClosureStep),
    /// The tensor library, from copies of the options and of what is remembered.
    Library(Rc<Minimize<E::Tensor>>, Vec<Value>, Option<Curvature>),
}

impl<E: Engine> Plan<E> {
    fn new(engine: &E, trainer: &Trainer<E>) -> Result<Self> {
        let tensors = trainer.tensors().to_vec();
        let dtype = common_dtype(engine, &tensors)?;
        let optimizer = &trainer.optimizer;
        let maker = match &trainer.library {
            Some(LibraryOptimizer::Closure(minimize)) => {
                let options = optimizer.groups().first().map_or_else(Vec::new, |group| group.options().to_vec());
                Maker::Library(Rc::clone(minimize), options, optimizer.curvature())
            }
            _ => Maker::Own(optimizer.closure_step()),
        };
        Ok(Self { tensors, dtype, maker })
    }

    fn carry_out(self, engine: &impl Access<E>, closure: &mut dyn FnMut() -> Result<f64>) -> Result<(f64, Learned)> {
        let Self { tensors, dtype, maker } = self;
        match (maker, dtype) {
            (Maker::Library(library, options, memory), _) => {
                let group = LibraryGroup { options: &options, parameters: &tensors };
                let (loss, memory) = library(&group, memory.as_ref(), closure)?;
                Ok((loss, memory.try_into()?))
            }
            (Maker::Own(step), Dtype::Float) => {
                run::<E, f32, _>(engine, &tensors, closure, |x, objective| step.minimize_f32(x, objective))
            }
            (Maker::Own(step), _) => {
                run::<E, f64, _>(engine, &tensors, closure, |x, objective| step.minimize_f64(x, objective))
            }
        }
    }
}

/// A way to the engine between calls of the closure.
trait Access<E: Engine> {
    fn with<R>(&self, use_engine: impl FnOnce(&E) -> R) -> R;
}

impl<E: Engine> Access<E> for RefCell<Session<E>> {
    fn with<R>(&self, use_engine: impl FnOnce(&E) -> R) -> R {
        use_engine(&self.borrow().engine)
    }
}

/// An engine that the closure only shares.
struct Owned<'a, E>(&'a E);

impl<E: Engine> Access<E> for Owned<'_, E> {
    fn with<R>(&self, use_engine: impl FnOnce(&E) -> R) -> R {
        use_engine(self.0)
    }
}

fn common_dtype<E: Engine>(engine: &E, tensors: &[E::Tensor]) -> Result<Dtype> {
    let Some(first) = tensors.first() else {
        return Err(Error::new(Code::Parameter, "the optimizer has no parameters"));
    };
    let dtype = engine.dtype(first)?;
    for tensor in tensors {
        if engine.dtype(tensor)? != dtype {
            return Err(Error::new(Code::Dtype, "lbfgs needs parameters of one dtype, given float and double"));
        }
    }
    Ok(dtype)
}

fn run<E: Engine, T: Element, R>(
    engine: &impl Access<E>,
    tensors: &[E::Tensor],
    closure: &mut dyn FnMut() -> Result<f64>,
    minimize: impl FnOnce(&[T], &mut dyn Objective<T>) -> Result<R>,
) -> Result<R> {
    let mut flat = Flat { engine, tensors, closure, element: PhantomData };
    let start = flat.gather(|engine, tensor| Ok(Some(engine.data(tensor)?)))?;
    minimize(&start, &mut flat)
}

/// The parameters as one vector.
struct Flat<'a, E: Engine, A, T> {
    engine: &'a A,
    tensors: &'a [E::Tensor],
    closure: &'a mut dyn FnMut() -> Result<f64>,
    element: PhantomData<T>,
}

impl<E: Engine, A: Access<E>, T: Element> Flat<'_, E, A, T> {
    /// One piece for each tensor; zeros where there is none.
    fn gather(&self, piece: impl Fn(&E, &E::Tensor) -> Result<Option<Data>>) -> Result<Vec<T>> {
        self.engine.with(|engine| {
            let mut all = Vec::new();
            for tensor in self.tensors {
                match piece(engine, tensor)? {
                    Some(data) => all.extend(T::from_data(data).ok_or_else(changed)?),
                    None => {
                        let count: usize = engine.shape(tensor)?.iter().product();
                        all.resize(all.len() + count, T::default());
                    }
                }
            }
            Ok(all)
        })
    }
}

impl<E: Engine, A: Access<E>, T: Element> Objective<T> for Flat<'_, E, A, T> {
    fn set_parameters(&mut self, parameters: &[T]) -> Result<()> {
        self.engine.with(|engine| {
            let mut rest = parameters;
            for tensor in self.tensors {
                let count: usize = engine.shape(tensor)?.iter().product();
                let (piece, after) = rest.split_at_checked(count).ok_or_else(changed)?;
                engine.assign(tensor, &T::into_data(piece.to_vec()))?;
                rest = after;
            }
            Ok(())
        })
    }

    fn evaluate(&mut self, gradient: &mut [T]) -> Result<f64> {
        let loss = (self.closure)()?;
        let gathered = self.gather(|engine, tensor| engine.grad(tensor).map(|grad| engine.data(&grad)).transpose())?;
        if gathered.len() != gradient.len() {
            return Err(changed());
        }
        gradient.copy_from_slice(&gathered);
        Ok(loss)
    }
}

/// The closure converted a parameter, or the like.
fn changed() -> Error {
    Error::new(Code::Parameter, "the closure changed the dtype or the shape of a parameter")
}

/// An element type of parameters.
trait Element: Scalar {
    fn from_data(data: Data) -> Option<Vec<Self>>;
    fn into_data(elements: Vec<Self>) -> Data;
}

impl Element for f32 {
    fn from_data(data: Data) -> Option<Vec<f32>> {
        if let Data::Float(elements) = data { Some(elements) } else { None }
    }
    fn into_data(elements: Vec<f32>) -> Data {
        Data::Float(elements)
    }
}

impl Element for f64 {
    fn from_data(data: Data) -> Option<Vec<f64>> {
        if let Data::Double(elements) = data { Some(elements) } else { None }
    }
    fn into_data(elements: Vec<f64>) -> Data {
        Data::Double(elements)
    }
}
