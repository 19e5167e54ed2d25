//! The host side of a step on a device: its calls, its failures, and its state.

use std::sync::Arc;

use stepwell_optim::{
    Clip, Code, DeviceMemory, DeviceView, LossScale, NonFinite, Optimizer, OptionValue, Outcome, StepOptions,
};

use crate::emulated::emulator;
use crate::model::{Elements, Named, optimizer, option, views};
use crate::observed::{Calls, Observed};
use crate::steps::{assert_same_states, known, parts, place_views, step, step_on, take_views};

const NAMES: [&str; 6] = ["adam", "adamw", "sgd", "rmsprop", "adagrad", "lamb"];

/// Two parameters of each type, one of them longer than a chunk.
fn model() -> Vec<Elements> {
    (0..8).map(|i| Elements::new(i % 4, if i < 4 { 40_003 } else { 77 }, i)).collect()
}

fn set_gradients(model: &mut [Elements], seed: usize) {
    model.iter_mut().enumerate().for_each(|(i, elements)| elements.set_gradient(seed + i, 0.5));
}

/// Options that select other buffers.
fn variants(name: &str) -> Vec<Named> {
    let average = || option("average", OptionValue::Float(0.9));
    let flag = |name: &str| option(name, OptionValue::Flag(true));
    match name {
        "adam" | "adamw" => vec![vec![], vec![flag("amsgrad"), average()]],
        "sgd" => vec![vec![], vec![option("momentum", OptionValue::Float(0.9)), average()]],
        "rmsprop" => vec![vec![flag("centered"), option("momentum", OptionValue::Float(0.9))]],
        _ => vec![vec![average()]],
    }
}

/// The kernels of a step.
fn kernels(name: &str, clips: bool, checks: bool) -> Vec<&'static str> {
    let mut kernels = Vec::new();
    if clips || checks || name == "lamb" {
        kernels.push("gradient_squares");
    }
    if clips && name == "lamb" {
        kernels.push("transformed_squares");
    }
    kernels.extend(if name == "lamb" { &["measure", "apply"][..] } else { &["step"] });
    kernels
}

#[test]
fn a_steady_step_uploads_constants_and_launches_kernels_and_does_nothing_else() {
    for name in NAMES {
        for clip in [Clip::None, Clip::Norm(0.5), Clip::Value(0.1)] {
            for (non_finite, loss_scale) in
                [(NonFinite::Propagate, 1.0), (NonFinite::Skip, 1.0), (NonFinite::Skip, 4.0)]
            {
                let device = Observed::new(emulator());
                let mut optimizer = optimizer(name, &variants(name)[0], 8);
                let mut model = model();
                let options =
                    StepOptions { clip, loss_scale, non_finite, zero_gradients: true, ..StepOptions::default() };
                for number in 0..5 {
                    set_gradients(&mut model, number);
                    let placed = place_views(emulator(), &mut views(&mut model)).unwrap();
                    device.take_calls();
                    let outcome = optimizer.device_step(&[device.shared()], &placed, options).unwrap();
                    let calls = device.take_calls();
                    let checks = non_finite != NonFinite::Propagate;
                    // The first step makes state, so it waits for the outcome.
                    let is_pending = checks && number > 0;
                    assert_eq!(outcome, if is_pending { Outcome::Pending } else { Outcome::Stepped });
                    take_views(emulator(), &mut views(&mut model), &placed).unwrap();
                    let launches = kernels(name, matches!(clip, Clip::Norm(_)), checks);
                    if number > 1 {
                        // Each step has other addresses only if the allocator moves them, which it does not.
                        let expected = Calls { uploads: 1, reads: usize::from(checks), launches, ..Calls::default() };
                        assert_eq!(calls, expected, "{name} {clip:?} {non_finite:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_thousand_small_tensors_take_one_launch() {
    let device = Observed::new(emulator());
    let mut optimizer = optimizer("adamw", &Vec::new(), 1000);
    let mut model: Vec<_> = (0..1000).map(|i| Elements::new(0, 16, i)).collect();
    for number in 0..3 {
        set_gradients(&mut model, number);
        let placed = place_views(emulator(), &mut views(&mut model)).unwrap();
        device.take_calls();
        optimizer.device_step(&[device.shared()], &placed, StepOptions::default()).unwrap();
        let calls = device.take_calls();
        assert_eq!(calls.launches, ["step"]);
        let bytes = device.take_uploaded_bytes();
        // The tensors share one row of constants.
        assert!(number < 2 || bytes < 1000, "{bytes} bytes");
        assert!(calls.zeros <= 4 && calls.uploads <= 4 && calls.allocations <= 2, "{calls:?}");
    }
}

#[test]
fn kernels_of_types_that_come_back_are_not_loaded_again() {
    let device = Observed::new(emulator());
    let mut optimizer = optimizer("sgd", &Vec::new(), 8);
    let mut model = model();
    let mut loads = Vec::new();
    for present in [0b1111, 0b0001, 0b0110, 0b1111] {
        set_gradients(&mut model, present);
        let mut placed = place_views(emulator(), &mut views(&mut model)).unwrap();
        placed.iter_mut().enumerate().filter(|(i, _)| present >> i & 1 == 0).for_each(|(_, view)| *view = None);
        device.take_calls();
        optimizer.device_step(&[device.shared()], &placed, StepOptions::default()).unwrap();
        loads.push(device.take_calls().loads);
    }
    assert_eq!(loads, [1, 0, 0, 0]);
}

#[test]
fn a_new_rate_allocates_nothing_and_does_not_wait() {
    for name in NAMES {
        let device = Observed::new(emulator());
        let mut optimizer = optimizer(name, &variants(name)[0], 8);
        let mut model = model();
        for number in 0..4 {
            set_gradients(&mut model, number);
            optimizer.set_rates(&[0.01 / (number + 1) as f64]).unwrap();
            let placed = place_views(emulator(), &mut views(&mut model)).unwrap();
            device.take_calls();
            optimizer.device_step(&[device.shared()], &placed, StepOptions::default()).unwrap();
            let calls = device.take_calls();
            if number > 0 {
                assert_eq!((calls.allocations, calls.downloads, calls.loads), (0, 0, 0), "{name}: {calls:?}");
            }
        }
    }
}

/// Makes steps of which call after call is refused, until one succeeds. An error changes nothing, except where it says
/// so: its step then has updated the state.
fn disturbed(
    device: &Arc<Observed>,
    optimizer: &mut Optimizer,
    model: &mut [Elements],
    options: StepOptions<'_>,
) -> usize {
    for calls in 0.. {
        let before: Vec<_> = model.iter().map(Elements::bits).collect();
        let mut states = optimizer.device_states().unwrap();
        let placed = place_views(emulator(), &mut views(model)).unwrap();
        device.refuse_after(calls);
        let outcome = optimizer.device_step(&[device.shared()], &placed, options);
        // A step whose outcome cannot be read now is made, and its outcome is read later.
        if device.allow() || matches!(outcome, Ok(Outcome::Pending)) {
            known(outcome, optimizer).unwrap();
            take_views(emulator(), &mut views(model), &placed).unwrap();
            return calls;
        }
        let error = outcome.unwrap_err();
        assert_eq!(error.code(), Code::Memory);
        take_views(emulator(), &mut views(model), &placed).unwrap();
        let after: Vec<_> = model.iter().map(Elements::bits).collect();
        assert!(after == before, "call {calls}");
        if error.to_string().contains("has updated the state") {
            // Starts again from the state before.
            optimizer.set_states(states);
            continue;
        }
        assert_same_states(&mut optimizer.device_states().unwrap(), &mut states, "after a refusal");
    }
    unreachable!()
}

/// Three steps with refused calls, and steps without them. Before the second one the options change, and nothing if there
/// are none. Fails unless both end alike.
fn refuse_calls(
    name: &str,
    named: &Named,
    changed: &Named,
    make_model: impl Fn() -> Vec<Elements>,
    non_finite: NonFinite,
) {
    let device = Observed::new(emulator());
    let options = StepOptions { clip: Clip::Norm(0.5), non_finite, ..StepOptions::default() };
    let make = || (optimizer(name, named, make_model().len()), make_model());
    let ((mut broken, mut ours), (mut smooth, mut theirs)) = (make(), make());
    for number in 0..3 {
        for model in [&mut ours, &mut theirs] {
            set_gradients(model, number);
        }
        if number == 1 {
            for optimizer in [&mut broken, &mut smooth] {
                let options = optimizer.plan(0, &[], changed).unwrap();
                optimizer.edit(0, options, 0).unwrap();
            }
        }
        let refusals = disturbed(&device, &mut broken, &mut ours, options);
        let makes_state = number == 0 || number == 1 && !changed.is_empty();
        assert!(refusals >= if makes_state { 6 } else { 2 }, "{name}: {refusals}");
        step_on(emulator(), &mut smooth, &mut views(&mut theirs), options).unwrap();
        let bits = |model: &[Elements]| model.iter().map(Elements::bits).collect::<Vec<_>>();
        assert!(bits(&ours) == bits(&theirs), "{name} {named:?} {changed:?}");
    }
    let states = |optimizer: &Optimizer| optimizer.device_states().unwrap();
    assert_same_states(&mut states(&broken), &mut states(&smooth), name);
}

#[test]
fn a_refused_call_changes_nothing_and_the_next_step_is_as_without_it() {
    for name in NAMES {
        for named in variants(name) {
            for non_finite in [NonFinite::Propagate, NonFinite::Skip] {
                refuse_calls(name, &named, &Named::new(), model, non_finite);
            }
        }
    }
}

#[test]
fn a_refused_change_of_the_types_of_moments_changes_nothing() {
    // Adagrad has no moments of 16 bits, and moments of f64 parameters have 64.
    for name in NAMES.into_iter().filter(|name| *name != "adagrad") {
        let momentum = if name == "sgd" { vec![option("momentum", OptionValue::Float(0.9))] } else { Named::new() };
        let moments = vec![option("moments", OptionValue::Word("bfloat16".into()))];
        let model = || [0, 2, 3].map(|kind| Elements::new(kind, 17_001, kind)).into();
        refuse_calls(name, &momentum, &moments, model, NonFinite::Propagate);
    }
}

#[test]
fn a_second_stage_that_fails_says_that_the_state_has_changed() {
    let device = Observed::new(emulator());
    let mut optimizer = optimizer("lamb", &Vec::new(), 8);
    let mut model = model();
    for number in 0..2 {
        set_gradients(&mut model, number);
        let placed = place_views(emulator(), &mut views(&mut model)).unwrap();
        if number == 1 {
            // Constants, `gradient_squares` and `measure` come before.
            device.refuse_after(3);
        }
        let outcome = optimizer.device_step(&[device.shared()], &placed, StepOptions::default());
        if number == 1 {
            let error = outcome.unwrap_err();
            let message = "refused; the step has updated the state, but not the parameters";
            assert_eq!((error.code(), error.to_string()), (Code::Memory, message.to_owned()));
            assert_eq!(optimizer.device_states().unwrap()[0].as_ref().unwrap().step, 1);
        }
    }
}

/// Makes a step of LAMB after another step of the first parameters, and refuses each of its calls in turn. Returns the
/// messages of refusals after the first stage. One gradient is infinite if `is_skipped` is true.
fn refused_second_stages(stepped: usize, is_skipped: bool) -> Vec<String> {
    let non_finite = if is_skipped { NonFinite::Skip } else { NonFinite::Propagate };
    let options = StepOptions { non_finite, ..StepOptions::default() };
    let mut messages = Vec::new();
    for calls in 0.. {
        let device = Observed::new(emulator());
        let mut optimizer = optimizer("lamb", &Vec::new(), 8);
        let mut model = model();
        let mut step = |count: usize, refused: Option<usize>| {
            set_gradients(&mut model, 0);
            if refused.is_some() && is_skipped {
                model[7].set_gradient_element(5, f64::INFINITY);
            }
            let mut placed = place_views(emulator(), &mut views(&mut model)).unwrap();
            placed[count..].iter_mut().for_each(|view| *view = None);
            device.take_calls();
            if let Some(calls) = refused {
                device.refuse_after(calls);
            }
            optimizer.device_step(&[device.shared()], &placed, options)
        };
        if stepped > 0 {
            step(stepped, None).unwrap();
        }
        let outcome = step(8, Some(calls));
        let launches = device.take_calls().launches;
        // A step whose outcome cannot be read now is made.
        let Err(error) = outcome else { break };
        if launches.contains(&"measure") {
            messages.push(error.to_string());
        } else {
            assert_eq!(error.to_string(), "refused");
        }
        let states = optimizer.device_states().unwrap();
        assert!(states[stepped..].iter().all(Option::is_none));
    }
    messages
}

#[test]
fn a_second_stage_that_fails_says_that_the_state_has_changed_if_that_remains() {
    let changed = "refused; the step has updated the state, but not the parameters";
    assert_eq!(refused_second_stages(8, false), [changed]);
    // The first stage has updated old state, and state that is removed.
    assert_eq!(refused_second_stages(4, false), [changed]);
    assert_eq!(refused_second_stages(0, false), ["refused"]);
    // The device has skipped the first stage.
    assert_eq!(refused_second_stages(8, true), ["refused"]);
}

#[test]
fn state_moves_to_the_host_and_back() {
    for name in NAMES {
        for named in variants(name) {
            let mut optimizer = optimizer(name, &named, 8);
            let mut model = model();
            for number in 0..6 {
                set_gradients(&mut model, number);
                step(&mut optimizer, &mut views(&mut model), StepOptions::default()).unwrap();
                let size = optimizer.state_size();
                if number == 1 {
                    optimizer.fetch_device_state().unwrap();
                    assert!(!optimizer.has_device_state());
                    // A step on the host.
                    set_gradients(&mut model, number + 10);
                    optimizer.step(&mut views(&mut model), StepOptions::default()).unwrap();
                } else if number == 3 {
                    let states = optimizer.device_states().unwrap();
                    optimizer.set_states(states);
                }
                assert_eq!(optimizer.state_size(), size);
            }
            let has_state = optimizer.has_device_state();
            let error = optimizer.step(&mut views(&mut model), StepOptions::default()).err();
            // A state without buffers is in host memory.
            assert_eq!(error.map(|error| error.code()), has_state.then_some(Code::Internal), "{name}");
        }
    }
}

#[test]
fn a_gradient_that_is_not_finite_is_named() {
    for name in ["adam", "lamb"] {
        for (value, text) in [(f64::NAN, "NaN"), (f64::NEG_INFINITY, "-inf")] {
            let mut optimizer = optimizer(name, &Vec::new(), 8);
            let mut model = model();
            let options = StepOptions {
                non_finite: NonFinite::Error,
                zero_gradients: true,
                name: &|index| format!("p{index}"),
                ..StepOptions::default()
            };
            for number in 0..4 {
                set_gradients(&mut model, number);
                if number % 2 == 0 {
                    // In the first and in a steady step, in the third chunk.
                    model[3].set_gradient_element(39_999, value);
                    model[5].set_gradient_element(1, f64::INFINITY);
                }
                let outcome = step(&mut optimizer, &mut views(&mut model), options);
                if number % 2 == 0 {
                    let error = outcome.unwrap_err();
                    assert_eq!(error.code(), Code::Gradient);
                    let expected = format!("given {text} in the gradient of parameter `p3`");
                    assert!(error.to_string().ends_with(&expected), "{error}");
                } else {
                    outcome.unwrap();
                }
            }
        }
    }
}

#[test]
fn a_loss_scale_grows_and_backs_off() {
    for name in ["sgd", "lamb"] {
        let mut optimizer = optimizer(name, &vec![option("average", OptionValue::Float(0.5))], 8);
        let scale = [option("interval", OptionValue::Integer(2)), option("init", OptionValue::Float(64.0))];
        optimizer.loss_scale = Some(LossScale::new(&scale).unwrap());
        let mut model = model();
        let mut scales = Vec::new();
        for number in 0..9 {
            set_gradients(&mut model, number);
            if number == 0 || number == 5 {
                model[2].set_gradient_element(number, f64::INFINITY);
            }
            let options = StepOptions { zero_gradients: number % 2 == 1, ..StepOptions::default() };
            let outcome = step(&mut optimizer, &mut views(&mut model), options).unwrap();
            assert_eq!(outcome == Outcome::Skipped, number == 0 || number == 5);
            scales.push(optimizer.loss_scale.as_ref().unwrap().scale());
        }
        assert_eq!(scales, [32.0, 32.0, 64.0, 64.0, 128.0, 64.0, 64.0, 128.0, 128.0]);
    }
}

/// Copies of parameters and gradients at new addresses. Memory of the step before is freed, so that its use is an error.
fn place_anew(
    model: &mut [Elements],
    has_gradient: impl Fn(usize) -> bool,
) -> (Vec<Box<dyn DeviceMemory>>, Vec<Option<DeviceView>>) {
    let (mut memory, mut placed) = (Vec::new(), Vec::new());
    for (index, view) in views(model).iter_mut().enumerate() {
        let Some(view) = view.as_mut().filter(|_| has_gradient(index)) else {
            placed.push(None);
            continue;
        };
        let ([parameter, gradient], element, length) = parts(view);
        let [parameter, gradient] = [parameter, gradient].map(|bytes| {
            let made = emulator().allocate(bytes.len()).unwrap();
            emulator().upload(made.address(), bytes).unwrap();
            let address = made.address();
            memory.push(made);
            address
        });
        placed.push(Some(DeviceView { parameter, gradient, length, element, device: 0 }));
    }
    (memory, placed)
}

#[test]
fn tensors_that_move_come_or_go_are_found_again() {
    for name in NAMES {
        let named = variants(name).pop().unwrap();
        let make = || {
            let mut optimizer = optimizer(name, &named, 4);
            let options = optimizer.plan(1, &[], &[option("lr", OptionValue::Float(0.3))]).unwrap();
            optimizer.edit(1, options, 4).unwrap();
            // Lengths differ, so that tensors of as many chunks have other chunks.
            let model: Vec<_> =
                (0..8).map(|i| Elements::new(i % 4, if i < 4 { 40_003 + 8 * i } else { 77 + i }, i)).collect();
            (optimizer, model)
        };
        let ((mut there, mut ours), (mut here, mut theirs)) = (make(), make());
        // The memory of earlier steps, one step long.
        let mut before = Vec::new();
        for number in 0..8 {
            // All, then fewer and other tensors, one of them with several chunks; the number of chunks stays equal once.
            let has_gradient = |index: usize| match number {
                0 | 1 => true,
                2 => index != 0,
                3 => index != 1,
                4 => index > 5,
                _ => index != number - 4,
            };
            let options = StepOptions {
                clip: if number % 2 == 0 { Clip::Norm(0.5) } else { Clip::Value(0.2) },
                zero_gradients: number % 3 == 0,
                ..StepOptions::default()
            };
            for model in [&mut ours, &mut theirs] {
                set_gradients(model, number);
            }
            let (memory, placed) = place_anew(&mut ours, has_gradient);
            drop(std::mem::replace(&mut before, memory));
            there.device_step(std::slice::from_ref(emulator()), &placed, options).unwrap();
            take_views(emulator(), &mut views(&mut ours), &placed).unwrap();
            let mut host: Vec<_> = views(&mut theirs).into_iter().enumerate().collect();
            let mut host: Vec<_> = host.drain(..).map(|(index, view)| view.filter(|_| has_gradient(index))).collect();
            here.step(&mut host, options).unwrap();
            drop(host);
            let bits = |model: &[Elements]| model.iter().map(Elements::bits).collect::<Vec<_>>();
            assert!(bits(&ours) == bits(&theirs), "{name}: step {number}");
            let states = |optimizer: &Optimizer| optimizer.device_states().unwrap();
            assert_same_states(&mut states(&there), &mut states(&here), name);
        }
    }
}
