//! The table of losses: names, options and inputs.

use std::ops::RangeInclusive;

use stepwell_optim::Shared;
use stepwell_optim::{Limit::*, OptionSet, OptionSpec, OptionType, OptionValue, Result, options};

use crate::engine::operations::{Loss, Reduction};
use crate::nn::loss::classes::ClassLoss;
use crate::nn::loss::formula::Formula;

impl OptionType for Reduction {
    const KIND: stepwell_optim::OptionKind = stepwell_optim::OptionKind::Word(&["none", "mean", "sum"]);
    fn from_value(value: &OptionValue) -> Option<Self> {
        match value {
            OptionValue::Word(word) if word == "none" => Some(Reduction::None),
            OptionValue::Word(word) if word == "mean" => Some(Reduction::Mean),
            OptionValue::Word(word) if word == "sum" => Some(Reduction::Sum),
            _ => None,
        }
    }
    fn into_value(self) -> OptionValue {
        OptionValue::Word(match self {
            Reduction::None => "none".into(),
            Reduction::Mean => "mean".into(),
            Reduction::Sum => "sum".into(),
        })
    }
}

/// A reduction, or the sum divided by the number of samples.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchReduction {
    reduction: Reduction,
    by_samples: bool,
}

impl OptionType for BatchReduction {
    const KIND: stepwell_optim::OptionKind = stepwell_optim::OptionKind::Word(&["none", "mean", "sum", "batchmean"]);
    fn from_value(value: &OptionValue) -> Option<Self> {
        match value {
            OptionValue::Word(word) if word == "batchmean" => {
                Some(BatchReduction { reduction: Reduction::Mean, by_samples: true })
            }
            other => Reduction::from_value(other).map(|reduction| BatchReduction { reduction, by_samples: false }),
        }
    }
    fn into_value(self) -> OptionValue {
        if self.by_samples { OptionValue::Word("batchmean".into()) } else { self.reduction.into_value() }
    }
}

const MEAN: BatchReduction = BatchReduction { reduction: Reduction::Mean, by_samples: false };

/// The class that the loss ignores by default, as PyTorch's `ignore_index`.
pub(crate) const IGNORE_INDEX: i64 = -100;

options! {
    /// Options of most losses.
    pub(crate) struct LossOptions {
        /// How the losses of the elements become one number: not at all, by their mean or by their sum.
        reduce: Reduction = Reduction::Mean, alias "reduction";
    }
}

options! {
    /// Options of the negative log-likelihood.
    pub(crate) struct ClassOptions {
        /// A class that the loss and its mean ignore. It need not exist.
        ignore: i64 = IGNORE_INDEX, alias "ignore_index";
        /// How the losses of the elements become one number: not at all, by their mean or by their sum.
        reduce: Reduction = Reduction::Mean, alias "reduction";
        /// The weight of each class; `null` for weights of 1. The mean divides by the sum of the weights of the targets.
        weight: Option<Vec<f64>> = None, limit AtLeast(0.0);
    }
}

options! {
    /// Options of cross entropy.
    pub(crate) struct SmoothClassOptions {
        /// A class that the loss and its mean ignore. It need not exist.
        ignore: i64 = IGNORE_INDEX, alias "ignore_index";
        /// How the losses of the elements become one number: not at all, by their mean or by their sum.
        reduce: Reduction = Reduction::Mean, alias "reduction";
        /// The weight of each class; `null` for weights of 1. The mean divides by the sum of the weights of the targets.
        weight: Option<Vec<f64>> = None, limit AtLeast(0.0);
        /// The share of each target that is spread evenly over all classes.
        smoothing: f64 = 0.0, limit Closed(0.0, 1.0), alias "label_smoothing";
    }
}

options! {
    /// Options of binary cross entropy of logits.
    pub(crate) struct LogitOptions {
        /// How the losses of the elements become one number: not at all, by their mean or by their sum.
        reduce: Reduction = Reduction::Mean, alias "reduction";
        /// The weight of positive targets, for each element of the last dimension or one for all; `null` for 1.
        posweight: Option<Vec<f64>> = None, limit AtLeast(0.0), alias "pos_weight";
    }
}

options! {
    /// Options of the smooth L1 loss.
    pub(crate) struct SmoothL1Options {
        /// The difference at which the quadratic part ends.
        beta: f64 = 1.0, limit Above(0.0);
        /// How the losses of the elements become one number: not at all, by their mean or by their sum.
        reduce: Reduction = Reduction::Mean, alias "reduction";
    }
}

options! {
    /// Options of the Huber loss.
    pub(crate) struct HuberOptions {
        /// The difference at which the quadratic part ends.
        delta: f64 = 1.0, limit Above(0.0);
        /// How the losses of the elements become one number: not at all, by their mean or by their sum.
        reduce: Reduction = Reduction::Mean, alias "reduction";
    }
}

options! {
    /// Options of the Kullback-Leibler divergence.
    pub(crate) struct KlOptions {
        /// How the losses of the elements become one number. `batchmean` divides their sum by the number of samples.
        reduce: BatchReduction = MEAN, alias "reduction";
        /// Targets are logarithms of probabilities.
        log: bool = false, alias "log_target";
    }
}

options! {
    /// Options of the Poisson loss.
    pub(crate) struct PoissonOptions {
        /// The input is the logarithm of the rate.
        log: bool = true, alias "log_input";
        /// Add Stirling's approximation of log(target!), for targets above 1.
        full: bool = false;
        /// Added to a rate before its logarithm, unless `log`.
        eps: f64 = 1e-8, limit Above(0.0);
        /// How the losses of the elements become one number: not at all, by their mean or by their sum.
        reduce: Reduction = Reduction::Mean, alias "reduction";
    }
}

options! {
    /// Options of the losses with a margin of 1.
    pub(crate) struct HingeOptions {
        /// The distance beyond which a loss is 0.
        margin: f64 = 1.0;
        /// How the losses of the elements become one number: not at all, by their mean or by their sum.
        reduce: Reduction = Reduction::Mean, alias "reduction";
    }
}

options! {
    /// Options of the losses with a margin of 0.
    pub(crate) struct MarginOptions {
        /// The difference at which a loss becomes 0.
        margin: f64 = 0.0;
        /// How the losses of the elements become one number: not at all, by their mean or by their sum.
        reduce: Reduction = Reduction::Mean, alias "reduction";
    }
}

options! {
    /// Options of the margin loss of classes.
    pub(crate) struct MultiMarginOptions {
        /// The power of each difference, 1 or 2.
        p: i64 = 1, limit Closed(1.0, 2.0);
        /// The difference at which a loss becomes 0.
        margin: f64 = 1.0;
        /// The weight of each class; `null` for weights of 1.
        weight: Option<Vec<f64>> = None, limit AtLeast(0.0);
        /// How the losses of the samples become one number: not at all, by their mean or by their sum.
        reduce: Reduction = Reduction::Mean, alias "reduction";
    }
}

options! {
    /// Options of the loss of several labels.
    pub(crate) struct WeightOptions {
        /// The weight of each class; `null` for weights of 1.
        weight: Option<Vec<f64>> = None, limit AtLeast(0.0);
        /// How the losses of the samples become one number: not at all, by their mean or by their sum.
        reduce: Reduction = Reduction::Mean, alias "reduction";
    }
}

options! {
    /// Options of the triplet loss.
    pub(crate) struct TripletOptions {
        /// How much farther than the positive the negative has to be.
        margin: f64 = 1.0, limit Above(0.0);
        /// The order of the norm.
        p: f64 = 2.0, limit Above(0.0);
        /// Added to each difference, so that the gradient of a distance of 0 is finite.
        eps: f64 = 1e-6, limit AtLeast(0.0);
        /// Use the distance from the positive to the negative if it is smaller.
        swap: bool = false;
        /// How the losses of the samples become one number: not at all, by their mean or by their sum.
        reduce: Reduction = Reduction::Mean, alias "reduction";
    }
}

options! {
    /// Options of the connectionist temporal classification.
    pub(crate) struct CtcOptions {
        /// The class that stands for no label.
        blank: i64 = 0, limit AtLeast(0.0);
        /// Losses that are infinite, as of inputs shorter than their targets, become 0 with gradients of 0.
        zeroinf: bool = false, alias "zero_infinity";
        /// How the losses of the samples become one number. The mean divides each by the length of its target first.
        reduce: Reduction = Reduction::Mean, alias "reduction";
    }
}

/// A row of the table of losses.
pub(crate) struct LossKind {
    pub(crate) name: &'static str,
    pub(crate) options: &'static [OptionSpec],
    /// The tensors that it takes after its input; each must be given except for a weight.
    pub(crate) targets: &'static [&'static str],
    pub(crate) make: fn(&[OptionValue]) -> Result<(Formula, Reduction)>,
    /// One sentence. The module that runs does not contain it.
    #[cfg(test)]
    pub(crate) about: &'static str,
}

impl LossKind {
    /// How many tensors it takes.
    pub(crate) fn inputs(&self) -> RangeInclusive<usize> {
        let most = 1 + self.targets.len();
        most - usize::from(self.targets.last() == Some(&WEIGHT))..=most
    }
}

/// The name of an optional tensor with the weight of each loss.
pub(crate) const WEIGHT: &str = "weight";

/// A row: name, sentence, tensors after the input, options, and the formula by these.
macro_rules! row {
    ($name:literal, $about:literal, $targets:expr, $options:ident, |$o:ident| $formula:expr) => {
        LossKind {
            name: $name,
            options: $options::SPECS,
            targets: &$targets,
            make: |row| $options::from_values(row).map(|$o| ($formula, $o.reduce)),
            #[cfg(test)]
            about: $about,
        }
    };
}

/// Class weights that several owners share.
fn shared(weight: Option<Vec<f64>>) -> Option<Shared<[f64]>> {
    weight.map(Shared::from)
}

pub(crate) const LOSSES: &[LossKind] = &[
    row!("ce", "Cross entropy of these logits.", ["target"], SmoothClassOptions, |o| Formula::Classes(ClassLoss {
        logits: true,
        ignore: o.ignore,
        weight: shared(o.weight),
        smoothing: o.smoothing,
    })),
    row!("nll", "Negative log-likelihood of these log-probabilities.", ["target"], ClassOptions, |o| Formula::Classes(
        ClassLoss { logits: false, ignore: o.ignore, weight: shared(o.weight), smoothing: 0.0 }
    )),
    row!("mse", "Squared error.", ["target"], LossOptions, |o| Formula::Engine(Loss::Mse)),
    row!("l1", "Absolute error.", ["target"], LossOptions, |o| Formula::Engine(Loss::L1)),
    row!("smoothl1", "Squared error below `beta`, absolute error above.", ["target"], SmoothL1Options, |o| {
        Formula::Engine(Loss::SmoothL1 { beta: o.beta })
    }),
    row!("bce", "Binary cross entropy of these probabilities.", ["target", WEIGHT], LossOptions, |o| Formula::Engine(
        Loss::Bce
    )),
    row!("bcewithlogits", "Binary cross entropy of these logits.", ["target", WEIGHT], LogitOptions, |o| match shared(
        o.posweight
    ) {
        None => Formula::Engine(Loss::BceWithLogits),
        Some(posweight) => Formula::WeightedLogits(posweight),
    }),
    row!(
        "huber",
        "Half the squared error below `delta`, `delta` times the absolute error above.",
        ["target"],
        HuberOptions,
        |o| Formula::Huber { delta: o.delta }
    ),
    LossKind {
        name: "kl",
        options: KlOptions::SPECS,
        targets: &["target"],
        make: |row| {
            let KlOptions { reduce, log } = KlOptions::from_values(row)?;
            Ok((Formula::Kl { log, by_samples: reduce.by_samples }, reduce.reduction))
        },
        #[cfg(test)]
        about: "Kullback-Leibler divergence of these log-probabilities.",
    },
    row!("poissonloss", "Negative log-likelihood of counts by Poisson rates.", ["target"], PoissonOptions, |o| {
        Formula::Poisson { log: o.log, full: o.full, eps: o.eps }
    }),
    row!(
        "hinge",
        "These distances where the target is 1, and their hinge where it is -1.",
        ["target"],
        HingeOptions,
        |o| Formula::Hinge { margin: o.margin }
    ),
    row!("softmargin", "log(1 + exp(-target x)) of targets 1 and -1.", ["target"], LossOptions, |o| {
        Formula::SoftMargin
    }),
    row!("multilabel", "Margins between the labels of a row and its other classes.", ["target"], LossOptions, |o| {
        Formula::MultiLabel
    }),
    row!(
        "multimargin",
        "Margins between the class of a row and the other classes.",
        ["target"],
        MultiMarginOptions,
        |o| Formula::MultiMargin { square: o.p == 2, margin: o.margin, weight: shared(o.weight) }
    ),
    row!("multisoft", "Mean binary cross entropy of the classes of these logits.", ["target"], WeightOptions, |o| {
        Formula::MultiSoft { weight: shared(o.weight) }
    }),
    row!(
        "cosineloss",
        "1 - cosine to rows with target 1, the excess of the cosine over the margin for -1.",
        ["other", "target"],
        MarginOptions,
        |o| Formula::Cosine { margin: o.margin }
    ),
    row!(
        "margin",
        "Margin of a ranking: the target is 1 if the first is to be larger, -1 if the second.",
        ["other", "target"],
        MarginOptions,
        |o| Formula::Margin { margin: o.margin }
    ),
    row!(
        "triplet",
        "How much nearer the positive is than the negative, up to a margin.",
        ["positive", "negative"],
        TripletOptions,
        |o| Formula::Triplet { margin: o.margin, p: o.p, eps: o.eps, swap: o.swap }
    ),
    row!(
        "ctc",
        "Connectionist temporal classification of these log-probabilities.",
        ["targets", "inputlengths", "targetlengths"],
        CtcOptions,
        |o| Formula::Ctc { blank: o.blank, zero_infinity: o.zeroinf }
    ),
];
