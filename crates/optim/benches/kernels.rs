//! Times a step of each optimizer over slices, without a tensor library and without JavaScript.
//!
//! Run by `cargo bench -p stepwell-optim`, with a part of a name after `--` to select benchmarks.

#![allow(clippy::expect_used, missing_docs, reason = "a benchmark")]

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use stepwell_optim::{Optimizer, OptionValue, Scalar, StepOptions, View, definition};

fn main() {
    divan::main();
}

/// In elements: one size in the L1 cache, one in the last-level cache, one in memory.
const SIZES: [usize; 3] = [1 << 12, 1 << 18, 1 << 24];

/// A name, and options that select a loop; an option without a number is a flag.
type Described = (&'static str, &'static [(&'static str, Option<f64>)]);

const OPTIMIZERS: [Described; 9] = [
    ("adam", &[]),
    ("adamw", &[]),
    ("adam", &[("amsgrad", None)]),
    ("sgd", &[]),
    ("sgd", &[("momentum", Some(0.9))]),
    ("rmsprop", &[]),
    ("rmsprop", &[("centered", None), ("momentum", Some(0.9))]),
    ("adagrad", &[]),
    ("lamb", &[]),
];

/// One optimizer and size, displayed with the options.
#[derive(Clone, Copy)]
struct Case {
    optimizer: usize,
    size: usize,
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, options) = OPTIMIZERS[self.optimizer];
        let options: String = options.iter().map(|(option, _)| format!(" {option}")).collect();
        write!(f, "{name}{options}, {}", self.size)
    }
}

fn cases() -> impl Iterator<Item = Case> {
    (0..OPTIMIZERS.len()).flat_map(|optimizer| SIZES.map(|size| Case { optimizer, size }))
}

/// An optimizer over `parameters` parameters.
fn optimizer(index: usize, parameters: usize) -> Optimizer {
    let (name, options) = OPTIMIZERS[index];
    let value = |given: &Option<f64>| given.map_or(OptionValue::Flag(true), OptionValue::Float);
    let named: Vec<_> = options.iter().map(|(option, given)| ((*option).to_owned(), value(given))).collect();
    let mut optimizer = Optimizer::new(definition(name).expect("a known name"), &[], &named).expect("good options");
    let options = optimizer.plan(0, &[], &[]).expect("no change");
    optimizer.edit(0, options, parameters).expect("the first group");
    optimizer
}

fn numbers(size: usize, factor: usize) -> impl Iterator<Item = f64> {
    (0..size).map(move |i| (i * factor % 1000) as f64 / 1000.0 - 0.5)
}

#[divan::bench(args = cases(), max_time = 1)]
fn f32(bencher: Bencher<'_, '_>, case: Case) {
    steps::<f32>(bencher, case, |p, g| View::Float(p, g));
}

#[divan::bench(args = cases(), max_time = 1)]
fn f64(bencher: Bencher<'_, '_>, case: Case) {
    steps::<f64>(bencher, case, |p, g| View::Double(p, g));
}

fn steps<T: Scalar>(bencher: Bencher<'_, '_>, case: Case, view: for<'a> fn(&'a mut [T], &'a mut [T]) -> View<'a>) {
    let mut parameter: Vec<_> = numbers(case.size, 7919).map(T::from_f64).collect();
    let mut gradient: Vec<_> = numbers(case.size, 104_729).map(T::from_f64).collect();
    let mut optimizer = optimizer(case.optimizer, 1);
    let mut step = || {
        let view = view(black_box(&mut parameter), &mut gradient);
        optimizer.step(&mut [Some(view)], StepOptions::default()).expect("a step");
    };
    // Makes the state.
    step();
    bencher.counter(ItemsCount::new(case.size)).bench_local(step);
}

/// Times a step on a thousand tensors of sixteen elements, most of which is not arithmetic.
#[divan::bench]
fn a_thousand_small_tensors(bencher: Bencher<'_, '_>) {
    let mut parameters: Vec<Vec<f32>> = (0..1000).map(|_| numbers(16, 7919).map(|x| x as f32).collect()).collect();
    let mut gradients: Vec<Vec<f32>> = (0..1000).map(|_| numbers(16, 104_729).map(|x| x as f32).collect()).collect();
    let mut adam = optimizer(0, parameters.len());
    let mut step = || {
        let pairs = parameters.iter_mut().zip(&mut gradients);
        let mut views: Vec<_> = pairs.map(|(p, g)| Some(View::Float(p, g))).collect();
        adam.step(black_box(&mut views), StepOptions::default()).expect("a step");
    };
    step();
    bencher.counter(BytesCount::new(16_000 * 28_usize)).bench_local(step);
}
