//! Trajectories with random parameters, groups, options, gradients and changes in between. Each step equals the host's to
//! the bit.

use proptest::prelude::*;
use stepwell_optim::{Clip, LossScale, NonFinite, OptionValue, StepOptions};

use crate::model::{Elements, Named, optimizer, option};
use crate::steps::step;

/// One step of a trajectory, and a change before it.
#[derive(Clone, Debug)]
struct Move {
    change: usize,
    clip: usize,
    non_finite: usize,
    zero_gradients: bool,
    /// A bit for each parameter without gradient.
    missing: u32,
    /// The element that becomes infinite or NaN, in one of four moves.
    special: (usize, usize),
    /// The exponent of the scale of the gradients.
    power: i32,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = (
        0usize..10,
        0usize..5,
        0usize..3,
        any::<bool>(),
        prop_oneof![Just(0u32), any::<u32>()],
        (0usize..12, 0usize..40_000),
        -3i32..2,
    );
    let one = one.prop_map(|(change, clip, non_finite, zero_gradients, missing, special, power)| Move {
        change,
        clip,
        non_finite,
        zero_gradients,
        missing,
        special,
        power,
    });
    proptest::collection::vec(one, 3..9)
}

/// The lengths of parameters.
fn lengths() -> impl Strategy<Value = [usize; 4]> {
    let length = || prop_oneof![0usize..70, 500usize..530, 16_380usize..16_400, Just(33_000usize)];
    [length(), length(), length(), length()]
}

/// Options of an optimizer that a change turns on or off.
fn switches(name: &str, on: bool, has_doubles: bool) -> Named {
    let mut named = vec![option("average", if on { OptionValue::Float(0.75) } else { OptionValue::Null })];
    let moments = if on && !has_doubles { "bfloat16" } else { "full" };
    if name != "adagrad" {
        named.push(option("moments", OptionValue::Word(moments.into())));
    }
    match name {
        "adam" | "adamw" => named.push(option("amsgrad", OptionValue::Flag(on))),
        "sgd" => named.push(option("momentum", OptionValue::Float(if on { 0.9 } else { 0.0 }))),
        "rmsprop" => {
            named.push(option("centered", OptionValue::Flag(on)));
            named.push(option("momentum", OptionValue::Float(if on { 0.5 } else { 0.0 })));
        }
        "lamb" => named.push(option("globalnorm", OptionValue::Flag(!on))),
        _ => named.push(option("init", OptionValue::Float(0.25))),
    }
    named
}

fn run(name: &str, has_doubles: bool, lengths: [[usize; 4]; 2], moves: &[Move]) {
    // Each group has a parameter of each type, so that few texts of kernels are compiled.
    let kinds = if has_doubles { [0, 1, 2, 3] } else { [0, 0, 2, 3] };
    let parameters = lengths.into_iter().flat_map(|lengths| kinds.into_iter().zip(lengths));
    let mut model: Vec<_> = parameters.enumerate().map(|(seed, (kind, n))| Elements::new(kind, n, seed)).collect();
    let mut optimizer = optimizer(name, &Vec::new(), 4);
    // The second group starts with other options.
    let options = optimizer.plan(1, &[OptionValue::Float(0.02)], &switches(name, true, has_doubles)).unwrap();
    optimizer.edit(1, options, 4).unwrap();
    for (number, Move { change, clip, non_finite, zero_gradients, missing, special, power }) in moves.iter().enumerate()
    {
        let mut change_options = |group: usize, on: bool| {
            let options = optimizer.plan(group, &[], &switches(name, on, has_doubles)).unwrap();
            optimizer.edit(group, options, 0).unwrap();
        };
        match change {
            0 => change_options(0, true),
            1 => change_options(0, false),
            2 => change_options(1, number % 2 == 0),
            3 => optimizer.fetch_device_state().unwrap(),
            4 => {
                let states = optimizer.device_states().unwrap();
                optimizer = optimizer.without_state();
                optimizer.set_states(states);
            }
            5 => model.iter_mut().for_each(|elements| elements.assign(0.3)),
            6 => {
                // The first group ends with a new parameter, so that the indices of the second group's parameters change.
                let members = optimizer.groups()[0].states().len();
                let options = optimizer.plan(0, &[], &[]).unwrap();
                optimizer.edit(0, options, 1).unwrap();
                model.insert(members, Elements::new(if has_doubles { 1 } else { number % 4 * 2 % 4 }, 600, number));
            }
            7 => {
                optimizer.loss_scale = match optimizer.loss_scale {
                    None => Some(LossScale::new(&[option("init", OptionValue::Float(8.0))]).unwrap()),
                    Some(_) => None,
                };
            }
            _ => {}
        }
        let count = model.len();
        for (index, elements) in model.iter_mut().enumerate() {
            elements.set_gradient(number * 7 + index, 10f64.powi(*power));
        }
        if special.0 < 3 {
            let value = [f64::NAN, f64::INFINITY, 1e30][special.0];
            model[special.1 % count].set_gradient_element(special.1, value);
        }
        let options = StepOptions {
            clip: [Clip::None, Clip::None, Clip::Norm(0.5), Clip::Norm(1e9), Clip::Value(0.25)][*clip],
            non_finite: [NonFinite::Propagate, NonFinite::Skip, NonFinite::Error][*non_finite],
            zero_gradients: *zero_gradients,
            ..StepOptions::default()
        };
        let views = model.iter_mut().enumerate();
        let mut views: Vec<_> = views
            .map(|(index, elements)| (number == 0 || missing >> index & 1 == 0).then(|| elements.view()))
            .collect();
        // The step compares its outcome with the host's; an error is one of them.
        let _ = step(&mut optimizer, &mut views, options);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_trajectory_is_the_hosts(
        name in proptest::sample::select(vec!["adam", "adamw", "sgd", "rmsprop", "adagrad", "lamb"]),
        has_doubles in any::<bool>(),
        lengths in [lengths(), lengths()],
        moves in moves(),
    ) {
        run(name, has_doubles, lengths, &moves);
    }
}
