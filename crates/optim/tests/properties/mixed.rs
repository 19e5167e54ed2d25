//! Steps with 16-bit parameters, bfloat16 moments and averages do not depend on threads or on the instruction set. A
//! skipped step leaves no trace.

#![allow(clippy::unwrap_used, reason = "a test")]

use half::{bf16, f16};
use stepwell_optim::{
    CATALOG, Definition, InstructionSet, NonFinite, Optimizer, OptionValue, Outcome, StepOptions, View,
};

use crate::steps::{THREADS, instruction_sets, states, step};

/// In elements: enough for several threads, and not a multiple of a block.
const LENGTH: usize = (1 << 18) + 777;

fn numbers<T>(length: usize, seed: f32, of: impl Fn(f32) -> T) -> Vec<T> {
    (0..length).map(|i| of((seed + i as f32 * 0.7).sin())).collect()
}

fn optimizer(definition: &'static Definition, named: &[(&str, OptionValue)], parameters: usize) -> Optimizer {
    let named: Vec<_> = named.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let mut optimizer = Optimizer::new(definition, &[], &named).unwrap();
    let options = optimizer.plan(0, &[], &[]).unwrap();
    optimizer.edit(0, options, parameters).unwrap();
    optimizer
}

/// Makes three steps on tensors of three types. Returns the bits of all parameters, and the state as text.
fn outcome(
    definition: &'static Definition,
    moments: &str,
    threads: usize,
    instruction_set: InstructionSet,
) -> (Vec<u32>, Vec<u16>, Vec<u16>, String) {
    let named = [("moments", OptionValue::Word(moments.into())), ("average", OptionValue::Float(0.9))];
    let mut optimizer = optimizer(definition, &named, 3);
    let mut float = numbers(LENGTH, 0.0, |x| x);
    let mut half = numbers(1001, 1.0, f16::from_f32);
    let mut brain = numbers(LENGTH / 3, 2.0, bf16::from_f32);
    let options = StepOptions { threads, instruction_set, loss_scale: 4.0, ..StepOptions::default() };
    for number in 0..3 {
        let seed = number as f32;
        let mut g = numbers(LENGTH, seed, |x| x);
        let mut h = numbers(1001, seed, f16::from_f32);
        let mut b = numbers(LENGTH / 3, seed, bf16::from_f32);
        let views = &mut [
            Some(View::Float(&mut float, &mut g)),
            Some(View::Half(&mut half, &mut h)),
            Some(View::BFloat16(&mut brain, &mut b)),
        ];
        assert_eq!(step(&mut optimizer, views, options).unwrap(), Outcome::Stepped);
    }
    let bits = float.iter().map(|x| x.to_bits()).collect();
    let halves = half.iter().map(|x| x.to_bits()).collect();
    let brains = brain.iter().map(|x| x.to_bits()).collect();
    (bits, halves, brains, states(&optimizer))
}

fn first_order() -> impl Iterator<Item = &'static Definition> {
    CATALOG.iter().filter(|definition| !definition.needs_closure())
}

#[test]
fn threads_and_instruction_sets_change_nothing() {
    for definition in first_order() {
        // Adagrad has no average of gradients.
        let averages = definition.name != "adagrad";
        for moments in ["full", "bfloat16"].into_iter().take(1 + usize::from(averages)) {
            let one = outcome(definition, moments, 1, InstructionSet::best());
            for &threads in THREADS {
                assert!(outcome(definition, moments, threads, InstructionSet::best()) == one, "{}", definition.name);
            }
            for &set in instruction_sets() {
                assert!(outcome(definition, moments, 2, set) == one, "{} {set:?}", definition.name);
            }
        }
    }
}

#[test]
fn a_skipped_step_makes_no_state_and_its_successor_is_the_first() {
    for definition in first_order() {
        let named = [("average", OptionValue::Float(0.9))];
        let (mut skips, mut plain) = (optimizer(definition, &named, 1), optimizer(definition, &named, 1));
        let (mut p, mut q) = (numbers(700, 0.0, f16::from_f32), numbers(700, 0.0, f16::from_f32));
        let options = StepOptions { non_finite: NonFinite::Skip, ..StepOptions::default() };
        let mut bad = numbers(700, 1.0, f16::from_f32);
        bad[699] = f16::NAN;
        let before = p.clone();
        let skipped = step(&mut skips, &mut [Some(View::Half(&mut p, &mut bad))], options).unwrap();
        assert_eq!((skipped, &p), (Outcome::Skipped, &before));
        assert_eq!(states(&skips), "[None]");
        // A change of options in between does not turn the first step into a later one.
        let row = skips.plan(0, &[], &[]).unwrap();
        skips.edit(0, row, 0).unwrap();
        for seed in [1.0, 2.0] {
            let mut g = numbers(700, seed, f16::from_f32);
            let mut h = g.clone();
            step(&mut skips, &mut [Some(View::Half(&mut p, &mut g))], options).unwrap();
            step(&mut plain, &mut [Some(View::Half(&mut q, &mut h))], StepOptions::default()).unwrap();
        }
        assert_eq!(p, q, "{}", definition.name);
        assert_eq!(states(&skips), states(&plain), "{}", definition.name);
    }
}
