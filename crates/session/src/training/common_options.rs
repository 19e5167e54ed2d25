//! The options that the processes of a training must have in common in each step. Otherwise each would make another step.

use stepwell_optim::{Clip, NonFinite, OptionType, OptionValue};

use crate::engine::Engine;
use crate::nn::loss::LossFunction;
use crate::training::bound_optimizer::BoundOptimizer;
use crate::training::same_objects::{Digest, Part, PartKind};
use crate::training::step_call::{StepCall, TrainCall};
use crate::values::convert::{plain_text, to_value};

impl<E: Engine> BoundOptimizer<E> {
    /// The options of each group, which a schedule may have changed, the loss scale, and the options of the call.
    pub(crate) fn common_options(&self, call: &StepCall<'_>) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut add = |text: String| parts.push(Part { kind: PartKind::Call, text });
        for (group, row) in self.optimizer.groups().iter().enumerate() {
            for (spec, value) in self.optimizer.definition().options.iter().zip(row.options()) {
                add(format!("{} {} in group {group}", spec.name, plain_text(&to_value(value))));
            }
        }
        add(self.optimizer.loss_scale.as_ref().map_or_else(
            || "no loss scale".to_owned(),
            |scale| {
                let options = scale.described().into_iter();
                let texts = options.map(|(name, value)| format!("{name} {}", plain_text(&to_value(&value))));
                format!("a loss scale ({})", texts.collect::<Vec<_>>().join(", "))
            },
        ));
        add(match call.clip {
            Clip::None => "no clipping".to_owned(),
            Clip::Norm(most) => format!("clipnorm {most}"),
            Clip::Value(most) => format!("clipvalue {most}"),
        });
        add(format!("zerograd {}", call.zerograd));
        add(format!("nonfinite {}", word(call.nonfinite)));
        add(if self.optimizer.is_swapped() { "averages as parameters" } else { "no averages as parameters" }.to_owned());
        if let Some(TrainCall { options, metrics, loss }) = call.train {
            add(format!("nonfiniteloss {}", word(options.nonfiniteloss)));
            add(format!("batchsize {}", options.batchsize));
            add(format!("accumulate {}", options.accumulate));
            add(format!("droplast {}", options.droplast));
            add(format!("shuffle {}", options.shuffle));
            add(format!("metrics {}", metrics.iter().map(|metric| metric.name()).collect::<Vec<_>>().join(", ")));
            add(loss.map_or_else(|| "a function as the loss".to_owned(), loss_text));
        }
        parts
    }
}

/// A loss with its options. A long list is a digest.
fn loss_text(loss: &LossFunction) -> String {
    let options = loss.options().into_iter().map(|(name, value)| match value {
        OptionValue::List(list) if list.len() > 8 => {
            let mut digest = Digest::default();
            list.iter().for_each(|number| digest.add(&number.to_le_bytes()));
            format!("{name} of digest {}", digest.text())
        }
        value => format!("{name} {}", plain_text(&to_value(&value))),
    });
    format!("the loss {} ({})", loss.name(), options.collect::<Vec<_>>().join(", "))
}

fn word(policy: NonFinite) -> String {
    plain_text(&to_value(&policy.into_value()))
}
