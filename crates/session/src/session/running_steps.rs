//! Steps whose closures are running. The session is not borrowed during a closure, so commands check here which objects
//! they must not change.

use std::cell::RefCell;
#[cfg(not(target_family = "wasm"))]
use std::collections::HashSet;

use stepwell_optim::{Code, Error, Result, Shared, SharedCell};

use crate::engine::Engine;
use crate::session::{Object, RunningStep, Session};
use crate::training::bound_optimizer::BoundOptimizer;
#[cfg(not(target_family = "wasm"))]
use crate::training::data_parallel::DataParallel;
use crate::values::dedupe::any_equal;
use crate::values::handle::Handle;

/// Steps within the closures of other steps nest at most so deep, so that recursion cannot exhaust the stack.
const MAX_DEPTH: usize = 16;

/// Keeps a step in the list of running steps until it is dropped, also after a panic.
pub(crate) struct RunningStepGuard<'a, E: Engine>(&'a RefCell<Session<E>>);

impl<E: Engine> Drop for RunningStepGuard<'_, E> {
    fn drop(&mut self) {
        if let Ok(mut session) = self.0.try_borrow_mut() {
            session.running.pop();
        }
    }
}

impl<E: Engine> Session<E> {
    /// Begins a step with a closure, or a pass of training.
    ///
    /// # Errors
    /// If the optimizer is already stepping, if steps nest too deep, or if the line search of another step sets its
    /// parameters.
    pub(crate) fn begin_step<'a>(
        session: &'a RefCell<Self>,
        bound: &Shared<SharedCell<BoundOptimizer<E>>>,
        is_pass: bool,
    ) -> Result<RunningStepGuard<'a, E>> {
        let mut borrowed = session.borrow_mut();
        if let Some(running) = borrowed.running_step(bound) {
            return Err(running.refuse());
        }
        if borrowed.running.len() >= MAX_DEPTH {
            let message = format_args!("steps within the closures of other steps nest at most {MAX_DEPTH} deep");
            return Err(Error::new(Code::Argument, message));
        }
        let mut line_searched = Vec::new();
        {
            let bound = bound.borrow();
            borrowed.check_not_line_searched(&mut bound.tensors().iter())?;
            #[cfg(not(target_family = "wasm"))]
            if bound.data_parallel.is_none() {
                borrowed.note_written(&mut bound.tensors().iter());
            }
            if bound.optimizer.definition().needs_closure() {
                line_searched.extend(bound.tensors().iter().map(|tensor| borrowed.engine.identity(tensor)));
            }
        }
        borrowed.running.push(RunningStep { bound: Shared::clone(bound), is_pass, line_searched });
        Ok(RunningStepGuard(session))
    }

    /// True for a handle of an optimizer in the closure of its own step, and for one of a model that has it.
    pub(crate) fn is_stepping(&self, handle: Handle) -> Result<bool> {
        Ok(self.running_step_of(handle)?.is_some())
    }

    fn running_step_of(&self, handle: Handle) -> Result<Option<&RunningStep<E>>> {
        Ok(match self.object(handle)? {
            Object::Optimizer(bound) => self.running_step(bound),
            Object::Model(model) => self.running_step(&model.optimizer),
            _ => None,
        })
    }

    fn running_step(&self, bound: &Shared<SharedCell<BoundOptimizer<E>>>) -> Option<&RunningStep<E>> {
        self.running.iter().find(|running| Shared::ptr_eq(&running.bound, bound))
    }

    /// Fails for a handle of an optimizer in the closure of its own step, or in a pass of training.
    pub(crate) fn check_not_stepping(&self, handle: Handle) -> Result<()> {
        self.running_step_of(handle)?.map_or(Ok(()), |running| Err(running.refuse()))
    }

    /// Fails while the closure of any step is running.
    pub(crate) fn check_none_stepping(&self) -> Result<()> {
        if !self.calls.is_empty() {
            return Err(Error::new(
                Code::Busy,
                "a pass is not over yet, and the function that it calls cannot free everything",
            ));
        }
        if self.running.is_empty() {
            return Ok(());
        }
        Err(Error::new(Code::Argument, "a step is not over yet, and its closure cannot free everything"))
    }

    /// Checks that a command can write to tensors, as [`Session::check_not_line_searched`] does. If other processes train them, too, the next
    /// step compares them.
    pub(crate) fn check_written(&self, tensors: &mut dyn Iterator<Item = &E::Tensor>) -> Result<()> {
        #[cfg(not(target_family = "wasm"))]
        if DataParallel::<E>::has_begun() {
            let tensors: Vec<&E::Tensor> = tensors.collect();
            self.note_written(&mut tensors.iter().copied());
            return self.check_not_line_searched(&mut tensors.into_iter());
        }
        self.check_not_line_searched(tensors)
    }

    /// Has the processes that train some of these tensors compare theirs in their next step.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn note_written(&self, tensors: &mut dyn Iterator<Item = &E::Tensor>) {
        if !DataParallel::<E>::has_begun() {
            return;
        }
        let written: HashSet<u64> = tensors.map(|tensor| self.engine.identity(tensor)).collect();
        for (_, counted) in self.table.iter() {
            let bound = match &counted.object {
                Object::Optimizer(bound) => bound,
                Object::Model(model) => &model.optimizer,
                _ => continue,
            };
            let Ok(bound) = bound.try_borrow() else { continue };
            let Some(parallel) = &bound.data_parallel else { continue };
            let own = bound.tensors().iter().map(|tensor| self.engine.identity(tensor));
            if own.chain(parallel.modules().identities(&self.engine)).any(|identity| written.contains(&identity)) {
                parallel.set_written();
            }
        }
    }

    /// Fails for a tensor whose elements a line search sets: other writes to it would be lost.
    pub(crate) fn check_not_line_searched(&self, tensors: &mut dyn Iterator<Item = &E::Tensor>) -> Result<()> {
        let mut identities = Vec::new();
        for running in &self.running {
            identities.extend_from_slice(&running.line_searched);
        }
        let count = identities.len();
        if count == 0 {
            return Ok(());
        }
        for tensor in tensors {
            identities.push(self.engine.identity(tensor));
        }
        if any_equal(&identities, count)? {
            let message = "lbfgs is stepping along this parameter: its closure can read it and set its gradient, \
                           and cannot write or convert it";
            return Err(Error::new(Code::Parameter, message));
        }
        Ok(())
    }
}

impl<E: Engine> RunningStep<E> {
    /// The error of a call that would free the optimizer or step it.
    fn refuse(&self) -> Error {
        let (code, message) = match self.is_pass {
            true => (
                Code::Busy,
                "a pass trains with this optimizer, and a function that the pass has called can neither free it nor step it",
            ),
            false => {
                (Code::Argument, "the step of this optimizer is not over: its closure can neither free it nor step it")
            }
        };
        Error::new(code, message)
    }
}
