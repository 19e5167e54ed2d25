//! L-BFGS allocates only in its first step, keeps at most `history` pairs, and restores its state after an error.

#![allow(clippy::unwrap_used, reason = "a test")]

use stepwell_optim::{
    AnyLbfgsStateDict, Code, Error, LbfgsStateDict, Objective, Optimizer, OptionValue, Result, definition,
};

use crate::allocator::allocations;

/// The chained Rosenbrock function, which fails at the call with a given number.
struct Valley {
    x: Vec<f64>,
    calls: usize,
    fails_at: Option<usize>,
}

impl Valley {
    fn new(n: usize) -> Self {
        Self { x: (0..n).map(|i| -1.2 + 0.1 * i as f64).collect(), calls: 0, fails_at: None }
    }
}

impl Objective<f64> for Valley {
    fn set_parameters(&mut self, parameters: &[f64]) -> Result<()> {
        self.x.copy_from_slice(parameters);
        Ok(())
    }

    fn evaluate(&mut self, gradient: &mut [f64]) -> Result<f64> {
        self.calls += 1;
        if self.fails_at == Some(self.calls) {
            return Err(Error::new(Code::Argument, "on purpose"));
        }
        let (x, mut loss) = (&self.x, 0.0);
        gradient.fill(0.0);
        for i in 0..x.len() - 1 {
            let (a, b) = (x[i + 1] - x[i] * x[i], 1.0 - x[i]);
            loss += 100.0 * a * a + b * b;
            gradient[i] -= 400.0 * a * x[i] + 2.0 * b;
            gradient[i + 1] += 200.0 * a;
        }
        Ok(loss)
    }
}

fn lbfgs(options: &[(&str, f64)], searches: bool) -> Optimizer {
    let mut named: Vec<_> =
        options.iter().map(|(name, value)| ((*name).to_owned(), OptionValue::Float(*value))).collect();
    if searches {
        named.push(("search".to_owned(), OptionValue::Word("strong_wolfe".into())));
    }
    Optimizer::new(definition("lbfgs").unwrap(), &[], &named).unwrap()
}

fn step(optimizer: &mut Optimizer, valley: &mut Valley, from: &[f64]) -> Result<f64> {
    let (loss, learned) = optimizer.closure_step().minimize_f64(from, valley)?;
    optimizer.set_lbfgs_state(learned);
    Ok(loss)
}

fn memory(optimizer: &Optimizer) -> LbfgsStateDict<f64> {
    match optimizer.lbfgs_state_dict().unwrap() {
        Some(AnyLbfgsStateDict::Double(memory)) => memory,
        _ => LbfgsStateDict::default(),
    }
}

const RATE: [(&str, f64); 1] = [("lr", 1e-3)];

#[test]
fn a_step_after_the_first_allocates_nothing() {
    for (searches, history) in [(false, 3.0), (false, 100.0), (true, 3.0), (true, 100.0)] {
        let options = [("history", history), ("iter", 7.0), ("gradtol", 0.0), ("changetol", 0.0)];
        let options: Vec<_> = options.into_iter().chain(if searches { None } else { Some(RATE[0]) }).collect();
        let mut optimizer = lbfgs(&options, searches);
        let mut valley = Valley::new(40);
        let mut from = valley.x.clone();
        for number in 1..=30 {
            from.copy_from_slice(&valley.x);
            let before = allocations();
            step(&mut optimizer, &mut valley, &from).unwrap();
            let allocated = allocations() - before;
            assert!(number == 1 || allocated == 0, "step {number} with history {history}: {allocated} allocations");
        }
        let pairs = memory(&optimizer).ro.len();
        assert!(pairs == history as usize || (history == 100.0 && pairs > 20), "{pairs} pairs");
    }
}

#[test]
fn an_error_at_any_call_leaves_everything_as_it_was() {
    // Histories of as many pairs as a step finds, of fewer, and of more.
    for (searches, history) in [(false, 2.0), (false, 6.0), (false, 30.0), (true, 2.0), (true, 6.0), (true, 30.0)] {
        let options = [("history", history), ("iter", 7.0), ("gradtol", 0.0), ("changetol", 0.0)];
        let options: Vec<_> = options.into_iter().chain(if searches { None } else { Some(RATE[0]) }).collect();
        let (mut smooth, mut broken) = (lbfgs(&options, searches), lbfgs(&options, searches));
        let (mut at, mut valley) = (Valley::new(5), Valley::new(5));
        for _ in 0..6 {
            let from = at.x.clone();
            let calls = at.calls;
            step(&mut smooth, &mut at, &from).unwrap();
            let before = broken.lbfgs_state_dict().unwrap();
            for call in 1..=at.calls - calls {
                valley.fails_at = Some(valley.calls + call);
                let error = step(&mut broken, &mut valley, &from).unwrap_err();
                assert_eq!(
                    (error.code(), &valley.x, &broken.lbfgs_state_dict().unwrap()),
                    (Code::Argument, &from, &before)
                );
            }
            valley.fails_at = None;
            step(&mut broken, &mut valley, &from).unwrap();
            assert_eq!((&valley.x, broken.lbfgs_state_dict().unwrap()), (&at.x, smooth.lbfgs_state_dict().unwrap()));
        }
    }
}

#[test]
fn a_long_step_keeps_the_last_pairs_only_and_a_shorter_history_forgets_the_oldest() {
    let options = |history, iter| [("history", history), ("iter", iter), ("gradtol", 0.0), ("changetol", 0.0), RATE[0]];
    let (mut short, mut long) = (lbfgs(&options(4.0, 50.0), false), lbfgs(&options(100.0, 1.0), false));
    let mut valley = Valley::new(6);
    let from = valley.x.clone();
    step(&mut short, &mut valley, &from).unwrap();
    let found = memory(&short);
    assert_eq!((found.ro.len(), found.n_iter), (4, 50));

    // A history that is cut later equals the newest part of the longer one.
    let mut valley = Valley::new(6);
    for _ in 0..12 {
        let from = valley.x.clone();
        step(&mut long, &mut valley, &from).unwrap();
    }
    let before = memory(&long);
    let plan = long.plan(0, &[], &[("history".to_owned(), OptionValue::Float(3.0))]).unwrap();
    long.edit(0, plan, 0).unwrap();
    let from = valley.x.clone();
    step(&mut long, &mut valley, &from).unwrap();
    let after = memory(&long);
    assert_eq!(after.ro.len(), 3);
    assert_eq!(after.old_dirs[..2], before.old_dirs[before.ro.len() - 2..]);
    assert_eq!(after.old_stps[..2], before.old_stps[before.ro.len() - 2..]);
}

/// A step whose closure makes a step of the same optimizer.
struct Nested<'a> {
    valley: Valley,
    optimizer: &'a mut Optimizer,
    before: Option<AnyLbfgsStateDict>,
}

impl Objective<f64> for Nested<'_> {
    fn set_parameters(&mut self, parameters: &[f64]) -> Result<()> {
        self.valley.set_parameters(parameters)
    }

    fn evaluate(&mut self, gradient: &mut [f64]) -> Result<f64> {
        if self.valley.calls < 5 {
            assert_eq!(self.optimizer.lbfgs_state_dict().unwrap(), self.before);
        } else if self.valley.calls == 5 {
            let mut inner = Valley::new(5);
            let from = inner.x.clone();
            step(self.optimizer, &mut inner, &from)?;
            assert_eq!(memory(self.optimizer).n_iter, if self.before.is_some() { 14 } else { 7 });
        }
        self.valley.evaluate(gradient)
    }
}

#[test]
fn the_closure_sees_what_was_before_and_may_step_the_same_optimizer() {
    let options = [("history", 3.0), ("iter", 7.0), ("gradtol", 0.0), ("changetol", 0.0), RATE[0]];
    for steps_before in [0, 1] {
        let (mut alone, mut nested) = (lbfgs(&options, false), lbfgs(&options, false));
        let mut from = Valley::new(5).x;
        for optimizer in [&mut alone, &mut nested] {
            let mut valley = Valley::new(5);
            for _ in 0..steps_before {
                let start = Valley::new(5).x;
                step(optimizer, &mut valley, &start).unwrap();
            }
            from.clone_from(&valley.x);
        }
        let mut valley = Valley::new(5);
        valley.x.clone_from(&from);
        step(&mut alone, &mut valley, &from).unwrap();
        let outer = nested.closure_step();
        let before = nested.lbfgs_state_dict().unwrap();
        let mut objective = Nested { valley: Valley::new(5), optimizer: &mut nested, before };
        objective.valley.x.clone_from(&from);
        let (_, learned) = outer.minimize_f64(&from, &mut objective).unwrap();
        assert_eq!(objective.valley.x, valley.x);
        nested.set_lbfgs_state(learned);
        assert_eq!(nested.lbfgs_state_dict().unwrap(), alone.lbfgs_state_dict().unwrap());
    }
}
