//! Steps after a change of options, types, lengths or tables. `step` compares each of them with the host's.

use stepwell_optim::{Clip, NonFinite, Optimizer, OptionValue, StepOptions};

use crate::model::{Elements, Named, optimizer, option, views};
use crate::steps::step;

const NAMES: [&str; 6] = ["adam", "adamw", "sgd", "rmsprop", "adagrad", "lamb"];

/// Index of the moving average in a state.
const AVERAGE: usize = 4;

/// Parameters of these types, the first one longer than a chunk.
fn model(kinds: &[usize]) -> Vec<Elements> {
    kinds.iter().enumerate().map(|(i, kind)| Elements::new(*kind, if i == 0 { 17_001 } else { 70 + i }, i)).collect()
}

/// Makes steps from new gradients. Fails unless the host makes the same ones.
fn steps(optimizer: &mut Optimizer, model: &mut [Elements], count: usize, options: StepOptions<'_>) {
    for number in 0..count {
        model.iter_mut().enumerate().for_each(|(i, elements)| elements.set_gradient(number * 7 + i, 1.0));
        step(optimizer, &mut views(model), options).unwrap();
    }
}

fn edit(optimizer: &mut Optimizer, named: &Named) {
    let options = optimizer.plan(0, &[], named).unwrap();
    optimizer.edit(0, options, 0).unwrap();
}

/// The buffers with this index of all parameters, as text.
fn buffers(optimizer: &Optimizer, index: usize) -> Vec<String> {
    let states = optimizer.device_states().unwrap();
    states.iter().flatten().map(|state| format!("{:?}", state.buffers[index])).collect()
}

#[test]
fn an_average_stays_while_it_is_off() {
    for name in NAMES {
        let mut optimizer = optimizer(name, &vec![option("average", OptionValue::Float(0.9))], 4);
        let mut model = model(&[0, 1, 2, 3]);
        steps(&mut optimizer, &mut model, 2, StepOptions::default());
        let before = buffers(&optimizer, AVERAGE);
        assert!(before.iter().all(|buffer| buffer != "None"), "{name}");
        edit(&mut optimizer, &vec![option("average", OptionValue::Null)]);
        steps(&mut optimizer, &mut model, 2, StepOptions::default());
        assert!(buffers(&optimizer, AVERAGE) == before, "{name}");
        edit(&mut optimizer, &vec![option("average", OptionValue::Float(0.5))]);
        steps(&mut optimizer, &mut model, 1, StepOptions::default());
        assert!(buffers(&optimizer, AVERAGE) != before, "{name}");
    }
}

#[test]
fn moments_change_their_type_and_change_it_back() {
    for name in NAMES.into_iter().filter(|name| *name != "adagrad") {
        let momentum = || match name {
            "sgd" | "rmsprop" => vec![option("momentum", OptionValue::Float(0.9))],
            _ => Vec::new(),
        };
        let mut optimizer = optimizer(name, &momentum(), 3);
        let mut model = model(&[0, 2, 3]);
        for moments in ["full", "bfloat16", "full", "bfloat16"] {
            edit(&mut optimizer, &vec![option("moments", OptionValue::Word(moments.into()))]);
            steps(&mut optimizer, &mut model, 2, StepOptions::default());
        }
    }
}

#[test]
fn parameters_change_their_type() {
    for name in NAMES {
        for fetches in [false, true] {
            let mut optimizer = optimizer(name, &Named::new(), 3);
            let mut before = Vec::new();
            for kind in [3, 0, 2, 0, 1, 0, 2, 3] {
                let mut model = model(&[kind; 3]);
                steps(&mut optimizer, &mut model, 2, StepOptions::default());
                let masters = buffers(&optimizer, 3);
                assert!(masters.iter().all(|master| (master != "None") == (kind > 1)), "{name}: type {kind}");
                assert!(masters != before || kind < 2, "{name}: type {kind}");
                before = masters;
                if fetches {
                    optimizer.fetch_device_state().unwrap();
                }
            }
        }
    }
}

#[test]
fn parameters_change_their_length() {
    for name in NAMES {
        for fetches in [false, true] {
            let mut optimizer = optimizer(name, &vec![option("average", OptionValue::Float(0.9))], 4);
            for length in [50, 51, 17_001, 16, 0, 20_000] {
                let mut model: Vec<_> = (0..4).map(|kind| Elements::new(kind, length, kind)).collect();
                steps(&mut optimizer, &mut model, 2, StepOptions::default());
                if fetches {
                    optimizer.fetch_device_state().unwrap();
                }
            }
        }
    }
}

/// A gradient of zeros keeps the sign of zero, so a master weight must have it from the start.
#[test]
fn master_weights_start_with_the_sign_of_zero() {
    for name in ["sgd", "adam"] {
        let mut optimizer = optimizer(name, &Named::new(), 2);
        let mut model: Vec<_> = (2..4).map(|kind| Elements::new(kind, 100, kind)).collect();
        model.iter_mut().for_each(|elements| elements.assign(-0.0));
        let before: Vec<_> = model.iter().map(Elements::bits).collect();
        step(&mut optimizer, &mut views(&mut model), StepOptions::default()).unwrap();
        let after: Vec<_> = model.iter().map(Elements::bits).collect();
        assert!(after == before, "{name}");
    }
}

/// In bytes, the longest buffer is filled in three parts.
#[test]
fn long_buffers_start_at_their_value() {
    let mut optimizer = optimizer("adagrad", &vec![option("init", OptionValue::Float(0.37))], 8);
    let lengths = [40_003, 17, 33_001, 0, 1, 16_384, 63, 40_001];
    let mut model: Vec<_> = lengths.iter().enumerate().map(|(i, n)| Elements::new(i % 4, *n, i)).collect();
    steps(&mut optimizer, &mut model, 2, StepOptions::default());
}

#[test]
fn tables_move_within_their_memory_and_to_another() {
    for name in NAMES {
        let mut optimizer = optimizer(name, &Named::new(), 4);
        let mut model = model(&[0, 1, 2, 3]);
        // A step that may be skipped has constants for 33 outcomes, so the tables after them start elsewhere.
        for non_finite in [NonFinite::Propagate, NonFinite::Skip, NonFinite::Propagate, NonFinite::Skip] {
            steps(&mut optimizer, &mut model, 2, StepOptions { non_finite, ..StepOptions::default() });
        }
        // Parameters with other step counts have other rows of constants.
        for missing in [0, 1, 0, 2] {
            let mut views = views(&mut model);
            views[missing] = None;
            step(&mut optimizer, &mut views, StepOptions::default()).unwrap();
        }
        steps(&mut optimizer, &mut model, 2, StepOptions::default());
    }
}

#[test]
fn parameters_of_new_types_come_and_old_ones_go() {
    for name in NAMES {
        let mut optimizer = optimizer(name, &Named::new(), 4);
        let mut model = model(&[0, 2, 1, 3]);
        for present in [0b0001, 0b0011, 0b1110, 0b1000, 0b1111, 0b0001] {
            model.iter_mut().enumerate().for_each(|(i, elements)| elements.set_gradient(present + i, 1.0));
            let views = model.iter_mut().enumerate();
            let mut views: Vec<_> = views.map(|(i, e)| (present >> i & 1 == 1).then(|| e.view())).collect();
            step(&mut optimizer, &mut views, StepOptions::default()).unwrap();
        }
    }
}

#[test]
fn a_clamp_follows_the_loss_scale() {
    for name in ["sgd", "lamb"] {
        for loss_scale in [1.0, 4.0, 0.5] {
            let mut optimizer = optimizer(name, &Named::new(), 4);
            let options = StepOptions { clip: Clip::Value(0.2), loss_scale, ..StepOptions::default() };
            steps(&mut optimizer, &mut model(&[0, 1, 2, 3]), 2, options);
        }
    }
}

/// The first step of a momentum is not dampened, and neither is the first one after the option is turned on.
#[test]
fn a_new_momentum_is_not_dampened() {
    let momentum = |momentum: f64| {
        vec![option("momentum", OptionValue::Float(momentum)), option("dampening", OptionValue::Float(0.5))]
    };
    for (first, then) in [(0.9, 0.5), (0.0, 0.9)] {
        let mut optimizer = optimizer("sgd", &momentum(first), 4);
        let mut model = model(&[0, 1, 2, 3]);
        steps(&mut optimizer, &mut model, 3, StepOptions::default());
        edit(&mut optimizer, &momentum(then));
        steps(&mut optimizer, &mut model, 3, StepOptions::default());
    }
}
