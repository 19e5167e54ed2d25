//! The list of layers. To add one: its file and its line here.

mod activations;
pub(crate) mod batchnorm;
mod cat;
mod conv2d;
mod dropout;
mod embedding;
mod flatten;
mod layernorm;
mod linear;
mod maxpool2d;

use stepwell_optim::OptionSet;

use crate::engine::Engine;
use crate::nn::layer::{LayerDefinition, LayerKind};

macro_rules! layers {
    ($($layer:ty,)*) => {
        /// Every kind of layer.
        pub(crate) fn layer_kinds<E: Engine>() -> Vec<LayerKind<E>> {
            vec![$(LayerKind {
                name: <$layer as LayerDefinition>::NAME,
                about: <$layer as LayerDefinition>::ABOUT,
                options: <<$layer as LayerDefinition>::Options as OptionSet>::SPECS,
                make: |row, context| <$layer as LayerDefinition>::make(OptionSet::from_values(row)?, context),
            },)*]
        }

        /// The table of every kind of layer, from which TypeScript is generated.
        #[cfg(test)]
        pub(crate) const LAYER_TABLES: &[LayerTable] =
            &[$((<$layer as LayerDefinition>::NAME, <$layer as LayerDefinition>::ABOUT, <<$layer as LayerDefinition>::Options as OptionSet>::SPECS),)*];
    };
}

/// The name of a layer, one sentence, and its options.
#[cfg(test)]
type LayerTable = (&'static str, &'static str, &'static [stepwell_optim::OptionSpec]);

layers! {
    linear::Linear,
    conv2d::Conv2d,
    maxpool2d::MaxPool2d,
    flatten::Flatten,
    activations::Relu,
    activations::Tanh,
    activations::Sigmoid,
    activations::Gelu,
    dropout::Dropout,
    batchnorm::BatchNorm,
    layernorm::LayerNorm,
    embedding::Embedding,
    cat::Cat,
}
