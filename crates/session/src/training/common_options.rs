//! The options that the processes of a training must have in common in each step. Otherwise each would make another step.

use stepwell_optim::{Clip, NonFinite, OptionType};

use crate::engine::Engine;
use crate::training::bound_optimizer::BoundOptimizer;
use crate::training::same_objects::{Part, PartKind};
use crate::training::step_call::StepCall;
use crate::values::convert::{plain_text, to_value};

impl<E: Engine> BoundOptimizer<E> {
    /// The options of each group, which a schedule may have changed, the loss scale, and the options of the call.
    pub(crate) fn common_options(&self, call: StepCall<'_>) -> Vec<Part> {
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
        if let Some(train) = call.train {
            add(format!("nonfiniteloss {}", word(train.nonfiniteloss)));
            add(format!("batchsize {}", train.batchsize));
            add(format!("accumulate {}", train.accumulate));
            add(format!("droplast {}", train.droplast));
            add(format!("shuffle {}", train.shuffle));
        }
        parts
    }
}

fn word(policy: NonFinite) -> String {
    plain_text(&to_value(&policy.into_value()))
}
