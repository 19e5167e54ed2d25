//! A step gives the same bits for every number of threads and every instruction set.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::ops::Range;
use std::sync::OnceLock;

use half::{bf16, f16};
use stepwell_optim::{
    CATALOG, Clip, Definition, InstructionSet, NonFinite, Optimizer, OptionValue, StepOptions, View, definition,
};

use crate::option_variants::{Named, option_variants};

/// In elements: together enough for several threads. Some tensors enter LAMB's pipeline, one shared by all threads, and
/// some are small. No length is a multiple of a vector.
const LENGTHS: [usize; 10] = [270_003, 40_001, 70_001, 17, 1, 0, 280_001, 16_385, 5, 70_001];

fn wave(seed: usize, i: usize) -> f64 {
    static WAVE: OnceLock<Vec<f64>> = OnceLock::new();
    let wave = WAVE.get_or_init(|| (0..1009).map(|i| (f64::from(i) * 0.7).sin()).collect());
    wave[(seed * 31 + i) % wave.len()]
}

/// All lengths.
const ALL: Range<usize> = 0..LENGTHS.len();

/// The bits of parameters of these lengths after three steps.
fn bits<T: Copy>(
    definition: &'static Definition,
    named: &Named,
    options: StepOptions<'_>,
    which: Range<usize>,
    element: fn(f64) -> T,
    view: for<'a> fn(&'a mut [T], &'a mut [T]) -> View<'a>,
    bits: fn(T) -> u64,
) -> Option<Vec<u64>> {
    let mut optimizer = Optimizer::new(definition, &[], named).unwrap();
    let row = optimizer.plan(0, &[], &[]).unwrap();
    optimizer.edit(0, row, which.len()).unwrap();
    let made = |seed: usize, length: usize| (0..length).map(|i| element(wave(seed, i))).collect::<Vec<_>>();
    let mut parameters: Vec<_> = which.clone().map(|i| made(0, LENGTHS[i])).collect();
    for step in 1..4 {
        let mut gradients: Vec<_> = which.clone().map(|i| made(step + i, LENGTHS[i])).collect();
        let pairs = parameters.iter_mut().zip(&mut gradients);
        let mut views: Vec<_> = pairs.map(|(p, g)| Some(view(p, g))).collect();
        // Parameters in f64 have no moments in 16 bits.
        optimizer.step(&mut views, options).ok()?;
        if options.zero_gradients {
            assert!(gradients.iter().flatten().all(|g| bits(*g) == 0));
        }
    }
    Some(parameters.into_iter().flatten().map(bits).collect())
}

fn all_bits(
    definition: &'static Definition,
    named: &Named,
    options: StepOptions<'_>,
    which: Range<usize>,
) -> Vec<Option<Vec<u64>>> {
    let which = || which.clone();
    vec![
        bits(
            definition,
            named,
            options,
            which(),
            |x| x as f32,
            |p, g| View::Float(p, g),
            |x: f32| u64::from(x.to_bits()),
        ),
        bits(definition, named, options, which(), |x| x, |p, g| View::Double(p, g), |x: f64| x.to_bits()),
        bits(definition, named, options, which(), f16::from_f64, |p, g| View::Half(p, g), |x| u64::from(x.to_bits())),
        bits(
            definition,
            named,
            options,
            which(),
            bf16::from_f64,
            |p, g| View::BFloat16(p, g),
            |x| u64::from(x.to_bits()),
        ),
    ]
}

fn same_bits(definition: &'static Definition, named: &Named, plain: StepOptions<'_>) {
    let expected = all_bits(definition, named, plain, ALL);
    assert!(expected[0].is_some());
    let others = InstructionSet::available().iter().map(|set| StepOptions { instruction_set: *set, ..plain });
    let threads = [2, 4].map(|threads| StepOptions { threads, ..plain });
    for options in others.chain(threads) {
        let (set, threads) = (options.instruction_set, options.threads);
        // Not `assert_eq`, which would print millions of numbers.
        let equal = all_bits(definition, named, options, ALL) == expected;
        assert!(equal, "{} {named:?} with {set} and {threads} threads", definition.name);
    }
}

#[test]
fn threads_and_instruction_sets_change_no_bit() {
    for definition in CATALOG.iter().filter(|definition| !definition.needs_closure()) {
        for named in option_variants(definition) {
            same_bits(definition, &named, StepOptions::default());
        }
    }
}

#[test]
fn a_tensor_among_others_moves_as_it_does_alone() {
    for definition in CATALOG.iter().filter(|definition| !definition.needs_closure()) {
        // Without the norm of all gradients, which depends on the others.
        let named = match definition.name {
            "lamb" => vec![("globalnorm".into(), OptionValue::Flag(false)), ("decay".into(), OptionValue::Float(0.5))],
            _ => Vec::new(),
        };
        for threads in [1, 2] {
            let options = StepOptions { threads, ..StepOptions::default() };
            let together = all_bits(definition, &named, options, ALL);
            let alone: Vec<_> = ALL.map(|i| all_bits(definition, &named, options, i..i + 1)).collect();
            for (number, together) in together.into_iter().enumerate() {
                let alone: Vec<_> = alone.iter().flat_map(|each| each[number].iter().flatten().copied()).collect();
                assert!(together == Some(alone), "{} of type {number} with {threads} threads", definition.name);
            }
        }
    }
}

#[test]
fn threads_change_no_bit_with_gradient_operations() {
    for name in ["adamw", "lamb"] {
        for clip in [Clip::Norm(0.5), Clip::Value(0.25)] {
            let options = StepOptions {
                clip,
                loss_scale: 4.0,
                non_finite: NonFinite::Skip,
                zero_gradients: true,
                ..StepOptions::default()
            };
            same_bits(definition(name).unwrap(), &vec![("average".into(), OptionValue::Float(0.9))], options);
        }
    }
}
