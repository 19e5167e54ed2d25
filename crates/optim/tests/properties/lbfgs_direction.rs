//! The direction of L-BFGS equals the textbook's two-loop recursion, for random histories.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use proptest::prelude::*;
use stepwell_optim::{
    AnyLbfgsStateDict, LbfgsState, LbfgsStateDict, Objective, Optimizer, OptionValue, Result, definition,
};

/// A loss with a given gradient at all parameters.
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

/// The differences y of gradients and s of parameters.
type Pair = (Vec<f64>, Vec<f64>);

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// -H g as in Nocedal and Wright's algorithm 7.4, line by line.
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

/// Pairs of positive curvature, in which y is s times a factor for each dimension; and two vectors.
fn history() -> impl Strategy<Value = (Vec<Pair>, Vec<f64>, Vec<f64>)> {
    // Lengths close to multiples of lanes and blocks.
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
        // The pair that the step will add: the gradient grows along d, so the curvature is positive.
        before[0] = 3.0;
        let d: Vec<f64> = d.iter().enumerate().map(|(i, d)| if i == 0 { 1.0 } else { *d }).collect();
        let gradient: Vec<f64> = before.iter().zip(&d).map(|(g, d)| g + 0.7 * d).collect();
        let memory = LbfgsStateDict {
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
        let options = [("history", most as f64), ("iter", 1.0), ("gradtol", 0.0)];
        let options = options.map(|(name, value)| (name.to_owned(), OptionValue::Float(value)));
        let mut optimizer = Optimizer::new(definition("lbfgs").unwrap(), &[], &options).unwrap();
        optimizer.set_lbfgs_state(LbfgsState::try_from(AnyLbfgsStateDict::Double(memory)).unwrap());
        let gradients = [gradient.clone()];
        let start = vec![0.0; d.len()];
        let mut given = Given { gradients: &gradients, calls: 0 };
        let (_, learned) = optimizer.closure_step().minimize_f64(&start, &mut given).unwrap();
        optimizer.set_lbfgs_state(learned);

        let y: Vec<f64> = gradient.iter().zip(&before).map(|(g, before)| g - before).collect();
        pairs.push((y, d.iter().map(|d| d * t).collect()));
        let pairs = &pairs[pairs.len().saturating_sub(most)..];
        let expected = naive_direction(&gradient, pairs);
        let Some(AnyLbfgsStateDict::Double(found)) = optimizer.lbfgs_state_dict().unwrap() else { panic!("another dtype") };
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
