//! Presets: named sets of options, as published variants have them.

use crate::options::value::OptionValue;
use crate::options::value::OptionValue::{Flag, Float, Null};

/// The options of a published variant, without the learning rate.
pub struct Preset {
    /// The name.
    pub name: &'static str,
    /// The name of the optimizer.
    pub optimizer: &'static str,
    /// The formula of the variant.
    pub about: &'static str,
    /// The publication.
    pub source: &'static str,
    /// Names and values of options.
    pub options: &'static [(&'static str, OptionValue)],
}

/// Every preset. Presets of one optimizer set the same options, so that one replaces another.
pub static PRESETS: &[Preset] = &[
    Preset {
        name: "nvlamb",
        optimizer: "lamb",
        about: "g / G, always; u = m / (√v + eps) + decay p; ratio ‖p‖ / ‖u‖ clipped to [0, 1]. The defaults.",
        source: "https://developer.nvidia.com/blog/pretraining-bert-with-layer-wise-adaptive-learning-rates, \
                 as the k-api has it",
        options: &[
            ("eps", Float(1e-8)),
            ("decay", Float(0.0)),
            ("globalnorm", Flag(true)),
            ("trustclip", Flag(true)),
            ("max_grad_norm", Null),
            ("use_nvlamb", Flag(true)),
        ],
    },
    Preset {
        name: "apex",
        optimizer: "lamb",
        about: "g / max(1, G / max_grad_norm); u = m / (√v + eps) + decay p; ratio ‖p‖ / ‖u‖ unclipped, \
                1 where decay is 0.",
        source: "https://github.com/NVIDIA/apex, FusedLAMB and its defaults",
        options: &[
            ("eps", Float(1e-6)),
            ("decay", Float(0.01)),
            ("globalnorm", Flag(true)),
            ("trustclip", Flag(false)),
            ("max_grad_norm", Float(1.0)),
            ("use_nvlamb", Flag(false)),
        ],
    },
    Preset {
        name: "paper",
        optimizer: "lamb",
        about: "g as it is; u = m / (√v + eps) + decay p; ratio ‖p‖ / ‖u‖ unclipped (φ(z) = z).",
        source: "https://arxiv.org/abs/1904.00962, algorithm 2; eps and decay as BERT was trained with",
        options: &[
            ("eps", Float(1e-6)),
            ("decay", Float(0.01)),
            ("globalnorm", Flag(false)),
            ("trustclip", Flag(false)),
            ("max_grad_norm", Null),
            ("use_nvlamb", Flag(true)),
        ],
    },
];
