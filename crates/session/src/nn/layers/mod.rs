//! The list of layers. To add one: its file and its line here.

mod activation;
mod attention;
mod bilinear;
mod cat;
mod conv2d;
mod distance;
mod dropout;
mod embedding;
mod linear;
mod maxpool2d;
pub(crate) mod normalization;
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
                about: <$layer as LayerDefinition>::ABOUT,
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
        conv2d::Conv2d,
        maxpool2d::MaxPool2d,
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
