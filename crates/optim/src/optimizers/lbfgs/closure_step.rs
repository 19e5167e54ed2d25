//! A step of L-BFGS, and the state that it returns.

use std::cell::RefCell;
use std::rc::Rc;

use crate::error::{Error, Result};
use crate::numeric::scalar::Scalar;
use crate::optimizers::lbfgs::history::History;
use crate::optimizers::lbfgs::objective::Objective;
use crate::optimizers::lbfgs::options::LbfgsOptions;
use crate::optimizers::lbfgs::state_dict::{AnyLbfgsStateDict, LbfgsStateDict};
use crate::optimizers::lbfgs::step::step;
use crate::options::table::OptionSet;
use crate::options::value::OptionValue;

/// The state of L-BFGS, with its workspace. Clones share both until a step of one changes them.
#[derive(Clone)]
pub struct LbfgsState(TypedHistory);

#[derive(Clone)]
enum TypedHistory {
    Float(SharedHistory<f32>),
    Double(SharedHistory<f64>),
}

/// Shared by an optimizer and its step.
type SharedHistory<T> = Rc<RefCell<History<T>>>;

impl LbfgsState {
    /// A copy as plain data.
    pub(crate) fn state_dict(&self) -> Result<AnyLbfgsStateDict> {
        Ok(match &self.0 {
            TypedHistory::Float(history) => AnyLbfgsStateDict::Float(history.borrow().state_dict()?),
            TypedHistory::Double(history) => AnyLbfgsStateDict::Double(history.borrow().state_dict()?),
        })
    }

    /// The number of elements of a vector, the number of pairs, and the size of an element in bytes.
    pub(crate) fn size(&self) -> (usize, usize, usize) {
        let ((width, pairs), bytes) = match &self.0 {
            TypedHistory::Float(history) => (history.borrow().size(), size_of::<f32>()),
            TypedHistory::Double(history) => (history.borrow().size(), size_of::<f64>()),
        };
        (width, pairs, bytes)
    }
}

impl TryFrom<AnyLbfgsStateDict> for LbfgsState {
    type Error = Error;

    /// # Errors
    /// [`Code::Format`](crate::Code::Format) for vectors of different lengths; [`Code::Memory`](crate::Code::Memory).
    fn try_from(state_dict: AnyLbfgsStateDict) -> Result<Self> {
        fn share<T: Scalar>(state_dict: LbfgsStateDict<T>) -> Result<SharedHistory<T>> {
            Ok(Rc::new(RefCell::new(History::from_state_dict(state_dict)?)))
        }
        Ok(Self(match state_dict {
            AnyLbfgsStateDict::Float(state_dict) => TypedHistory::Float(share(state_dict)?),
            AnyLbfgsStateDict::Double(state_dict) => TypedHistory::Double(share(state_dict)?),
        }))
    }
}

/// A step of L-BFGS that has not run yet.
pub struct ClosureStep {
    options: Result<LbfgsOptions>,
    state: Option<LbfgsState>,
}

impl ClosureStep {
    pub(crate) fn new(values: &[OptionValue], state: Option<&LbfgsState>) -> Self {
        Self { options: LbfgsOptions::from_values(values), state: state.cloned() }
    }

    /// Runs the step on f32 parameters. Returns the loss at its start, and the new state.
    ///
    /// # Errors
    /// Errors of the objective, and [`Code::Memory`](crate::Code::Memory); the parameters are then unchanged.
    pub fn minimize_f32(self, parameters: &[f32], objective: &mut dyn Objective<f32>) -> Result<(f64, LbfgsState)> {
        let history = if let Some(LbfgsState(TypedHistory::Float(history))) = self.state { Some(history) } else { None };
        let (loss, history) = minimize(&self.options?, history, parameters, objective)?;
        Ok((loss, LbfgsState(TypedHistory::Float(history))))
    }

    /// Runs the step on f64 parameters, as [`ClosureStep::minimize_f32`] does.
    pub fn minimize_f64(self, parameters: &[f64], objective: &mut dyn Objective<f64>) -> Result<(f64, LbfgsState)> {
        let history = if let Some(LbfgsState(TypedHistory::Double(history))) = self.state { Some(history) } else { None };
        let (loss, history) = minimize(&self.options?, history, parameters, objective)?;
        Ok((loss, LbfgsState(TypedHistory::Double(history))))
    }
}

/// Starts without history if there is one of another dtype or size.
fn minimize<T: Scalar>(
    options: &LbfgsOptions,
    history: Option<SharedHistory<T>>,
    parameters: &[T],
    objective: &mut dyn Objective<T>,
) -> Result<(f64, SharedHistory<T>)> {
    let history = match history.filter(|history| history.borrow().fits(parameters.len())) {
        Some(history) if has_other_owners(&history) => {
            let state_dict = history.borrow().state_dict()?;
            Rc::new(RefCell::new(History::from_state_dict(state_dict)?))
        }
        Some(history) => history,
        None => Rc::new(RefCell::new(History::new())),
    };
    let loss = step(options, &history, parameters, objective)?;
    Ok((loss, history))
}

/// True if the history has an owner besides the optimizer and this step: a clone of the optimizer, or an outer step.
/// Also true after a panic in a closure.
fn has_other_owners<T: Scalar>(history: &SharedHistory<T>) -> bool {
    Rc::strong_count(history) > 2 || history.borrow().is_stepping()
}
