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
pub struct LbfgsState(Kind);

#[derive(Clone)]
enum Kind {
    Float(Shared<f32>),
    Double(Shared<f64>),
}

/// Shared by an optimizer and its step.
type Shared<T> = Rc<RefCell<History<T>>>;

impl LbfgsState {
    /// A copy as plain data.
    pub(crate) fn state_dict(&self) -> Result<AnyLbfgsStateDict> {
        Ok(match &self.0 {
            Kind::Float(history) => AnyLbfgsStateDict::Float(history.borrow().state_dict()?),
            Kind::Double(history) => AnyLbfgsStateDict::Double(history.borrow().state_dict()?),
        })
    }

    /// The number of elements of a vector, the number of pairs, and the size of an element in bytes.
    pub(crate) fn size(&self) -> (usize, usize, usize) {
        let ((width, pairs), bytes) = match &self.0 {
            Kind::Float(history) => (history.borrow().size(), size_of::<f32>()),
            Kind::Double(history) => (history.borrow().size(), size_of::<f64>()),
        };
        (width, pairs, bytes)
    }
}

impl TryFrom<AnyLbfgsStateDict> for LbfgsState {
    type Error = Error;

    /// # Errors
    /// [`Code::Format`](crate::Code::Format) for vectors of different lengths; [`Code::Memory`](crate::Code::Memory).
    fn try_from(state_dict: AnyLbfgsStateDict) -> Result<Self> {
        fn shared<T: Scalar>(state_dict: LbfgsStateDict<T>) -> Result<Shared<T>> {
            Ok(Rc::new(RefCell::new(History::from_state_dict(state_dict)?)))
        }
        Ok(Self(match state_dict {
            AnyLbfgsStateDict::Float(state_dict) => Kind::Float(shared(state_dict)?),
            AnyLbfgsStateDict::Double(state_dict) => Kind::Double(shared(state_dict)?),
        }))
    }
}

/// A step of L-BFGS that has not run yet.
pub struct ClosureStep {
    options: Result<LbfgsOptions>,
    state: Option<LbfgsState>,
}

impl ClosureStep {
    pub(crate) fn new(row: &[OptionValue], state: Option<&LbfgsState>) -> Self {
        Self { options: LbfgsOptions::from_row(row), state: state.cloned() }
    }

    /// Runs the step on f32 parameters. Returns the loss at its start, and the new state.
    ///
    /// # Errors
    /// Errors of the objective, and [`Code::Memory`](crate::Code::Memory); the parameters are then unchanged.
    pub fn minimize_f32(self, parameters: &[f32], objective: &mut dyn Objective<f32>) -> Result<(f64, LbfgsState)> {
        let history = if let Some(LbfgsState(Kind::Float(history))) = self.state { Some(history) } else { None };
        let (loss, history) = minimize(&self.options?, history, parameters, objective)?;
        Ok((loss, LbfgsState(Kind::Float(history))))
    }

    /// Runs the step on f64 parameters, as [`ClosureStep::minimize_f32`] does.
    pub fn minimize_f64(self, parameters: &[f64], objective: &mut dyn Objective<f64>) -> Result<(f64, LbfgsState)> {
        let history = if let Some(LbfgsState(Kind::Double(history))) = self.state { Some(history) } else { None };
        let (loss, history) = minimize(&self.options?, history, parameters, objective)?;
        Ok((loss, LbfgsState(Kind::Double(history))))
    }
}

/// Starts without history if there is one of another dtype or size.
fn minimize<T: Scalar>(
    options: &LbfgsOptions,
    history: Option<Shared<T>>,
    parameters: &[T],
    objective: &mut dyn Objective<T>,
) -> Result<(f64, Shared<T>)> {
    let history = match history.filter(|history| history.borrow().fits(parameters.len())) {
        Some(history) if is_elsewhere(&history) => {
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
fn is_elsewhere<T: Scalar>(history: &Shared<T>) -> bool {
    Rc::strong_count(history) > 2 || history.borrow().is_busy()
}
