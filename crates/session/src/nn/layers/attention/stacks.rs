//! Stacks of layers of a transformer, and a transformer of both. Vaswani et al. 2017, <https://arxiv.org/abs/1706.03762>.
//!
//! A stack takes the inputs of its layers. A transformer takes a source, a target, and then masks: of the source, of the target, of
//! the memory. Masks of padding follow in the same order.

use std::ops::RangeInclusive;

use stepwell_optim::fallible::collected;
use stepwell_optim::{Limit::*, Result, count, options};

use crate::engine::Engine;
use crate::nn::context::{ForwardContext, InitContext};
use crate::nn::layer::{Layer, LayerDefinition, Parts, run, specification};
use crate::nn::layers::attention::blocks::{Between, BlockOptions};
use crate::nn::layers::attention::multihead::check_heads;
use crate::values::data::Data;
use crate::values::value::Value;

options! {
    /// Options of a stack of layers of a transformer.
    pub(crate) struct StackOptions {
        /// Size of the last dimension of inputs and results.
        inputs: i64, limit AtLeast(1.0), alias "d_model";
        /// Heads of an attention.
        heads: i64, limit AtLeast(1.0), alias "nhead";
        /// How many layers.
        layers: i64, limit Closed(0.0, MAX_LAYERS), alias "num_layers";
        /// Size between the two linear maps of a layer.
        dim: i64 = 2048, limit AtLeast(1.0), alias "dim_feedforward";
        /// Probability of an element to become 0 while training.
        dropout: f64 = 0.1, limit Closed(0.0, 1.0);
        /// The function between the two linear maps of a layer.
        r#fn: Between = Between::Relu, alias "activation";
        /// Normalise the result.
        norm: bool = false;
        /// Normalise before attention and linear maps, and not after them.
        normfirst: bool = false, alias "norm_first", extension true;
        /// Added to the variance of a normalisation.
        eps: f64 = 1e-5, limit Above(0.0), alias "layer_norm_eps", extension true;
        /// The batch is the first dimension of inputs and results.
        batchfirst: bool = false, alias "batch_first", extension true;
        /// A position attends to itself and to earlier ones.
        causal: bool = false, alias "is_causal", extension true;
    }
}

options! {
    /// Options of a transformer.
    pub(crate) struct TransformerOptions {
        /// Size of the last dimension of inputs and results.
        inputs: i64 = 512, limit AtLeast(1.0), alias "d_model";
        /// Heads of an attention.
        heads: i64 = 8, limit AtLeast(1.0), alias "nhead";
        /// Layers of the encoder.
        elayers: i64 = 6, limit Closed(0.0, MAX_LAYERS), alias "num_encoder_layers";
        /// Layers of the decoder.
        dlayers: i64 = 6, limit Closed(0.0, MAX_LAYERS), alias "num_decoder_layers";
        /// Size between the two linear maps of a layer.
        dim: i64 = 2048, limit AtLeast(1.0), alias "dim_feedforward";
        /// Probability of an element to become 0 while training.
        dropout: f64 = 0.1, limit Closed(0.0, 1.0);
        /// The function between the two linear maps of a layer.
        r#fn: Between = Between::Relu, alias "activation";
        /// Normalise before attention and linear maps, and not after them.
        normfirst: bool = false, alias "norm_first", extension true;
        /// Added to the variance of a normalisation.
        eps: f64 = 1e-5, limit Above(0.0), alias "layer_norm_eps", extension true;
        /// The batch is the first dimension of inputs and results.
        batchfirst: bool = false, alias "batch_first", extension true;
        /// A position of the target attends to itself and to earlier ones.
        causal: bool = false, alias "tgt_is_causal", extension true;
    }
}

/// The largest number of layers of a stack; no model that is known has more than a few hundred.
const MAX_LAYERS: f64 = 10_000.0;

pub(crate) struct Encoder;
pub(crate) struct Decoder;
pub(crate) struct Transformer;

/// Its parts are a list of layers, and a normalisation or none.
struct Stack {
    is_decoder: bool,
}

/// Its parts are an encoder and a decoder.
struct Both;

impl LayerDefinition for Encoder {
    type Options = StackOptions;
    const NAME: &'static str = "encoder";
    const ABOUT: &'static str = "The encoder of a transformer: layers one after the other.";

    fn make<E: Engine>(o: StackOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        stack(Self::NAME, false, &o, context)
    }
}

impl LayerDefinition for Decoder {
    type Options = StackOptions;
    const NAME: &'static str = "decoder";
    const ABOUT: &'static str = "The decoder of a transformer: layers one after the other.";

    fn make<E: Engine>(o: StackOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        stack(Self::NAME, true, &o, context)
    }
}

#[inline(never)]
fn stack<E: Engine>(
    owner: &str,
    is_decoder: bool,
    o: &StackOptions,
    context: &mut InitContext<'_, E>,
) -> Result<Box<dyn Layer<E>>> {
    check_heads(owner, o.inputs, o.heads)?;
    let kind = if is_decoder { "decoderlayer" } else { "encoderlayer" };
    let size = o.inputs as f64;
    let block = specification(kind, &[size, o.heads as f64, o.dim as f64, o.dropout], &block_options(o).named());
    let children = Value::Array(vec![block; count(o.layers)]);
    let layers = [("container", Value::string("modulelist")), ("children", children)];
    context.parts.push(("layers".to_owned(), Value::object(layers)));
    if o.norm {
        context.part("norm", "layernorm", &[size, o.eps], &[]);
    }
    Ok(Box::new(Stack { is_decoder }))
}

fn block_options(o: &StackOptions) -> BlockOptions {
    BlockOptions {
        inputs: o.inputs,
        heads: o.heads,
        dim: o.dim,
        dropout: o.dropout,
        r#fn: o.r#fn,
        normfirst: o.normfirst,
        eps: o.eps,
        batchfirst: o.batchfirst,
        causal: o.causal,
    }
}

impl<E: Engine> Layer<E> for Stack {
    fn inputs(&self) -> RangeInclusive<usize> {
        if self.is_decoder { 2..=6 } else { 1..=3 }
    }

    fn forward_with(
        &self,
        context: &mut ForwardContext<'_, E>,
        inputs: &[E::Tensor],
        parts: &Parts<'_, E>,
    ) -> Result<Vec<E::Tensor>> {
        let mut inputs = inputs.to_vec();
        for (i, layer) in parts[0].parts().into_iter().enumerate() {
            inputs[0] = run(context, layer, &inputs).map_err(|error| error.within(&format!("`layers.{i}`")))?;
        }
        if let Some(norm) = parts.get(1) {
            inputs[0] = run(context, *norm, &inputs[..1])?;
        }
        inputs.truncate(1);
        Ok(inputs)
    }
}

impl LayerDefinition for Transformer {
    type Options = TransformerOptions;
    const NAME: &'static str = "transformer";
    const ABOUT: &'static str = "An encoder of a source, and a decoder of a target that attends to its result.";

    fn make<E: Engine>(o: TransformerOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        check_heads(Self::NAME, o.inputs, o.heads)?;
        for (name, layers, causal) in [("encoder", o.elayers, false), ("decoder", o.dlayers, o.causal)] {
            let positional = [o.inputs as f64, o.heads as f64, layers as f64, o.dim as f64, o.dropout];
            let block = BlockOptions {
                inputs: o.inputs,
                heads: o.heads,
                dim: o.dim,
                dropout: o.dropout,
                r#fn: o.r#fn,
                normfirst: o.normfirst,
                eps: o.eps,
                batchfirst: o.batchfirst,
                causal,
            };
            let mut named = block.named().to_vec();
            named.push(("norm", true.into()));
            context.part(name, name, &positional, &named);
        }
        Ok(Box::new(Both))
    }
}

impl<E: Engine> Layer<E> for Both {
    fn inputs(&self) -> RangeInclusive<usize> {
        2..=8
    }

    /// PyTorch takes Xavier's bounds for all matrices of a transformer.
    fn initialise(&self, context: &mut InitContext<'_, E>, tensors: &[(String, E::Tensor)]) -> Result<()> {
        for (_, tensor) in tensors {
            if let [rows, columns] = context.engine.shape(tensor)?[..] {
                let bound = (6.0 / (rows as f64 + columns as f64)).sqrt();
                let drawn = collected((0..rows * columns).map(|_| context.random.uniform(bound) as f32))?;
                context.engine.assign(tensor, &Data::Float(drawn))?;
            }
        }
        Ok(())
    }

    fn forward_with(
        &self,
        context: &mut ForwardContext<'_, E>,
        inputs: &[E::Tensor],
        parts: &Parts<'_, E>,
    ) -> Result<Vec<E::Tensor>> {
        let engine = context.engine;
        let none = engine.tensor(&Data::Float(Vec::new()), &[0], engine.device(&inputs[0])?)?;
        let input = |index: usize| inputs.get(index).unwrap_or(&none).clone();
        let memory = run(context, parts[0], &[input(0), input(2), input(5)])?;
        let output = run(context, parts[1], &[input(1), memory, input(3), input(4), input(6), input(7)])?;
        Ok(vec![output])
    }
}
