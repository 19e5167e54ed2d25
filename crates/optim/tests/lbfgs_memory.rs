//! What L-BFGS does with memory: no allocation once it works, the pairs that a ring may hold, and nothing after an error.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use proptest::prelude::*;
use stepwell_optim::{Code, Curvature, Error, Learned, Memory, Objective, Optimizer, Result, Value, definition};

/// Counts what the current thread allocates.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // A thread that ends may still free and allocate.
    let _ = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + 1));
}

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(memory, layout) }
    }
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The chained Rosenbrock function, which fails at the call of that number.
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
    let mut named: Vec<_> = options.iter().map(|(name, value)| ((*name).to_owned(), Value::Float(*value))).collect();
    if searches {
        named.push(("search".to_owned(), Value::Word("strong_wolfe".into())));
    }
    Optimizer::new(definition("lbfgs").unwrap(), &[], &named).unwrap()
}

fn step(optimizer: &mut Optimizer, valley: &mut Valley, from: &[f64]) -> Result<f64> {
    let (loss, learned) = optimizer.closure_step().minimize_f64(from, valley)?;
    optimizer.remember(learned);
    Ok(loss)
}

fn memory(optimizer: &Optimizer) -> Memory<f64> {
    match optimizer.curvature() {
        Some(Curvature::Double(memory)) => memory,
        _ => Memory::default(),
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
            let before = ALLOCATIONS.get();
            step(&mut optimizer, &mut valley, &from).unwrap();
            let allocated = ALLOCATIONS.get() - before;
            assert!(number == 1 || allocated == 0, "step {number} with history {history}: {allocated} allocations");
        }
        let pairs = memory(&optimizer).ro.len();
        assert!(pairs == history as usize || (history == 100.0 && pairs > 20), "{pairs} pairs");
    }
}

#[test]
fn an_error_at_any_call_leaves_everything_as_it_was() {
    // As many pairs as a step finds, fewer, and more.
    for (searches, history) in [(false, 2.0), (false, 6.0), (false, 30.0), (true, 2.0), (true, 6.0), (true, 30.0)] {
        let options = [("history", history), ("iter", 7.0), ("gradtol", 0.0), ("changetol", 0.0)];
        let options: Vec<_> = options.into_iter().chain(if searches { None } else { Some(RATE[0]) }).collect();
        let (mut smooth, mut broken) = (lbfgs(&options, searches), lbfgs(&options, searches));
        let (mut at, mut valley) = (Valley::new(5), Valley::new(5));
        for _ in 0..6 {
            let from = at.x.clone();
            let calls = at.calls;
            step(&mut smooth, &mut at, &from).unwrap();
            let before = broken.curvature();
            for call in 1..=at.calls - calls {
                valley.fails_at = Some(valley.calls + call);
                let error = step(&mut broken, &mut valley, &from).unwrap_err();
                assert_eq!((error.code(), &valley.x, &broken.curvature()), (Code::Argument, &from, &before));
            }
            valley.fails_at = None;
            step(&mut broken, &mut valley, &from).unwrap();
            assert_eq!((&valley.x, broken.curvature()), (&at.x, smooth.curvature()));
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

    // A history that is cut later is the newest part of the longer one.
    let mut valley = Valley::new(6);
    for _ in 0..12 {
        let from = valley.x.clone();
        step(&mut long, &mut valley, &from).unwrap();
    }
    let before = memory(&long);
    let plan = long.plan(0, &[], &[("history".to_owned(), Value::Float(3.0))]).unwrap();
    long.edit(0, plan, 0).unwrap();
    let from = valley.x.clone();
    step(&mut long, &mut valley, &from).unwrap();
    let after = memory(&long);
    assert_eq!(after.ro.len(), 3);
    assert_eq!(after.old_dirs[..2], before.old_dirs[before.ro.len() - 2..]);
    assert_eq!(after.old_stps[..2], before.old_stps[before.ro.len() - 2..]);
}

/// What a step of the same optimizer in its own closure sees and does.
struct Nested<'a> {
    valley: Valley,
    optimizer: &'a mut Optimizer,
    before: Option<Curvature>,
}

impl Objective<f64> for Nested<'_> {
    fn set_parameters(&mut self, parameters: &[f64]) -> Result<()> {
        self.valley.set_parameters(parameters)
    }

    fn evaluate(&mut self, gradient: &mut [f64]) -> Result<f64> {
        if self.valley.calls < 5 {
            assert_eq!(self.optimizer.curvature(), self.before);
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
        let before = nested.curvature();
        let mut objective = Nested { valley: Valley::new(5), optimizer: &mut nested, before };
        objective.valley.x.clone_from(&from);
        let (_, learned) = outer.minimize_f64(&from, &mut objective).unwrap();
        assert_eq!(objective.valley.x, valley.x);
        nested.remember(learned);
        assert_eq!(nested.curvature(), alone.curvature());
    }
}

/// A loss whose gradient is given, however the parameters move.
struct Given<'a> {
    gradients: &'a [Vec<f64>],
    calls: usize,
}

impl Objective<f64> for Given<'_> {
    fn set_parameters(&mut self, _: &[f64]) -> Result<()> {
        Ok(())
    }

    fn evaluate(&mut self, gradient: &mut [f64]) -> Result<f64> {
        gradient.copy_from_slice(&self.gradients[self.calls]);
        self.calls += 1;
        Ok(1.0 / self.calls as f64)
    }
}

/// A difference of gradients and one of parameters.
type Pair = (Vec<f64>, Vec<f64>);

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// -H g as in Nocedal and Wright's algorithm 7.4, one line after the other.
fn naive_direction(gradient: &[f64], pairs: &[Pair]) -> Vec<f64> {
    let mut q: Vec<f64> = gradient.to_vec();
    let mut alphas = vec![0.0; pairs.len()];
    for (i, (y, s)) in pairs.iter().enumerate().rev() {
        alphas[i] = product(s, &q) / product(y, s);
        q.iter_mut().zip(y).for_each(|(q, y)| *q -= alphas[i] * y);
    }
    let scale = pairs.last().map_or(1.0, |(y, s)| product(s, y) / product(y, y));
    q.iter_mut().for_each(|q| *q *= scale);
    for (i, (y, s)) in pairs.iter().enumerate() {
        let beta = product(y, &q) / product(y, s);
        q.iter_mut().zip(s).for_each(|(q, s)| *q += (alphas[i] - beta) * s);
    }
    q.iter().map(|q| -q).collect()
}

/// Pairs of positive curvature, where y is s, stretched by another factor in each dimension; and two vectors.
fn history() -> impl Strategy<Value = (Vec<Pair>, Vec<f64>, Vec<f64>)> {
    // Around the widths of lanes and blocks.
    (prop_oneof![1usize..20, 250usize..262, 511usize..515], 0usize..9).prop_flat_map(|(n, count)| {
        let vector = move || prop::collection::vec(-1.0..1.0f64, n);
        let stretch = prop::collection::vec(0.5..2.0f64, n);
        let pair = (vector(), stretch).prop_map(|(mut s, stretch)| {
            s[0] = 1.0;
            (s.iter().zip(stretch).map(|(s, stretch)| s * stretch).collect(), s)
        });
        (prop::collection::vec(pair, count), vector(), vector())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_direction_is_that_of_the_plain_recursion((mut pairs, mut before, d) in history(), most in 1usize..9, t in 0.1..2.0f64) {
        // What the step will add: a gradient that grows along d, so that the pair has positive curvature.
        before[0] = 3.0;
        let d: Vec<f64> = d.iter().enumerate().map(|(i, d)| if i == 0 { 1.0 } else { *d }).collect();
        let gradient: Vec<f64> = before.iter().zip(&d).map(|(g, d)| g + 0.7 * d).collect();
        let memory = Memory {
            func_evals: 9,
            n_iter: 9,
            t,
            prev_loss: 1.0,
            d: d.clone(),
            h_diag: 1.0,
            prev_flat_grad: before.clone(),
            old_dirs: pairs.iter().map(|(y, _)| y.clone()).collect(),
            old_stps: pairs.iter().map(|(_, s)| s.clone()).collect(),
            ro: pairs.iter().map(|(y, s)| 1.0 / product(y, s)).collect(),
        };
        let mut optimizer = lbfgs(&[("history", most as f64), ("iter", 1.0), ("gradtol", 0.0)], false);
        optimizer.remember(Learned::try_from(Curvature::Double(memory)).unwrap());
        let gradients = [gradient.clone()];
        let start = vec![0.0; d.len()];
        let mut given = Given { gradients: &gradients, calls: 0 };
        let (_, learned) = optimizer.closure_step().minimize_f64(&start, &mut given).unwrap();
        optimizer.remember(learned);

        let y: Vec<f64> = gradient.iter().zip(&before).map(|(g, before)| g - before).collect();
        pairs.push((y, d.iter().map(|d| d * t).collect()));
        let pairs = &pairs[pairs.len().saturating_sub(most)..];
        let expected = naive_direction(&gradient, pairs);
        let Some(Curvature::Double(found)) = optimizer.curvature() else { panic!("another dtype") };
        prop_assert_eq!(found.ro.len(), pairs.len());
        for ((y, s), (old_dir, old_stp)) in pairs.iter().zip(found.old_dirs.iter().zip(&found.old_stps)) {
            prop_assert_eq!((y, s), (old_dir, old_stp));
        }
        let size = product(&expected, &expected).sqrt();
        for (found, expected) in found.d.iter().zip(&expected) {
            prop_assert!((found - expected).abs() <= 1e-9 * size, "{} instead of {}", found, expected);
        }
    }
}
