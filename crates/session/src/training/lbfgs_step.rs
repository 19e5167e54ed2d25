//! A step of L-BFGS: all parameters of an optimizer as one vector, and the loss from a closure.

use std::marker::PhantomData;

#[cfg(not(target_family = "wasm"))]
use stepwell_optim::Device;
use stepwell_optim::fallible::filled;
use stepwell_optim::{
    AnyLbfgsStateDict, ClosureStep, Code, Error, LbfgsState, LbfgsStateDict, Objective, OptionValue, Result, Shared,
    SharedCell,
};

use crate::engine::Engine;
use crate::engine::library_optimizers::{LibraryGroup, LibraryOptimizer, Minimize};
use crate::training::bound_optimizer::BoundOptimizer;
#[cfg(not(target_family = "wasm"))]
use crate::training::device_parameters::{device_of, minimize_there};
use crate::training::engine_access::{EngineAccess, changed, element_count};
use crate::training::frozen_parameters::TrainedRanges;
use crate::values::data::Differentiable;
use crate::values::dtype::Dtype;

/// One step of L-BFGS. A session is borrowed only between calls of the closure.
pub(crate) fn minimize<E: Engine>(
    access: &EngineAccess<'_, E>,
    bound: &SharedCell<BoundOptimizer<E>>,
    closure: &mut dyn FnMut() -> Result<f64>,
) -> Result<f64> {
    let step = LbfgsStep::new(&*access.engine(), &bound.borrow())?;
    let trained = step.trained.clone();
    let (loss, state) = step.run(access, closure)?;
    bound.borrow_mut().set_lbfgs_state(state, trained);
    Ok(loss)
}

/// One step, with copies of the optimizer's data, so that the closure can use the optimizer.
struct LbfgsStep<E: Engine> {
    tensors: Vec<E::Tensor>,
    /// True for each tensor that is updated. A frozen tensor keeps its elements in the vector, which do not change.
    trained: Vec<bool>,
    dtype: Dtype,
    implementation: Implementation<E>,
}

/// The implementation of the step.
enum Implementation<E: Engine> {
    Own(ClosureStep),
    /// Stepwell's own, on the device that has all parameters.
    #[cfg(not(target_family = "wasm"))]
    Device(ClosureStep, Shared<dyn Device>),
    /// The tensor library, with copies of the options and of the state.
    Library(Shared<Minimize<E::Tensor>>, Vec<OptionValue>, Option<AnyLbfgsStateDict>),
}

impl<E: Engine> LbfgsStep<E> {
    fn new(engine: &E, bound: &BoundOptimizer<E>) -> Result<Self> {
        let tensors = bound.tensors().to_vec();
        let dtype = common_dtype(engine, &tensors)?;
        let trained = bound.trained(engine);
        let begins_anew = !bound.lbfgs_state_is_current(&trained);
        let optimizer = &bound.optimizer;
        let implementation = match bound.library() {
            Some(LibraryOptimizer::Closure(minimize)) => {
                let options = optimizer.groups().first().map_or_else(Vec::new, |group| group.options().to_vec());
                let state = if begins_anew { None } else { optimizer.lbfgs_state_dict()? };
                Implementation::Library(Shared::clone(minimize), options, state)
            }
            _ => {
                let step = match begins_anew {
                    true => optimizer.closure_step_without_state(),
                    false => optimizer.closure_step(),
                };
                #[cfg(not(target_family = "wasm"))]
                if !bound.is_offloaded()
                    && let Some(device) = device_of(engine, &tensors)?
                {
                    let implementation = Implementation::Device(step, device);
                    return Ok(Self { tensors, trained, dtype, implementation });
                }
                Implementation::Own(step)
            }
        };
        Ok(Self { tensors, trained, dtype, implementation })
    }

    fn run(self, access: &EngineAccess<'_, E>, closure: &mut dyn FnMut() -> Result<f64>) -> Result<(f64, LbfgsState)> {
        let Self { tensors, trained, dtype, implementation } = self;
        match (implementation, dtype) {
            // Without optimizers of the library no code is compiled for them.
            (Implementation::Library(..), _) if !E::HAS_OPTIMIZERS => {
                Err(Error::new(Code::Internal, "an optimizer of a library that has none"))
            }
            (Implementation::Library(library, options, state), _) => {
                let ranges = TrainedRanges::new(&*access.engine(), &tensors, &trained)?;
                let parameters: Vec<_> = tensors
                    .into_iter()
                    .zip(trained)
                    .filter(|(_, trained)| *trained)
                    .map(|(tensor, _)| tensor)
                    .collect();
                let group = LibraryGroup { options: &options, parameters: &parameters };
                if parameters.is_empty() {
                    // All are frozen: there is nothing to minimize.
                    let state = state.unwrap_or_else(|| AnyLbfgsStateDict::Float(LbfgsStateDict::default()));
                    return Ok((closure()?, state.try_into()?));
                }
                let state = state.map(|state| ranges.narrowed(state)).transpose()?;
                let (loss, state) = library(&group, state.as_ref(), closure)?;
                Ok((loss, ranges.widened(state)?.try_into()?))
            }
            #[cfg(not(target_family = "wasm"))]
            (Implementation::Device(step, device), dtype) => {
                minimize_there(access, (&device, dtype), &tensors, &trained, closure, step)
            }
            (Implementation::Own(step), Dtype::Float) => {
                minimize_flat::<E, f32, _>(access, &tensors, &trained, closure, |x, objective| {
                    step.minimize_f32(x, objective)
                })
            }
            (Implementation::Own(step), _) => {
                minimize_flat::<E, f64, _>(access, &tensors, &trained, closure, |x, objective| {
                    step.minimize_f64(x, objective)
                })
            }
        }
    }
}

fn common_dtype<E: Engine>(engine: &E, tensors: &[E::Tensor]) -> Result<Dtype> {
    let Some(first) = tensors.first() else {
        return Err(Error::new(Code::Parameter, "the optimizer has no parameters"));
    };
    let dtype = engine.dtype(first)?;
    for tensor in tensors {
        let other = engine.dtype(tensor)?;
        if E::HAS_REDUCED && other.is_reduced() {
            let message = format_args!("lbfgs needs more digits than {} has: use float or double", other.name());
            return Err(Error::new(Code::Dtype, message));
        }
        if other != dtype {
            let message =
                format_args!("lbfgs needs parameters of one dtype, given {} and {}", dtype.name(), other.name());
            return Err(Error::new(Code::Dtype, message));
        }
    }
    Ok(dtype)
}

fn minimize_flat<E: Engine, T: Differentiable, R>(
    access: &EngineAccess<'_, E>,
    tensors: &[E::Tensor],
    trained: &[bool],
    closure: &mut dyn FnMut() -> Result<f64>,
    minimize: impl FnOnce(&[T], &mut dyn Objective<T>) -> Result<R>,
) -> Result<R> {
    let mut count = 0;
    for tensor in tensors {
        count += element_count(&*access.engine(), tensor)?;
    }
    let mut start = filled(count, T::default())?;
    let mut flat = FlatParameters { access, tensors, trained, closure, element: PhantomData };
    flat.for_each(&mut start, |engine, tensor, _, piece| read(engine, tensor, piece))?;
    minimize(&start, &mut flat)
}

fn read<E: Engine, T: Differentiable>(engine: &E, tensor: &E::Tensor, to: &mut [T]) -> Result<()> {
    fits::<E, T>(engine, tensor, to.len())?;
    engine.read_into(tensor, T::slice_mut(to))
}

/// Fails if the closure has changed dtype or length of the tensor.
fn fits<E: Engine, T: Differentiable>(engine: &E, tensor: &E::Tensor, length: usize) -> Result<()> {
    if engine.dtype(tensor)? == T::DTYPE && element_count(engine, tensor)? == length { Ok(()) } else { Err(changed()) }
}

/// The parameters as one vector.
struct FlatParameters<'a, 'b, E: Engine, T> {
    access: &'a EngineAccess<'b, E>,
    tensors: &'a [E::Tensor],
    trained: &'a [bool],
    closure: &'a mut dyn FnMut() -> Result<f64>,
    element: PhantomData<T>,
}

impl<E: Engine, T: Differentiable> FlatParameters<'_, '_, E, T> {
    /// Calls `f` with each tensor, whether it is trained, and its piece of the vector.
    fn for_each(&self, all: &mut [T], f: impl Fn(&E, &E::Tensor, bool, &mut [T]) -> Result<()>) -> Result<()> {
        let engine = self.access.engine();
        let mut rest = all;
        for (tensor, trained) in self.tensors.iter().zip(self.trained) {
            let (piece, after) = rest.split_at_mut_checked(element_count(&*engine, tensor)?).ok_or_else(changed)?;
            f(&engine, tensor, *trained, piece)?;
            rest = after;
        }
        if rest.is_empty() { Ok(()) } else { Err(changed()) }
    }
}

impl<E: Engine, T: Differentiable> Objective<T> for FlatParameters<'_, '_, E, T> {
    fn set_parameters(&mut self, parameters: &[T]) -> Result<()> {
        let engine = self.access.engine();
        let mut rest = parameters;
        for (tensor, trained) in self.tensors.iter().zip(self.trained) {
            let (piece, after) = rest.split_at_checked(element_count(&*engine, tensor)?).ok_or_else(changed)?;
            if *trained {
                engine.write_from(tensor, T::slice(piece))?;
            }
            rest = after;
        }
        Ok(())
    }

    fn evaluate(&mut self, gradient: &mut [T]) -> Result<f64> {
        let loss = (self.closure)()?;
        self.for_each(gradient, |engine, tensor, trained, piece| match engine.grad(tensor).filter(|_| trained) {
            Some(grad) => read(engine, &grad, piece),
            None => {
                piece.fill(T::default());
                Ok(())
            }
        })?;
        Ok(loss)
    }
}

/// The error of a step whose closure returned no number to a binding. The SDK keeps exceptions of closures, so this
/// error arrives only if no stack was left for the call.
pub fn closure_failed() -> Error {
    Error::new(Code::Memory, "the closure failed, or the call stack is exhausted")
}
