//! Parameters on two devices in one optimizer: each device makes the step of its own, and the result is the host's to the
//! bit.

use std::sync::Arc;

use stepwell_cuda::Emulator;
use stepwell_optim::{Clip, Device, DeviceView, NonFinite, Optimizer, OptionValue, StepOptions, View};

use crate::model::{Elements, Named, optimizer, option};
use crate::observed::{Calls, Observed};
use crate::steps::{assert_same_states, place_views, take_views};

const NAMES: [&str; 6] = ["adam", "adamw", "sgd", "rmsprop", "adagrad", "lamb"];

/// An optimizer with parameters on two devices, and its twin on the host.
struct Pair {
    observed: [Arc<Observed>; 2],
    devices: [Arc<dyn Device>; 2],
    ours: (Optimizer, Vec<Elements>),
    theirs: (Optimizer, Vec<Elements>),
}

impl Pair {
    fn new(name: &str, named: &Named) -> Self {
        let make = || {
            let lengths = [40_003, 77, 0, 16_384, 700, 33];
            let model: Vec<_> = (0..6).map(|i| Elements::new(i % 4, lengths[i], i)).collect();
            (optimizer(name, named, model.len()), model)
        };
        let observed = [(); 2].map(|()| Observed::new(&(Arc::new(Emulator::checked()) as Arc<dyn Device>)));
        let devices = observed.each_ref().map(Observed::shared);
        Self { observed, devices, ours: make(), theirs: make() }
    }

    /// Makes the step on both sides, and compares them. `device_of` returns the device of a parameter; `None` for one
    /// without a gradient. Returns the calls of each device.
    fn step(
        &mut self,
        number: usize,
        bad: Option<(usize, f64)>,
        device_of: impl Fn(usize) -> Option<usize>,
        options: StepOptions<'_>,
    ) -> [Calls; 2] {
        for (_, model) in [&mut self.ours, &mut self.theirs] {
            model.iter_mut().enumerate().for_each(|(i, elements)| elements.set_gradient(number * 7 + i, 0.5));
            if let Some((index, element)) = bad {
                model[index].set_gradient_element(number + 20_000, element);
            }
        }
        let expected = self.theirs.0.step(&mut views(&mut self.theirs.1, &device_of), options);

        let mut own = views(&mut self.ours.1, &device_of);
        let placed = self.devices.each_ref().map(|device| place_views(device, &mut own).unwrap());
        let on = |device: usize, index: usize| {
            placed[device][index].filter(|_| device_of(index) == Some(device)).map(|view| DeviceView { device, ..view })
        };
        let all: Vec<_> = (0..own.len()).map(|index| on(0, index).or(on(1, index))).collect();
        self.observed.iter().for_each(|observed| drop(observed.take_calls()));
        let outcome = self.ours.0.device_step(&self.devices, &all, options);
        let calls = self.observed.each_ref().map(|observed| observed.take_calls());
        for (device, place) in self.devices.iter().enumerate() {
            let only: Vec<_> = (0..own.len()).map(|index| on(device, index)).collect();
            take_views(place, &mut own, &only).unwrap();
        }
        drop(own);
        assert_eq!(format!("{outcome:?}"), format!("{expected:?}"), "{number}");
        let bits = |model: &[Elements]| model.iter().map(Elements::bits).collect::<Vec<_>>();
        assert!(bits(&self.ours.1) == bits(&self.theirs.1), "{number}: parameters differ");
        let states = |optimizer: &Optimizer| optimizer.device_states().unwrap();
        assert_same_states(&mut states(&self.ours.0), &mut states(&self.theirs.0), "two devices");
        assert_eq!(self.ours.0.skipped(), self.theirs.0.skipped());
        calls
    }
}

/// The views of the parameters that have a device.
fn views(model: &mut [Elements], device_of: impl Fn(usize) -> Option<usize>) -> Vec<Option<View<'_>>> {
    let all = model.iter_mut().enumerate();
    all.map(|(index, elements)| device_of(index).is_some().then(|| elements.view())).collect()
}

fn alternating(index: usize) -> Option<usize> {
    Some(index % 2)
}

#[test]
fn each_device_makes_the_step_of_its_own_parameters() {
    for name in NAMES {
        let mut pair = Pair::new(name, &vec![option("average", OptionValue::Float(0.9))]);
        for number in 0..4 {
            let calls = pair.step(number, None, alternating, StepOptions::default());
            for calls in calls.iter().filter(|_| number > 1) {
                let waits = if name == "lamb" { 1 } else { 0 };
                assert_eq!((calls.downloads, calls.allocations, calls.waits), (waits, 0, 0), "{name}: {calls:?}");
                let launches = match name {
                    "lamb" => &["gradient_squares", "measure", "apply"][..],
                    _ => &["step"],
                };
                assert_eq!(calls.launches, launches, "{name}");
                assert_eq!(calls.uploads, 1 + waits, "{name}");
            }
        }
    }
}

#[test]
fn new_state_starts_at_its_value_on_each_device() {
    let mut pair = Pair::new("adagrad", &vec![option("init", OptionValue::Float(0.37))]);
    for number in 0..3 {
        pair.step(number, None, alternating, StepOptions::default());
    }
    // Neighbors in the plan are on two devices.
    let mut pair = Pair::new("adagrad", &vec![option("init", OptionValue::Float(0.37))]);
    pair.step(0, None, |index| Some(usize::from(index > 2)), StepOptions::default());
}

#[test]
fn norms_of_several_devices_are_the_hosts() {
    for name in NAMES {
        let mut pair = Pair::new(name, &Named::new());
        let clips = [Clip::None, Clip::Norm(0.5), Clip::Norm(1e9), Clip::Value(0.25)];
        for (number, (clip, loss_scale)) in clips.into_iter().flat_map(|clip| [(clip, 1.0), (clip, 4.0)]).enumerate() {
            let zero_gradients = number % 3 == 0;
            let options = StepOptions { clip, loss_scale, zero_gradients, ..StepOptions::default() };
            pair.step(number, None, alternating, options);
        }
        // Sums of other gradients, since another order of a sum seldom rounds to another norm.
        for number in 10..30 {
            pair.step(number, None, alternating, StepOptions { clip: Clip::Norm(0.5), ..StepOptions::default() });
        }
        // A norm that is not finite spreads to the parameters of both devices.
        pair.step(
            9,
            Some((0, f64::INFINITY)),
            alternating,
            StepOptions { clip: Clip::Norm(0.5), ..StepOptions::default() },
        );
    }
}

#[test]
fn a_gradient_on_one_device_skips_the_step_on_both() {
    for name in ["adam", "lamb"] {
        for non_finite in [NonFinite::Skip, NonFinite::Error] {
            let mut pair = Pair::new(name, &Named::new());
            for (number, bad) in [Some(0), None, Some(1), Some(4), None, Some(5)].into_iter().enumerate() {
                let options = StepOptions {
                    non_finite,
                    zero_gradients: number > 2,
                    name: &|index| format!("p{index}"),
                    ..StepOptions::default()
                };
                pair.step(number, bad.map(|index| (index, f64::NEG_INFINITY)), alternating, options);
            }
        }
    }
}

#[test]
fn state_follows_a_parameter_to_the_other_device() {
    for name in NAMES {
        let mut pair = Pair::new(name, &vec![option("average", OptionValue::Float(0.9))]);
        for number in 0..6 {
            let device_of = move |index: usize| match number {
                2 => Some((index + 1) % 2),
                3 => Some(0),
                4 => (index != 3).then_some(index / 3),
                _ => Some(index % 2),
            };
            pair.step(number, None, device_of, StepOptions { clip: Clip::Norm(0.5), ..StepOptions::default() });
        }
    }
}

#[test]
fn an_optimizer_moves_to_other_devices() {
    for name in ["adam", "lamb"] {
        let emulators = [(); 2].map(|()| Arc::new(Emulator::checked()));
        let devices = emulators.each_ref().map(|emulator| Arc::clone(emulator) as Arc<dyn Device>);
        let make =
            || (optimizer(name, &vec![option("average", OptionValue::Float(0.9))], 1), Elements::new(2, 17_001, 1));
        let ((mut ours, mut there), (mut theirs, mut here)) = (make(), make());
        for (number, device) in [0, 0, 1, 1, 0].into_iter().enumerate() {
            there.set_gradient(number, 0.5);
            here.set_gradient(number, 0.5);
            let before = emulators[device].counts().launches;
            let mut views = [Some(there.view())];
            let placed = place_views(&devices[device], &mut views).unwrap();
            ours.device_step(&devices[device..=device], &placed, StepOptions::default()).unwrap();
            take_views(&devices[device], &mut views, &placed).unwrap();
            assert!(emulators[device].counts().launches > before, "{name}: the step ran elsewhere");
            theirs.step(&mut [Some(here.view())], StepOptions::default()).unwrap();
            assert!(there.bits() == here.bits(), "{name}: step {number}");
            let states = |optimizer: &Optimizer| optimizer.device_states().unwrap();
            assert_same_states(&mut states(&ours), &mut states(&theirs), name);
        }
    }
}

#[test]
fn a_device_that_fails_after_another_has_stepped_says_so() {
    let mut pair = Pair::new("adam", &Named::new());
    pair.step(0, None, alternating, StepOptions::default());
    let mut views: Vec<_> = pair.ours.1.iter_mut().map(|elements| Some(elements.view())).collect();
    let placed = pair.devices.each_ref().map(|device| place_views(device, &mut views).unwrap());
    let all: Vec<_> = (0..6).map(|i| placed[i % 2][i].map(|view| DeviceView { device: i % 2, ..view })).collect();
    // The constants of the second device were uploaded before.
    pair.observed[1].refuse_after(1);
    let error = pair.ours.0.device_step(&pair.devices, &all, StepOptions::default()).unwrap_err();
    let message = "refused; the step has updated the parameters of one device, but not of all";
    assert_eq!(error.to_string(), message);
}
