//! Steps whose outcomes the device decides on, and that the host learns later. After any number of them parameters, state,
//! counts and loss scale are the host's.

use std::slice;
use std::sync::Arc;

use proptest::prelude::*;
use stepwell_optim::{Clip, Device, LossScale, NonFinite, Optimizer, OptionValue, Outcome, StepOptions};

use crate::emulated::{emulator, set_read_delay};
use crate::model::{Elements, Named, optimizer, option};
use crate::observed::Observed;
use crate::steps::{assert_same_states, place_views, take_views};

const NAMES: [&str; 6] = ["adam", "adamw", "sgd", "rmsprop", "adagrad", "lamb"];

/// An optimizer on the device and its twin on the host, with their parameters.
struct Pair {
    device: Arc<dyn Device>,
    ours: (Optimizer, Vec<Elements>),
    theirs: (Optimizer, Vec<Elements>),
}

impl Pair {
    fn new(device: Arc<dyn Device>, name: &str, named: &Named) -> Self {
        let make = || {
            let model: Vec<_> = (0..6).map(|i| Elements::new(i % 4, [700, 33, 17_000][i % 3], i)).collect();
            (optimizer(name, named, model.len()), model)
        };
        Self { device, ours: make(), theirs: make() }
    }

    /// Makes the step on both sides. One gradient is not finite if `is_bad` is true. Parameters with a bit in `missing`
    /// have no gradient. Returns the outcomes of device and host.
    fn step(&mut self, number: usize, is_bad: bool, missing: u32, options: StepOptions<'_>) -> [Outcome; 2] {
        let mut outcomes = [Outcome::Pending; 2];
        for (index, (optimizer, model)) in [&mut self.ours, &mut self.theirs].into_iter().enumerate() {
            let is_device = index == 0;
            model.iter_mut().enumerate().for_each(|(i, elements)| elements.set_gradient(number * 7 + i, 0.5));
            if is_bad {
                model[number % 3].set_gradient_element(number, f64::INFINITY);
            }
            let views = model.iter_mut().enumerate();
            let mut views: Vec<_> =
                views.map(|(i, elements)| (missing >> i & 1 == 0).then(|| elements.view())).collect();
            outcomes[index] = if is_device {
                let placed = place_views(emulator(), &mut views).unwrap();
                let outcome = optimizer.device_step(slice::from_ref(&self.device), &placed, options).unwrap();
                // Reads parameters only, so that the outcome stays unknown.
                take_views(emulator(), &mut views, &placed).unwrap();
                outcome
            } else {
                optimizer.step(&mut views, options).unwrap()
            };
        }
        outcomes
    }

    /// Changes options of both sides.
    fn edit(&mut self, named: &Named) {
        for (optimizer, _) in [&mut self.ours, &mut self.theirs] {
            let options = optimizer.plan(0, &[], named).unwrap();
            optimizer.edit(0, options, 0).unwrap();
        }
    }

    /// Fails unless both sides are equal.
    fn compare(&mut self, context: &str) {
        self.ours.0.settle().unwrap();
        let bits = |model: &[Elements]| model.iter().map(Elements::bits).collect::<Vec<_>>();
        assert!(bits(&self.ours.1) == bits(&self.theirs.1), "{context}: parameters differ");
        let states = |optimizer: &Optimizer| optimizer.device_states().unwrap();
        assert_same_states(&mut states(&self.ours.0), &mut states(&self.theirs.0), context);
        let counts = |optimizer: &Optimizer| format!("{:?} {}", optimizer.loss_scale, optimizer.skipped());
        assert_eq!(counts(&self.ours.0), counts(&self.theirs.0), "{context}");
    }
}

fn skipping() -> StepOptions<'static> {
    StepOptions { non_finite: NonFinite::Skip, ..StepOptions::default() }
}

/// Options in which constants depend on the number of steps, and an average.
fn options_of(name: &str) -> Named {
    let average = option("average", OptionValue::Float(0.9));
    match name {
        "adagrad" => vec![average, option("decay", OptionValue::Float(0.1))],
        "sgd" => vec![average, option("momentum", OptionValue::Float(0.9))],
        _ => vec![average],
    }
}

#[test]
fn a_step_that_may_be_skipped_waits_for_nothing() {
    for name in NAMES {
        let observed = Observed::new(emulator());
        let mut pair = Pair::new(observed.shared(), name, &options_of(name));
        // The host learns nothing until it asks.
        set_read_delay(1_000_000);
        for number in 0..20 {
            let clip = if number % 2 == 0 { Clip::None } else { Clip::Norm(0.5) };
            if number > 4 {
                pair.edit(&vec![option("lr", OptionValue::Float(0.01 / number as f64))]);
            }
            observed.take_calls();
            let outcomes = pair.step(number, number % 3 == 1, 0, StepOptions { clip, ..skipping() });
            let calls = observed.take_calls();
            assert_eq!(outcomes[0] == Outcome::Pending, number > 0, "{name} {number}");
            if number > 1 {
                assert_eq!((calls.downloads, calls.waits), (0, 0), "{name} {number}: {calls:?}");
                // The first pending step has read the count, and each eighth step after it does.
                let reads = usize::from(number == 9 || number == 17);
                assert_eq!((calls.reads, calls.allocations, calls.loads), (reads, 0, 0), "{name} {number}: {calls:?}");
            }
        }
        assert!(pair.ours.0.is_unsettled());
        pair.compare(name);
        assert_eq!(pair.ours.0.skipped(), 7);
        let calls = observed.take_calls();
        assert_eq!((calls.waits, calls.reads), (4, 1), "{name}");
    }
}

#[test]
fn a_skipped_first_step_without_buffers_makes_no_state() {
    let mut pair = Pair::new(Arc::clone(emulator()), "sgd", &Named::new());
    set_read_delay(1_000_000);
    // The parameters of 32 bits alone, whose state is a count.
    let narrow = 0b1100;
    for (number, is_bad) in [true, false, true].into_iter().enumerate() {
        pair.step(3 * number, is_bad, narrow, skipping());
        pair.compare(&format!("step {number}"));
    }
}

#[test]
fn a_step_without_checks_knows_of_the_steps_before_it() {
    for name in NAMES {
        let mut pair = Pair::new(Arc::clone(emulator()), name, &options_of(name));
        set_read_delay(1_000_000);
        for number in 0..6 {
            pair.step(number, number == 1, 0, skipping());
        }
        pair.edit(&vec![option("lr", OptionValue::Float(0.003))]);
        pair.step(6, false, 0, StepOptions::default());
        pair.compare(name);
    }
}

/// A scale belongs to the steps after it, and not to those whose outcomes come later.
#[test]
fn a_new_loss_scale_does_not_hear_of_steps_before_it() {
    let mut pair = Pair::new(Arc::clone(emulator()), "adam", &Named::new());
    set_read_delay(1_000_000);
    for number in 0..3 {
        pair.step(number, number == 1, 0, skipping());
    }
    assert!(pair.ours.0.is_unsettled());
    let scale = [option("interval", OptionValue::Integer(1)), option("init", OptionValue::Float(64.0))];
    for (optimizer, _) in [&mut pair.ours, &mut pair.theirs] {
        optimizer.loss_scale = Some(LossScale::new(&scale).unwrap());
    }
    pair.compare("before a step with the scale");
    pair.step(3, false, 0, StepOptions { loss_scale: 64.0, ..StepOptions::default() });
    pair.compare("after it");
}

#[test]
fn a_step_waits_for_old_steps_alone_if_too_many_outcomes_are_unknown() {
    // Two launches a step.
    for (launches, waits) in [(2 * 20, false), (1_000_000, true)] {
        let observed = Observed::new(emulator());
        let mut pair = Pair::new(observed.shared(), "adam", &Named::new());
        set_read_delay(launches);
        for number in 0..100 {
            pair.step(number, number % 5 == 2, 0, skipping());
            let calls = observed.take_calls();
            assert!(calls.reads <= 1 && (calls.waits == 0 || number > 32), "{number}: {calls:?}");
            assert!(waits || calls.waits == 0, "{number}: {calls:?}");
        }
        pair.compare("adam");
    }
}

#[test]
fn a_loss_scale_learns_the_outcome_before_the_next_step() {
    for name in NAMES {
        let observed = Observed::new(emulator());
        let mut pair = Pair::new(observed.shared(), name, &options_of(name));
        let scale = [option("interval", OptionValue::Integer(2)), option("init", OptionValue::Float(64.0))];
        for (optimizer, _) in [&mut pair.ours, &mut pair.theirs] {
            optimizer.loss_scale = Some(LossScale::new(&scale).unwrap());
        }
        // A kernel of the next forward pass would be launched in between.
        set_read_delay(3);
        for number in 0..12 {
            observed.take_calls();
            let zero_gradients = number % 2 == 0;
            let is_bad = number % 4 == 0 || number == 6;
            let [outcome, expected] =
                pair.step(number, is_bad, 0, StepOptions { zero_gradients, ..StepOptions::default() });
            let calls = observed.take_calls();
            // The first step is skipped, so that the second one makes state.
            assert_eq!(outcome, if number < 2 { expected } else { Outcome::Pending }, "{name} {number}");
            assert_eq!(calls.downloads, usize::from(number < 2), "{name} {number}");
            // The step before was not settled.
            assert_eq!(calls.waits, usize::from(number > 2 && number % 3 == 0), "{name} {number}");
            if number % 3 == 2 {
                continue;
            }
            let settled = pair.ours.0.settle().unwrap();
            assert_eq!(settled, (number > 1).then_some(expected), "{name} {number}");
            assert_eq!(observed.take_calls().waits, usize::from(number > 1), "{name} {number}");
            pair.compare(name);
        }
    }
}

#[test]
fn steps_that_wait_say_so_by_their_outcome() {
    set_read_delay(1_000_000);
    let mut pair = Pair::new(emulator().clone(), "adam", &Named::new());
    // New state, a policy that fails, and a new buffer.
    assert_eq!(pair.step(0, true, 0, skipping()), [Outcome::Skipped; 2]);
    assert!(pair.ours.0.device_states().unwrap().iter().all(Option::is_none), "a skipped step makes no state");
    assert_eq!(pair.step(1, false, 0, skipping()), [Outcome::Stepped; 2]);
    let failing = StepOptions { non_finite: NonFinite::Error, ..StepOptions::default() };
    assert_eq!(pair.step(2, false, 0, failing), [Outcome::Stepped; 2]);
    assert_eq!(pair.step(3, true, 0, skipping()), [Outcome::Pending, Outcome::Skipped]);
    pair.edit(&vec![option("amsgrad", OptionValue::Flag(true))]);
    assert_eq!(pair.step(4, true, 0, skipping()), [Outcome::Skipped; 2]);
    assert_eq!(pair.step(5, false, 0, skipping()), [Outcome::Stepped; 2]);
    // Other parameters have gradients now, so the step settles the ones before.
    assert_eq!(pair.step(6, true, 0, skipping()), [Outcome::Pending, Outcome::Skipped]);
    let mut other = pair.step(7, false, 5, skipping());
    assert_eq!(other, [Outcome::Pending, Outcome::Stepped]);
    other = pair.step(8, false, 5, StepOptions::default());
    // Not checked, so that only the one before is unknown.
    assert_eq!(other, [Outcome::Stepped; 2]);
    assert!(pair.ours.0.is_unsettled());
    assert_eq!(pair.ours.0.device_states().err().map(|error| error.code()), Some(stepwell_optim::Code::Internal));
    pair.compare("adam");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn steps_of_unknown_outcomes_are_the_hosts(
        name in proptest::sample::select(NAMES.to_vec()),
        delay in prop_oneof![0usize..8, Just(1_000_000)],
        moves in proptest::collection::vec((any::<bool>(), 0usize..12, 0usize..4, prop_oneof![3 => Just(0u32), 1 => 0u32..64]), 2..24),
    ) {
        let mut pair = Pair::new(emulator().clone(), name, &options_of(name));
        set_read_delay(delay);
        for (number, (is_bad, change, clip, missing)) in moves.into_iter().enumerate() {
            match change {
                0 => pair.edit(&vec![option("lr", OptionValue::Float(0.1 / (number + 1) as f64))]),
                1 => pair.ours.0.fetch_device_state().unwrap(),
                2 => pair.compare(name),
                3 => pair.edit(&vec![option("average", OptionValue::Float(0.5))]),
                4 if name != "adagrad" => pair.edit(&vec![option("average", OptionValue::Null)]),
                _ => {}
            }
            let options = StepOptions {
                clip: [Clip::None, Clip::Norm(0.5), Clip::Norm(1e9), Clip::Value(0.25)][clip],
                zero_gradients: number % 3 == 0,
                non_finite: if change == 5 && !is_bad { NonFinite::Propagate } else { NonFinite::Skip },
                ..StepOptions::default()
            };
            let [outcome, expected] = pair.step(number, is_bad, missing, options);
            prop_assert!(outcome == expected || outcome == Outcome::Pending);
        }
        pair.compare(name);
    }
}
