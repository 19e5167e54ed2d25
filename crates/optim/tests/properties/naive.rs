//! Every kernel against its formula in plain f64, for any length and alignment, with NaN, infinity and denormals.

#![allow(clippy::unwrap_used, reason = "a test")]

use proptest::prelude::*;
use stepwell_optim::{Optimizer, OptionValue, Scalar, StepOptions, View, definition, sum_of_squares};

use crate::steps::step;

/// A parameter with its moments, as in textbooks.
#[derive(Clone, Default)]
struct Plain {
    p: f64,
    m: f64,
    v: f64,
}

const LR: f64 = 0.01;
const EPS: f64 = 1e-8;

fn adaptive(x: &mut Plain, g: f64, t: i32) -> f64 {
    x.m = 0.9 * x.m + 0.1 * g;
    x.v = 0.999 * x.v + 0.001 * g * g;
    (x.m / (1.0 - 0.9f64.powi(t))) / ((x.v / (1.0 - 0.999f64.powi(t))).sqrt() + EPS)
}

/// One step of all elements of a tensor.
fn naive(name: &str, xs: &mut [Plain], gs: &[f64], t: i32) {
    if name == "lamb" {
        let norm = gs.iter().map(|g| g * g).sum::<f64>().sqrt();
        let divisor = if norm > 0.0 { norm } else { 1.0 };
        let u: Vec<_> = xs.iter_mut().zip(gs).map(|(x, g)| adaptive(x, g / divisor, t)).collect();
        let length = |squares: f64| squares.sqrt();
        let (wide, far) = (length(xs.iter().map(|x| x.p * x.p).sum()), length(u.iter().map(|u| u * u).sum()));
        let ratio = if wide > 0.0 && far > 0.0 { (wide / far).min(1.0) } else { 1.0 };
        xs.iter_mut().zip(u).for_each(|(x, u)| x.p -= LR * ratio * u);
        return;
    }
    for (x, &g) in xs.iter_mut().zip(gs) {
        match name {
            "sgd" => x.p -= LR * g,
            "adagrad" => {
                x.v += g * g;
                x.p -= LR * g / (x.v.sqrt() + 1e-10);
            }
            "rmsprop" => {
                x.v = 0.99 * x.v + 0.01 * g * g;
                x.p -= LR * g / (x.v.sqrt() + EPS);
            }
            "adam" => x.p -= LR * adaptive(x, g, t),
            "adamw" => {
                x.p -= LR * 0.01 * x.p;
                x.p -= LR * adaptive(x, g, t);
            }
            other => unreachable!("{other}"),
        }
    }
}

/// Steps on slices that start `offset` elements into their memory.
fn stepped<T: Scalar>(
    name: &str,
    start: &[f64],
    gradients: &[Vec<f64>],
    offset: usize,
    view: for<'a> fn(&'a mut [T], &'a mut [T]) -> View<'a>,
) -> Vec<f64> {
    let t = |x: &f64| T::from_f64(*x);
    let padded = |x: &[f64]| vec![T::default(); offset].into_iter().chain(x.iter().map(t)).collect::<Vec<_>>();
    let lr = vec![("lr".to_owned(), OptionValue::Float(LR))];
    let mut optimizer = Optimizer::new(definition(name).unwrap(), &[], &lr).unwrap();
    let row = optimizer.plan(0, &[], &[]).unwrap();
    optimizer.edit(0, row, 1).unwrap();
    let mut parameter = padded(start);
    for gradient in gradients {
        let mut gradient = padded(gradient);
        let views = &mut [Some(view(&mut parameter[offset..], &mut gradient[offset..]))];
        step(&mut optimizer, views, StepOptions::default()).unwrap();
    }
    parameter[offset..].iter().map(|x| x.to_f64()).collect()
}

/// The number rounded to T, so that the reference computes with the same value.
fn rounded<T: Scalar>(x: &[f64]) -> Vec<f64> {
    x.iter().map(|x| T::from_f64(*x).to_f64()).collect()
}

fn compare<T: Scalar>(
    name: &str,
    start: &[f64],
    gradients: &[Vec<f64>],
    offset: usize,
    tolerance: f64,
    view: for<'a> fn(&'a mut [T], &'a mut [T]) -> View<'a>,
) -> Result<(), TestCaseError> {
    let start = rounded::<T>(start);
    let gradients: Vec<_> = gradients.iter().map(|gradient| rounded::<T>(gradient)).collect();
    let ours = stepped::<T>(name, &start, &gradients, offset, view);
    let mut plain: Vec<_> = start.iter().map(|&p| Plain { p, ..Plain::default() }).collect();
    for (i, gradient) in gradients.iter().enumerate() {
        naive(name, &mut plain, gradient, i as i32 + 1);
    }
    for (i, (ours, plain)) in ours.iter().zip(&plain).enumerate() {
        let expected = T::from_f64(plain.p).to_f64();
        let near = (ours - expected).abs() <= tolerance * (expected.abs() + 4.0 * LR);
        // Which of NaN and infinity results depends on factors of 0 and 1 that a formula may leave out.
        let lost = !ours.is_finite() && !expected.is_finite();
        prop_assert!(near || lost, "{name} [{i}] of {}: {ours} instead of {expected}", start.len());
    }
    Ok(())
}

/// Lengths close to multiples of vectors, blocks and chunks.
fn length() -> impl Strategy<Value = usize> {
    prop_oneof![0usize..70, 500usize..530, 1020usize..1030, 16_380usize..16_400]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_step_is_its_formula(
        length in prop_oneof![4 => length(), 1 => 65_530usize..65_600],
        offset in 0usize..17,
        seed in 0u32..1000,
    ) {
        let wave = |step: u32| (0..length).map(|i| (f64::from(seed + 7 * step) + i as f64 * 0.7).sin()).collect::<Vec<_>>();
        let gradients: Vec<_> = (1..5).map(wave).collect();
        for name in ["adam", "adamw", "sgd", "rmsprop", "adagrad", "lamb"] {
            compare::<f32>(name, &wave(0), &gradients, offset, 3e-6, |p, g| View::Float(p, g))?;
            compare::<f64>(name, &wave(0), &gradients, offset, 1e-13, |p, g| View::Double(p, g))?;
        }
    }

    #[test]
    fn what_is_not_finite_stays_where_it_is(length in 1usize..600, place in 0usize..600, special in 0usize..4) {
        // All optimizers except LAMB treat elements separately: the other elements move as without the NaN.
        let special = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300][special];
        let mut gradient: Vec<_> = (0..length).map(|i| (i as f64).sin()).collect();
        gradient[place % length] = special;
        let start = vec![0.5; length];
        for name in ["adam", "adamw", "sgd", "rmsprop", "adagrad"] {
            compare::<f32>(name, &start, &[gradient.clone(), gradient.clone()], 3, 3e-6, |p, g| View::Float(p, g))?;
            compare::<f64>(name, &start, &[gradient.clone(), gradient.clone()], 3, 1e-13, |p, g| View::Double(p, g))?;
        }
    }

    #[test]
    fn a_norm_is_that_of_f64(length in length(), seed in 0u32..1000, power in -44i32..39, zeros in 0usize..4) {
        // Squares in f32 are normal numbers from 1e-22 to 1e19.
        let scale = 10f64.powi(power);
        let wave = |i: usize| (f64::from(seed) + i as f64 * 0.7).sin() * scale * if i % 4 < zeros { 0.0 } else { 1.0 };
        let doubles: Vec<_> = (0..length).map(wave).collect();
        let floats: Vec<_> = doubles.iter().map(|x| *x as f32).collect();
        let near = |squares: f64, naive: f64, tolerance: f64| (squares - naive).abs() <= tolerance * naive;
        let naive: f64 = doubles.iter().map(|x| x * x).sum();
        // The reference adds in sequence, and may lose this much in 16,000 additions.
        prop_assert!(near(sum_of_squares(&doubles), naive, 1e-13));
        let naive: f64 = floats.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
        prop_assert!(near(sum_of_squares(&floats), naive, 1e-7), "{} instead of {naive}", sum_of_squares(&floats));
    }

    #[test]
    fn denormals_are_numbers(length in 1usize..100, tiny in 1u64..1_000_000) {
        let gradient: Vec<_> = (0..length).map(|i| f64::from_bits(tiny + i as u64)).collect();
        let start: Vec<_> = gradient.iter().map(|g| g * 3.0).collect();
        for name in ["adam", "adamw", "sgd", "rmsprop", "adagrad", "lamb"] {
            compare::<f64>(name, &start, std::slice::from_ref(&gradient), 1, 1e-13, |p, g| View::Double(p, g))?;
        }
        let gradient: Vec<_> = (0..length).map(|i| f64::from(f32::from_bits(tiny as u32 + i as u32))).collect();
        let start: Vec<_> = gradient.iter().map(|g| g * 3.0).collect();
        for name in ["adam", "adamw", "sgd", "rmsprop", "adagrad", "lamb"] {
            compare::<f32>(name, &start, std::slice::from_ref(&gradient), 1, 3e-6, |p, g| View::Float(p, g))?;
        }
    }
}
