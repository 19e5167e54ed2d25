//! Kinds of layers, and how each is made.

use stepwell_optim::{OptionSpec, OptionValue, Result};

use crate::engine::Engine;
use crate::mathematics::activation::Activation;
use crate::nn::context::InitContext;
use crate::nn::function_layer::{ActivationLayer, FunctionLayer, LayerFunction, Settings};
use crate::nn::layer::Layer;

/// A kind of layer.
pub(crate) struct LayerKind<E: Engine> {
    pub(crate) name: &'static str,
    pub(crate) options: &'static [OptionSpec],
    pub(crate) maker: LayerMaker<E>,
}

/// How a kind of layer is made.
pub(crate) enum LayerMaker<E: Engine> {
    /// By its definition.
    Definition(MakeLayer<E>),
    /// As a function of so many inputs and the options.
    Function(usize, LayerFunction<E>),
    /// As an activation with its numbers.
    Activation(Activation<E>),
}

type MakeLayer<E> = fn(&[OptionValue], &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>>;

impl<E: Engine> LayerKind<E> {
    /// The layer of checked options.
    pub(crate) fn make(&self, options: &[OptionValue], context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        let settings = Settings(options.to_vec());
        Ok(match self.maker {
            LayerMaker::Definition(make) => make(options, context)?,
            LayerMaker::Function(inputs, function) => Box::new(FunctionLayer { inputs, settings, function }),
            LayerMaker::Activation(function) => Box::new(ActivationLayer { settings, function }),
        })
    }
}

/// The name of a layer, one sentence, and its options.
#[cfg(test)]
pub(crate) type LayerTable = (&'static str, &'static str, &'static [OptionSpec]);

/// A table of layers: documentation, name, options as in [`options!`](stepwell_optim::options), and the maker.
macro_rules! function_layers {
    ($engine:ident, $(#[doc = $about:literal] $name:literal { $($options:tt)* } => $maker:ident($($function:tt)*);)*) => {
        /// The rows, from which TypeScript is generated.
        #[cfg(test)]
        pub(crate) const TABLE: &[crate::nn::layer_kind::LayerTable] =
            &[$(($name, $about.trim_ascii_start(), stepwell_optim::options! { @table $($options)* })),*];

        /// The kinds of layers of the rows.
        pub(crate) fn kinds<$engine: crate::engine::Engine>() -> &'static [crate::nn::layer_kind::LayerKind<$engine>] {
            const { &[$(crate::nn::layer_kind::LayerKind {
                name: $name,
                options: stepwell_optim::options! { @table $($options)* },
                maker: crate::nn::layer_kind::LayerMaker::$maker($($function)*),
            }),*] }
        }
    };
}
pub(crate) use function_layers;
