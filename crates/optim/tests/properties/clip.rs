//! Clipping inside the step equals clipping before it to the bit, and does not change the gradient in memory.

#![allow(clippy::unwrap_used, reason = "a test")]

use stepwell_optim::{CATALOG, Clip, GradientTransform, Optimizer, Scalar, StepOptions, View, sum_of_squares};

use crate::steps::step;

const CLIPS: [Clip; 5] = [Clip::None, Clip::Norm(0.5), Clip::Norm(1e9), Clip::Value(0.25), Clip::Value(1e9)];

fn numbers<T: Scalar>(count: usize, seed: f64) -> Vec<T> {
    (0..count).map(|i| T::from_f64((seed + i as f64 * 0.7).sin() * 2.0)).collect()
}

/// Three steps on two tensors, clipped inside the step or before it.
fn parameters<T: Scalar>(
    optimizer: &mut Optimizer,
    clip: Clip,
    inside: bool,
    view: for<'a> fn(&'a mut [T], &'a mut [T]) -> View<'a>,
) -> Vec<Vec<T>> {
    // More elements than a block, and not a multiple of the lanes.
    let mut parameters = [numbers::<T>(300, 0.0), numbers::<T>(7, 5.0)];
    for number in 0..3 {
        let mut gradients = [numbers::<T>(300, f64::from(number)), numbers::<T>(7, 9.0)];
        let before = gradients.clone();
        let step_clip = if inside {
            clip
        } else {
            let norm = gradients.iter().map(|g| sum_of_squares(g)).sum::<f64>().sqrt();
            gradients.iter_mut().for_each(|gradient| clip.transform(norm).apply(gradient));
            Clip::None
        };
        let [p, q] = &mut parameters;
        let [g, h] = &mut gradients;
        let options = StepOptions { clip: step_clip, ..StepOptions::default() };
        step(optimizer, &mut [Some(view(p, g)), Some(view(q, h))], options).unwrap();
        assert!(!inside || gradients == before);
    }
    parameters.to_vec()
}

#[test]
fn clipping_inside_a_step_is_clipping_before_it() {
    for definition in CATALOG.iter().filter(|definition| !definition.needs_closure()) {
        let make = || {
            let mut optimizer = Optimizer::new(definition, &[], &[]).unwrap();
            let options = optimizer.plan(0, &[], &[]).unwrap();
            optimizer.edit(0, options, 2).unwrap();
            optimizer
        };
        for clip in CLIPS {
            let run = |inside| parameters::<f32>(&mut make(), clip, inside, |p, g| View::Float(p, g));
            assert_eq!(run(true), run(false), "{} {clip:?}", definition.name);
            let run = |inside| parameters::<f64>(&mut make(), clip, inside, |p, g| View::Double(p, g));
            assert_eq!(run(true), run(false), "{} {clip:?}", definition.name);
        }
    }
}

#[test]
fn a_norm_within_its_limit_changes_nothing() {
    assert_eq!(Clip::Norm(2.0).transform(1.0), GradientTransform::Identity);
    assert_eq!(Clip::Norm(1.0).transform(3.0), GradientTransform::Scale(1.0 / (3.0 + 1e-6)));
    assert_eq!(Clip::Norm(1.0).transform(0.0), GradientTransform::Identity);
    assert_eq!(Clip::Norm(1.0).transform(f64::INFINITY), GradientTransform::Scale(0.0));
    assert!(matches!(Clip::Norm(1.0).transform(f64::NAN), GradientTransform::Scale(scale) if scale.is_nan()));
    assert_eq!(Clip::None.transform(1e300), GradientTransform::Identity);
}

#[test]
fn a_clamped_nan_stays_one() {
    let mut gradient = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.5];
    GradientTransform::Clamp(2.0).apply(&mut gradient);
    assert!(gradient[0].is_nan());
    assert_eq!(gradient[1..], [2.0, -2.0, -0.5]);
}
