//! Steps with each option that selects another path through the kernels, and with each gradient operation.

use stepwell_optim::{CATALOG, Clip, NonFinite, OptionValue, StepOptions};

use crate::model::{Elements, Named, optimizer, option, views};
use crate::option_variants::option_variants;
use crate::steps::step;

/// In elements: below and above a row of lanes, a block and a chunk.
const LENGTHS: [usize; 9] = [33_001, 17, 1, 0, 63, 64, 513, 16_385, 16_384];

fn three_steps(name: &str, named: &Named, options: StepOptions<'_>) {
    let has_doubles = !named.iter().any(|(name, _)| name == "moments");
    let kinds = if has_doubles { &[0, 1, 2, 3][..] } else { &[0, 2, 3] };
    let parameters = LENGTHS.iter().flat_map(|length| kinds.iter().map(move |kind| (*kind, *length)));
    let mut model: Vec<_> = parameters.enumerate().map(|(seed, (kind, n))| Elements::new(kind, n, seed)).collect();
    let mut optimizer = optimizer(name, named, model.len());
    for number in 0..3 {
        model.iter_mut().enumerate().for_each(|(index, elements)| elements.set_gradient(number + index, 1.0));
        // Fails unless the host makes the same step.
        step(&mut optimizer, &mut views(&mut model), options).unwrap();
    }
}

#[test]
fn every_option_gives_the_bits_of_the_host() {
    for definition in CATALOG.iter().filter(|definition| !definition.needs_closure()) {
        for named in option_variants(definition) {
            three_steps(definition.name, &named, StepOptions::default());
        }
    }
}

#[test]
fn gradient_operations_give_the_bits_of_the_host() {
    for name in ["adamw", "lamb"] {
        for clip in [Clip::None, Clip::Norm(0.5), Clip::Norm(1e9), Clip::Value(0.25)] {
            for loss_scale in [1.0, 4.0] {
                let options = StepOptions {
                    clip,
                    loss_scale,
                    non_finite: NonFinite::Skip,
                    zero_gradients: true,
                    ..StepOptions::default()
                };
                three_steps(name, &vec![option("average", OptionValue::Float(0.9))], options);
            }
        }
    }
}
