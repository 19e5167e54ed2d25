//! L-BFGS, with or without a strong Wolfe line search.
//!
//! ```text
//! d = -H g, with H from the last `history` pairs s = t d, y = g - g_previous (two-loop recursion)
//! p = p + t d, up to `iter` times a step
//! ```
//!
//! Nocedal and Wright 2006, *Numerical Optimization*, algorithms 7.4 and 7.5; stopping rules and first step length as in
//! PyTorch's `LBFGS`. All parameters are one vector, so there is one parameter group, and a step needs a closure.

use std::collections::VecDeque;

use crate::rule::{Definition, Method};
use crate::strong_wolfe::{Point, search};
use crate::{Limit::*, OptionSet, OptionType, Result, Scalar, Value, count, options};

/// The line searches there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Search {
    StrongWolfe,
}

impl OptionType for Search {
    const KIND: crate::Kind = crate::Kind::Word(&["strong_wolfe"]);
    fn from_value(value: &Value) -> Option<Self> {
        matches!(value, Value::Word(_)).then_some(Search::StrongWolfe)
    }
    fn into_value(self) -> Value {
        Value::Word("strong_wolfe".into())
    }
}

options! {
    /// Options of L-BFGS.
    pub(crate) struct LbfgsOptions {
        /// Length of a step along the direction, or the first one tried by the line search.
        lr: f64 = 1.0, limit AtLeast(0.0);
        /// Most iterations of a step.
        iter: i64 = 20, limit AtLeast(1.0), alias "max_iter";
        /// Most evaluations of the closure in a step; null stands for iter * 5 / 4.
        eval: Option<i64> = None, limit AtLeast(1.0), alias "max_eval";
        /// Stop when no element of the gradient is larger.
        gradtol: f64 = 1e-7, limit AtLeast(0.0), alias "tolerance_grad";
        /// Stop when neither the loss nor any parameter changes more.
        changetol: f64 = 1e-9, limit AtLeast(0.0), alias "tolerance_change";
        /// How many past updates the curvature is made of.
        history: i64 = 100, limit AtLeast(1.0), alias "history_size";
        /// Line search; null for a fixed step length.
        search: Option<Search> = None, alias "line_search_fn";
        /// Climb instead of descend: the loss and its gradient are negated.
        maximize: bool = false, further true;
    }
}

pub(crate) const DEFINITION: Definition = Definition {
    name: "lbfgs",
    pytorch: Some("torch.optim.LBFGS"),
    about: "Limited-memory BFGS: a quasi-Newton method on all parameters at once; a step needs a closure.",
    options: LbfgsOptions::SPECS,
    counts_steps: false,
    buffers: &[],
    check: |_| Ok(()),
    method: Method::Closure,
};

/// What L-BFGS minimises: all parameters as one vector.
pub trait Objective<T> {
    /// Sets the parameters.
    fn set_parameters(&mut self, parameters: &[T]) -> Result<()>;
    /// Evaluates the loss at the parameters that are set, and its gradient.
    fn evaluate(&mut self, gradient: &mut [T]) -> Result<f64>;
}

/// What L-BFGS remembers between steps. Names as in PyTorch's state dict.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory<T> {
    /// Evaluations of the closure so far.
    pub func_evals: u64,
    /// Iterations so far.
    pub n_iter: u64,
    /// Length of the last step along `d`.
    pub t: f64,
    /// Loss before the last iteration.
    pub prev_loss: f64,
    /// Last direction.
    pub d: Vec<T>,
    /// Scale of the first guess at the inverse Hessian.
    pub h_diag: f64,
    /// Gradient before the last iteration.
    pub prev_flat_grad: Vec<T>,
    /// Differences of gradients, oldest first.
    pub old_dirs: VecDeque<Vec<T>>,
    /// Differences of parameters, oldest first.
    pub old_stps: VecDeque<Vec<T>>,
    /// 1 / (old_dirs · old_stps).
    pub ro: VecDeque<f64>,
}

impl<T: Scalar> Memory<T> {
    /// One step from `parameters`: up to `iter` iterations. Returns the loss at the start, as PyTorch does, and what to
    /// remember.
    ///
    /// # Errors
    /// Those of the objective. The parameters are then as they were before the step.
    pub(crate) fn step(
        mut self,
        row: &[Value],
        parameters: &[T],
        objective: &mut dyn Objective<T>,
    ) -> Result<(f64, Self)> {
        let options = LbfgsOptions::from_row(row)?;
        let done = if options.maximize {
            self.minimize(&options, parameters, &mut Negated(&mut *objective)).map(|loss| -loss)
        } else {
            self.minimize(&options, parameters, objective)
        };
        match done {
            Ok(loss) => Ok((loss, self)),
            Err(error) => {
                objective.set_parameters(parameters)?;
                Err(error)
            }
        }
    }

    fn minimize(&mut self, o: &LbfgsOptions, start: &[T], objective: &mut dyn Objective<T>) -> Result<f64> {
        let most_evaluations = o.eval.unwrap_or(o.iter * 5 / 4).max(1) as u64;
        let mut x = start.to_vec();
        let mut gradient = vec![T::default(); x.len()];
        let first_loss = objective.evaluate(&mut gradient)?;
        let mut loss = first_loss;
        let mut evaluations = 1;
        self.func_evals += 1;
        if largest(&gradient) <= o.gradtol {
            return Ok(first_loss);
        }
        for iteration in 1..=o.iter {
            self.n_iter += 1;
            self.turn(&gradient, count(o.history));
            self.prev_loss = loss;
            self.t = if self.n_iter == 1 { (1.0 / sum_of_magnitudes(&gradient)).min(1.0) * o.lr } else { o.lr };
            let slope = dot(&gradient, &self.d);
            if slope > -o.changetol {
                break;
            }
            let spent = match o.search {
                Some(Search::StrongWolfe) => {
                    let mut probe = Probe { x: &x, d: &self.d, objective: &mut *objective };
                    let from = Point { t: 0.0, loss, gradient: gradient.clone(), slope };
                    let most = most_evaluations.saturating_sub(evaluations);
                    let (found, spent) = search(&mut |t| probe.at(t), from, self.t, largest(&self.d), most)?;
                    (self.t, loss, gradient) = (found.t, found.loss, found.gradient);
                    advance(&mut x, self.t, &self.d);
                    objective.set_parameters(&x)?;
                    spent
                }
                None => {
                    advance(&mut x, self.t, &self.d);
                    objective.set_parameters(&x)?;
                    if iteration == o.iter {
                        // Nobody would look at the loss or the gradient.
                        break;
                    }
                    loss = objective.evaluate(&mut gradient)?;
                    1
                }
            };
            evaluations += spent;
            self.func_evals += spent;
            if evaluations >= most_evaluations
                || largest(&gradient) <= o.gradtol
                || largest(&self.d) * self.t.abs() <= o.changetol
                || (loss - self.prev_loss).abs() < o.changetol
            {
                break;
            }
        }
        Ok(first_loss)
    }

    /// Learns the curvature from the last iteration and sets the next direction `d`.
    fn turn(&mut self, gradient: &[T], history: usize) {
        if self.n_iter == 1 {
            self.h_diag = 1.0;
            self.d = gradient.iter().map(|g| -*g).collect();
        } else {
            let y: Vec<T> = gradient.iter().zip(&self.prev_flat_grad).map(|(g, before)| *g - *before).collect();
            let t = T::from_f64(self.t);
            let s: Vec<T> = self.d.iter().map(|d| *d * t).collect();
            let curvature = dot(&y, &s);
            // A pair without positive curvature would make the inverse Hessian indefinite.
            if curvature > 1e-10 {
                self.h_diag = curvature / dot(&y, &y);
                self.old_dirs.push_back(y);
                self.old_stps.push_back(s);
                self.ro.push_back(1.0 / curvature);
            }
            while self.ro.len() > history {
                self.old_dirs.pop_front();
                self.old_stps.pop_front();
                self.ro.pop_front();
            }
            self.d = self.two_loops(gradient);
        }
        self.prev_flat_grad.clear();
        self.prev_flat_grad.extend_from_slice(gradient);
    }

    /// -H g
    fn two_loops(&self, gradient: &[T]) -> Vec<T> {
        let mut q: Vec<T> = gradient.iter().map(|g| -*g).collect();
        let mut al = vec![0.0; self.ro.len()];
        let pairs = || self.old_dirs.iter().zip(&self.old_stps).zip(&self.ro);
        for (((y, s), ro), al) in pairs().zip(&mut al).rev() {
            *al = dot(s, &q) * ro;
            advance(&mut q, -*al, y);
        }
        let h_diag = T::from_f64(self.h_diag);
        q.iter_mut().for_each(|q| *q = *q * h_diag);
        for (((y, s), ro), al) in pairs().zip(&al) {
            let be = dot(y, &q) * ro;
            advance(&mut q, al - be, s);
        }
        q
    }
}

/// The objective upside down, so that its maximum is a minimum.
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

/// The objective along a direction, for the line search.
struct Probe<'a, T> {
    x: &'a [T],
    d: &'a [T],
    objective: &'a mut dyn Objective<T>,
}

impl<T: Scalar> Probe<'_, T> {
    fn at(&mut self, t: f64) -> Result<Point<T>> {
        let mut x = self.x.to_vec();
        advance(&mut x, t, self.d);
        self.objective.set_parameters(&x)?;
        let mut gradient = x;
        let loss = self.objective.evaluate(&mut gradient)?;
        let slope = dot(&gradient, self.d);
        Ok(Point { t, loss, gradient, slope })
    }
}

/// x = x + t d
fn advance<T: Scalar>(x: &mut [T], t: f64, d: &[T]) {
    let t = T::from_f64(t);
    x.iter_mut().zip(d).for_each(|(x, d)| *x = *x + t * *d);
}

fn dot<T: Scalar>(a: &[T], b: &[T]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a.to_f64() * b.to_f64()).sum()
}

fn largest<T: Scalar>(x: &[T]) -> f64 {
    x.iter().map(|x| x.to_f64().abs()).fold(0.0, f64::max)
}

fn sum_of_magnitudes<T: Scalar>(x: &[T]) -> f64 {
    x.iter().map(|x| x.to_f64().abs()).sum()
}
