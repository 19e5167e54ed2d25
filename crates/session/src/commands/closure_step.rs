//! `step` with a closure.

use std::cell::{Ref, RefCell};

use stepwell_optim::{NonFinite, Outcome, Result, Shared, SharedCell};

use crate::commands::arguments::Arguments;
use crate::engine::Engine;
use crate::nn::buffer_snapshot::BufferSnapshot;
use crate::session::Session;
use crate::training::bound_optimizer::BoundOptimizer;
use crate::training::engine_access::EngineAccess;
use crate::training::failed_calls::{tell_failure, told};
use crate::training::lbfgs_step::minimize;
use crate::training::non_finite::FiniteCheck;
use crate::training::passes::{Pass, Passes, Share};
use crate::training::step_options::StepSettings;
use crate::values::handle::Handle;
use crate::values::value::Value;

impl<E: Engine> Session<E> {
    /// `step(optimizer, closure, [options])`: the closure computes the loss and its gradients and returns the loss. L-BFGS calls it
    /// as often as it needs; any other optimizer calls it once and then steps. Returns the first loss.
    ///
    /// The session is not borrowed while the closure runs, so the closure can use it. `session/running_steps.rs` has
    /// the calls that it cannot make.
    ///
    /// # Errors
    /// Errors of the closure, errors of a step that cannot begin, and `Code::Gradient` if gradients must be finite and
    /// are not. Parameters and state are then as they were.
    pub fn step_with_closure(
        session: &RefCell<Self>,
        optimizer: Handle,
        closure: &mut dyn FnMut() -> Result<f64>,
        options: Value,
    ) -> Result<f64> {
        let result = (|| {
            let settings = StepSettings::parse(Arguments::after(2, vec![options]).options()?)?;
            let optimizer = session.borrow().optimizer_to_step(optimizer)?;
            let bound = {
                let session = session.borrow();
                session.engine.enter();
                Shared::clone(session.shared_optimizer(optimizer)?)
            };
            settings.check(bound.borrow().optimizer.definition())?;
            bound.borrow().optimizer.check_not_swapped()?;
            bound.borrow().check_non_finite(settings.nonfinite, settings.is_policy_given)?;
            #[cfg(not(target_family = "wasm"))]
            bound.borrow_mut().leave_ended_group()?;
            let _guard = Self::begin_step(session, &bound, false)?;
            Self::closure_step(session, &bound, closure, &settings)
        })();
        result.map_err(|error| error.within("step"))
    }

    /// The step itself. If gradients must be finite and are not, nothing changes, and running statistics of the
    /// optimizer's modules are restored.
    fn closure_step(
        session: &RefCell<Self>,
        bound: &SharedCell<BoundOptimizer<E>>,
        closure: &mut dyn FnMut() -> Result<f64>,
        settings: &StepSettings,
    ) -> Result<f64> {
        let checks = settings.nonfinite != NonFinite::Propagate;
        let (searches, snapshot) = {
            let (session, bound) = (session.borrow(), bound.borrow());
            let module = if checks { bound.registry.module() } else { None };
            let snapshot = module.map(|module| BufferSnapshot::of(&session.engine, &module, true)).transpose()?;
            (bound.optimizer.definition().needs_closure(), snapshot)
        };
        let mut finite_check = FiniteCheck::default();
        let mut evaluate = || {
            let mut loss = closure().inspect_err(|_| tell_failure(&session.borrow().engine, bound))?;
            if searches {
                // Its line search compares the losses and the gradients of all processes.
                let pass = Pass::Computed(loss, Share::Mean(1.0));
                loss = match bound.borrow().reduce(&session.borrow().engine, &pass, &settings.into())? {
                    Passes::Computed(loss) | Passes::Refused(loss) => loss,
                };
            }
            if checks && searches {
                finite_check.check(&bound.borrow(), &session.borrow().engine, loss)?;
            }
            Ok(loss)
        };
        let engine = || Ref::map(session.borrow(), |session| &session.engine);
        let mut result = if searches {
            minimize(&EngineAccess::Borrowed(&engine), bound, &mut evaluate).map(|loss| (loss, Outcome::Stepped))
        } else {
            evaluate().and_then(|loss| {
                let session = session.borrow();
                told(&session.engine, bound, || {
                    session.settle_scales()?;
                    let mut bound = bound.borrow_mut();
                    // The closure may have added parameters.
                    session.check_not_line_searched(&mut bound.tensors().iter())?;
                    bound.check_non_finite(settings.nonfinite, settings.is_policy_given)?;
                    // Running statistics of a skipped step are restored.
                    let restores = snapshot.is_some();
                    if restores {
                        bound.settle(&session.engine)?;
                    }
                    match bound.step(&session.engine, settings.into())? {
                        Outcome::Pending if restores => {
                            Ok((loss, bound.settle(&session.engine)?.unwrap_or(Outcome::Stepped)))
                        }
                        outcome => Ok((loss, outcome)),
                    }
                })
            })
        };
        if let Some(loss) = finite_check.skipped_loss(settings.nonfinite) {
            bound.borrow_mut().optimizer.count_skipped();
            result = Ok((loss, Outcome::Skipped));
        }
        if let (Some(snapshot), Err(_) | Ok((_, Outcome::Skipped))) = (snapshot, &result) {
            snapshot.restore(&session.borrow().engine)?;
        }
        result.map(|(loss, _)| loss)
    }
}
