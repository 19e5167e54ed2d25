//! A step of L-BFGS: iterations until a stopping rule holds.

use std::cell::RefCell;

use crate::error::Result;
use crate::numeric::scalar::Scalar;
use crate::optimizers::lbfgs::history::{History, Workspace};
use crate::optimizers::lbfgs::objective::Objective;
use crate::optimizers::lbfgs::options::{LbfgsOptions, Search};
use crate::optimizers::lbfgs::strong_wolfe::{Point, search};
use crate::optimizers::lbfgs::vectors::{axpy, axpy_to, dot, max_abs, sum_abs};
use crate::options::option_type::count;

/// Runs up to `iter` iterations from `parameters`. Returns the loss at the start, as PyTorch does. The history is not
/// borrowed during calls of the objective, which sees the state before the step.
///
/// # Errors
/// Errors of the objective, and [`Code::Memory`](crate::Code::Memory). Parameters and history are then unchanged.
pub(crate) fn step<T: Scalar>(
    options: &LbfgsOptions,
    history: &RefCell<History<T>>,
    parameters: &[T],
    objective: &mut dyn Objective<T>,
) -> Result<f64> {
    let mut workspace = history.borrow_mut().begin(options, parameters)?;
    let done = if options.maximize {
        workspace.minimize(options, history, &mut Negated(&mut *objective)).map(|loss| -loss)
    } else {
        workspace.minimize(options, history, objective)
    };
    match done {
        Ok(_) => history.borrow_mut().commit(workspace),
        Err(_) => {
            history.borrow_mut().roll_back(workspace);
            objective.set_parameters(parameters)?;
        }
    }
    done
}

impl<T: Scalar> Workspace<T> {
    fn minimize(
        &mut self,
        o: &LbfgsOptions,
        history: &RefCell<History<T>>,
        objective: &mut dyn Objective<T>,
    ) -> Result<f64> {
        let max_evaluations = o.eval.unwrap_or(o.iter.saturating_mul(5) / 4).max(1) as u64;
        let first_loss = objective.evaluate(&mut self.gradients[self.current])?;
        let mut loss = first_loss;
        let mut evaluations = 1;
        self.variables.func_evals += 1;
        if max_abs(&self.gradients[self.current]) <= o.gradtol {
            return Ok(first_loss);
        }
        for iteration in 1..=o.iter {
            self.variables.n_iter += 1;
            let slope = self.update_direction(&mut history.borrow_mut().pool, count(o.history))?;
            self.variables.prev_loss = loss;
            self.variables.t = if self.variables.n_iter == 1 {
                (1.0 / sum_abs(&self.gradients[self.current])).min(1.0) * o.lr
            } else {
                o.lr
            };
            if slope > -o.changetol {
                break;
            }
            let spent = match o.search {
                Some(Search::StrongWolfe) => {
                    let from = Point { t: 0.0, loss, slope, gradient: self.current };
                    let spent;
                    (loss, spent) = self.search(from, max_evaluations.saturating_sub(evaluations), objective)?;
                    spent
                }
                None => {
                    axpy(&mut self.x, self.variables.t, &self.variables.d);
                    objective.set_parameters(&self.x)?;
                    if iteration == o.iter {
                        // The loss and the gradient at this point would not be used.
                        break;
                    }
                    loss = objective.evaluate(&mut self.gradients[self.current])?;
                    1
                }
            };
            evaluations += spent;
            self.variables.func_evals += spent;
            if evaluations >= max_evaluations
                || max_abs(&self.gradients[self.current]) <= o.gradtol
                || max_abs(&self.variables.d) * self.variables.t.abs() <= o.changetol
                || (loss - self.variables.prev_loss).abs() < o.changetol
            {
                break;
            }
        }
        Ok(first_loss)
    }

    /// Runs the line search and moves to the point that it finds. Returns its loss and the number of evaluations.
    fn search(&mut self, from: Point, max_refinements: u64, objective: &mut dyn Objective<T>) -> Result<(f64, u64)> {
        let Self { variables, x, trial, gradients, current, .. } = self;
        let mut evaluate = |t, gradient: usize| {
            axpy_to(trial, x, t, &variables.d);
            objective.set_parameters(trial)?;
            let loss = objective.evaluate(&mut gradients[gradient])?;
            Ok(Point { t, loss, slope: dot(&gradients[gradient], &variables.d), gradient })
        };
        let (found, spent) = search(&mut evaluate, from, variables.t, max_abs(&variables.d), max_refinements)?;
        (variables.t, *current) = (found.t, found.gradient);
        axpy(x, found.t, &variables.d);
        objective.set_parameters(x)?;
        Ok((found.loss, spent))
    }
}

/// The negated objective, whose minimum is the maximum of the objective.
struct Negated<'a, T>(&'a mut dyn Objective<T>);

impl<T: Scalar> Objective<T> for Negated<'_, T> {
    fn set_parameters(&mut self, parameters: &[T]) -> Result<()> {
        self.0.set_parameters(parameters)
    }

    fn evaluate(&mut self, gradient: &mut [T]) -> Result<f64> {
        let loss = self.0.evaluate(gradient)?;
        gradient.iter_mut().for_each(|g| *g = -*g);
        Ok(-loss)
    }
}
