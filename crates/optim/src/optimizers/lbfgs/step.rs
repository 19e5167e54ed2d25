//! A step of L-BFGS: iterations until a stopping rule holds.



use crate::shared::SharedCell;
use crate::error::Result;
use crate::optimizers::lbfgs::history::{History, Workspace};
use crate::optimizers::lbfgs::options::{LbfgsOptions, Search};
use crate::optimizers::lbfgs::strong_wolfe::{Point, search};
use crate::optimizers::lbfgs::vector_memory::VectorMemory;
use crate::options::option_type::count;

/// Runs up to `iter` iterations from `parameters`. Returns the loss at the start, as PyTorch does. The history is not
/// borrowed during calls of the objective, which sees the state before the step.
///
/// # Errors
/// Errors of the objective, and [`Code::Memory`](crate::Code::Memory). Parameters and history are then unchanged.
pub(super) fn step<V: VectorMemory>(
    options: &LbfgsOptions,
    history: &SharedCell<History<V>>,
    parameters: V::Ref<'_>,
    objective: &mut V::Objective<'_>,
) -> Result<f64> {
    let memory = history.borrow().memory.clone();
    let mut workspace = history.borrow_mut().begin(options, parameters)?;
    let done = workspace.minimize(options, &memory, history, objective);
    match done {
        Ok(_) => history.borrow_mut().commit(workspace),
        Err(_) => {
            history.borrow_mut().roll_back(workspace);
            V::set_parameters(objective, parameters)?;
        }
    }
    done.map(|loss| if options.maximize { -loss } else { loss })
}

/// The loss, and the gradient in a vector. Both are negated to maximize: the minimum of the negated objective is the
/// maximum of the objective.
fn evaluate<V: VectorMemory>(
    o: &LbfgsOptions,
    memory: &V,
    objective: &mut V::Objective<'_>,
    gradient: &mut V::Vector,
) -> Result<f64> {
    let loss = V::evaluate(objective, V::all_mut(gradient))?;
    if !o.maximize {
        return Ok(loss);
    }
    memory.negate_in_place(V::all_mut(gradient))?;
    Ok(-loss)
}

impl<V: VectorMemory> Workspace<V> {
    fn minimize(
        &mut self,
        o: &LbfgsOptions,
        memory: &V,
        history: &SharedCell<History<V>>,
        objective: &mut V::Objective<'_>,
    ) -> Result<f64> {
        let max_evaluations = o.eval.unwrap_or(o.iter.saturating_mul(5) / 4).max(1) as u64;
        let first_loss = evaluate(o, memory, objective, &mut self.gradients[self.current])?;
        let mut loss = first_loss;
        let mut evaluations = 1;
        self.variables.func_evals += 1;
        if memory.max_abs(V::all(&self.gradients[self.current]))? <= o.gradtol {
            return Ok(first_loss);
        }
        for iteration in 1..=o.iter {
            self.variables.n_iter += 1;
            let slope = self.update_direction(memory, &mut history.borrow_mut().pool, count(o.history))?;
            self.variables.prev_loss = loss;
            self.variables.t = if self.variables.n_iter == 1 {
                (1.0 / memory.sum_abs(V::all(&self.gradients[self.current]))?).min(1.0) * o.lr
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
                    let refinements = max_evaluations.saturating_sub(evaluations);
                    (loss, spent) = self.search(o, memory, from, refinements, objective)?;
                    spent
                }
                None => {
                    memory.axpy(V::all_mut(&mut self.x), self.variables.t, V::all(&self.variables.d))?;
                    V::set_parameters(objective, V::all(&self.x))?;
                    if iteration == o.iter {
                        // The loss and the gradient at this point would not be used.
                        break;
                    }
                    loss = evaluate(o, memory, objective, &mut self.gradients[self.current])?;
                    1
                }
            };
            evaluations += spent;
            self.variables.func_evals += spent;
            if evaluations >= max_evaluations
                || memory.max_abs(V::all(&self.gradients[self.current]))? <= o.gradtol
                || memory.max_abs(V::all(&self.variables.d))? * self.variables.t.abs() <= o.changetol
                || (loss - self.variables.prev_loss).abs() < o.changetol
            {
                break;
            }
        }
        Ok(first_loss)
    }

    /// Runs the line search and moves to the point that it finds. Returns its loss and the number of evaluations.
    fn search(
        &mut self,
        o: &LbfgsOptions,
        memory: &V,
        from: Point,
        max_refinements: u64,
        objective: &mut V::Objective<'_>,
    ) -> Result<(f64, u64)> {
        let Self { variables, x, trial, gradients, current, .. } = self;
        let d = V::all(&variables.d);
        let mut evaluate = |t, gradient: usize| {
            memory.axpy_to(V::all_mut(trial), V::all(x), t, d)?;
            V::set_parameters(objective, V::all(trial))?;
            let loss = evaluate(o, memory, objective, &mut gradients[gradient])?;
            let slope = memory.value(memory.dot(V::all(&gradients[gradient]), d)?)?;
            Ok(Point { t, loss, slope, gradient })
        };
        let (found, spent) = search(&mut evaluate, from, variables.t, memory.max_abs(d)?, max_refinements)?;
        memory.axpy(V::all_mut(x), found.t, d)?;
        (variables.t, *current) = (found.t, found.gradient);
        V::set_parameters(objective, V::all(x))?;
        Ok((found.loss, spent))
    }
}
