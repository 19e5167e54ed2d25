//! The list of layers. To add one: its file and its line here.

mod activation;
mod attention;
mod bilinear;
mod cat;
pub(crate) mod convolution;
mod distance;
mod dropout;
mod embedding;
mod linear;
pub(crate) mod normalization;
mod padding;
mod pooling;
mod recurrent;
mod shape;

use stepwell_optim::OptionSet;

use crate::engine::Engine;
use crate::nn::layer::LayerDefinition;
#[cfg(test)]
use crate::nn::layer_kind::LayerTable;
use crate::nn::layer_kind::{LayerKind, LayerMaker};

macro_rules! layers {
    (definitions { $($layer:ty,)* } tables { $($table:path,)* }) => {
        /// Every kind of layer.
        pub(crate) fn layer_kinds<E: Engine>() -> impl Iterator<Item = &'static LayerKind<E>> {
            let definitions: &'static [LayerKind<E>] = &[$(LayerKind {
                name: <$layer as LayerDefinition>::NAME,
                options: <<$layer as LayerDefinition>::Options as OptionSet>::SPECS,
                maker: LayerMaker::Definition(|row, context| {
                    <$layer as LayerDefinition>::make(OptionSet::from_values(row)?, context)
                }),
            },)*];
            [definitions, $({ use $table as table; table::kinds() },)*].into_iter().flatten()
        }

        /// The table of every kind of layer, from which TypeScript is generated.
        #[cfg(test)]
        pub(crate) fn layer_tables() -> Vec<LayerTable> {
            let definitions: &[LayerTable] = &[$((
                <$layer as LayerDefinition>::NAME,
                <$layer as LayerDefinition>::ABOUT,
                <<$layer as LayerDefinition>::Options as OptionSet>::SPECS,
            ),)*];
            [definitions, $({ use $table as table; table::TABLE },)*].concat()
        }
    };
}

layers! {
    definitions {
        linear::Linear,
        convolution::Conv1d,
        convolution::Conv2d,
        convolution::Conv3d,
        convolution::ConvTranspose1d,
        convolution::ConvTranspose2d,
        convolution::ConvTranspose3d,
        convolution::folding::Unfold,
        convolution::folding::Fold,
        pooling::MaxPool1d,
        pooling::MaxPool2d,
        pooling::MaxPool3d,
        pooling::MeanPool1d,
        pooling::MeanPool2d,
        pooling::MeanPool3d,
        pooling::AdaptiveMax1d,
        pooling::AdaptiveMax2d,
        pooling::AdaptiveMax3d,
        pooling::AdaptiveMean1d,
        pooling::AdaptiveMean2d,
        pooling::AdaptiveMean3d,
        pooling::NormPool1d,
        pooling::NormPool2d,
        pooling::FractionalPool2d,
        pooling::FractionalPool3d,
        padding::Pad,
        padding::Pad1d,
        padding::Pad2d,
        padding::Pad3d,
        padding::Reflect1d,
        padding::Reflect2d,
        padding::Replicate1d,
        padding::Replicate2d,
        padding::Replicate3d,
        padding::ZeroPad2d,
        padding::interpolation::Upsample,
        padding::interpolation::Interpolate,
        normalization::batchnorm::BatchNorm,
        normalization::layernorm::LayerNorm,
        normalization::groupnorm::GroupNorm,
        normalization::instancenorm::InstanceNorm,
        normalization::rmsnorm::RmsNorm,
        embedding::lookup::Embedding,
        cat::Cat,
        activation::prelu::PRelu,
        embedding::bag::EmbedBag,
        embedding::position::EmbedPosition,
        embedding::position::EmbedSequence,
        embedding::onehot::OneHot,
        recurrent::layers::Rnn,
        recurrent::layers::Lstm,
        recurrent::layers::Gru,
        attention::multihead::Attention,
        attention::self_attention::SelfAttention,
        attention::blocks::EncoderLayer,
        attention::blocks::DecoderLayer,
        attention::stacks::Encoder,
        attention::stacks::Decoder,
        attention::stacks::Transformer,
        bilinear::Bilinear,
    }
    tables {
        activation,
        dropout,
        shape,
        linear::products,
        normalization,
        distance,
    }
}
